package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// sessionsOf makes a session table and another one of that many rows.
func sessionsOf(rows int, index string) []string {
	return []string{
		"CREATE TABLE sessions (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), token_hash CHAR(64), user_id INT, created_at TIMESTAMPTZ, data JSONB)",
		fmt.Sprintf("INSERT INTO sessions (token_hash, user_id, created_at, data) SELECT encode(sha256(lpad(n::TEXT, 7, '0')::BYTEA), 'hex'), n, now(), '{\"a\": 1}' FROM generate_series(1, %d) AS n", rows),
		index,
		"CREATE TABLE audit (id BIGSERIAL PRIMARY KEY, text TEXT)",
		fmt.Sprintf("INSERT INTO audit (text) SELECT 'event ' || n FROM generate_series(1, %d) AS n", rows),
	}
}

const onTheHash = "CREATE UNIQUE INDEX ON sessions (token_hash)"

// planOf is how PostgreSQL would run a statement.
func planOf(t *testing.T, s *Store, statement string, parameter any) string {
	t.Helper()
	rows, err := s.ask(t.Context(), "EXPLAIN "+statement, parameter)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	var plan strings.Builder
	for _, row := range rows {
		plan.WriteString(row.text(0) + "\n")
	}
	return plan.String()
}

func TestNoStatementReadsAWholeBigTable(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	run(t, s, sessionsOf(100_000, onTheHash)...)
	run(t, s, "CREATE INDEX ON sessions (created_at)")
	n := needlesOf(secret.New("no such id anywhere"))
	for _, state := range []string{"without statistics", "with statistics"} {
		tables, err := s.Tables(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, table := range tables {
			l := s.newLook("", n)
			statement, parameter := l.scan(table, table.Columns)
			if plan := planOf(t, s, statement, parameter); strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "Sort") {
				t.Errorf("%s: %s is read as a whole:\n%s", state, table, plan)
			}
			for _, column := range table.Columns {
				condition, values := n.byIndex(column)
				if condition == "" {
					continue
				}
				statement := l.lookup(table, table.Columns, fill(condition, "column", quoted(column.Name)))
				if plan := planOf(t, s, statement, values); strings.Contains(plan, "Seq Scan") {
					t.Errorf("%s: no index for %s:\n%s", state, column.Name, plan)
				}
			}
		}
		run(t, s, "ANALYZE")
	}
}

func TestBigTables(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	run(t, s, sessionsOf(3*scannedRows, "SELECT 1")...)
	// Nobody can say that it is not there.
	_, err := s.Find(t.Context(), secret.New("no such id anywhere"), []string{"sessions"})
	wantError(t, err, "the table sessions has more than 10000 rows", "put an index on the column", "1 more")
	if !errors.Is(err, ErrIncomplete) {
		t.Errorf("%v", err)
	}
	// The newest rows are read, where an index knows them.
	run(t, s, "CREATE INDEX ON sessions (created_at)", "INSERT INTO sessions (token_hash, created_at) VALUES ('"+token+"', now() + interval '1 h')")
	s.schema.at = time.Time{}
	one(t, s, token, "sessions")

	// Once it is known where ids live, and that place answers by index, it is.
	run(t, s, onTheHash)
	if _, err := s.tables(t.Context(), -1); err != nil {
		t.Fatal(err)
	}
	if cells := find(t, s, "no such id anywhere", "sessions"); len(cells) != 0 {
		t.Errorf("%+v", cells)
	}
}

// BenchmarkFind shows that a Find costs the same whatever the size of the
// table, when the wire named it: go test -bench Find ./internal/store
func BenchmarkFind(b *testing.B) {
	for _, rows := range []int{1_000, 1_000_000} {
		s := fresh(b)
		for _, statement := range sessionsOf(rows, onTheHash) {
			if err := s.exec(b.Context(), statement); err != nil {
				b.Fatal(err)
			}
		}
		id := fmt.Sprintf("%07d", rows) // the digest of the last row's number
		measure := func(name, id string, want int, first ...string) {
			b.Run(fmt.Sprintf("%s/%d", name, rows), func(b *testing.B) {
				for b.Loop() {
					if cells, err := s.Find(b.Context(), secret.New(id), first); err != nil || len(cells) != want {
						b.Fatal(len(cells), err)
					}
				}
			})
		}
		measure("named", id, 1, "sessions")
		measure("not named", id, 1)
		measure("absent", "no such id anywhere", 0, "sessions")
	}
}
