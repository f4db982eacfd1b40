package tap

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

func TestSimpleAndExtended(t *testing.T) {
	t.Parallel()
	tapped := listen(t, shared.DSN)
	id := marker(t, "planted")
	digest := sha256.Sum256([]byte(id))
	tapped.Watch(secret.New(id))
	connection := connect(t, tapped.DSN())

	do(t, connection, "CREATE TEMP TABLE sessions (id TEXT, hash BYTEA)")
	do(t, connection, "INSERT INTO sessions VALUES ($1, $2)", id, digest[:])
	do(t, connection, "INSERT INTO sessions VALUES ($1, $2)", "somebody else", []byte{1})
	do(t, connection, "INSERT INTO sessions VALUES ($1, $2)", "", nil)
	do(t, connection, "DELETE FROM sessions WHERE id = '"+id+"'")
	do(t, connection, "SELECT $1::TEXT", pgx.QueryExecModeSimpleProtocol, id)
	_, err := connection.Exec(t.Context(), "SELECT * FROM nowhere WHERE id = $1", id)
	if sqlstate(err) != "42P01" {
		t.Fatal(err)
	}

	insert := "INSERT INTO sessions VALUES ($1, $2)"
	want := []seen{
		{Kind: trace.Extended, Text: insert, Parameters: []string{id, string(digest[:])}, Hits: []string{"raw in 1", "sha256 bytes in 2"}},
		{Kind: trace.Simple, Text: "DELETE FROM sessions WHERE id = '" + id + "'", Hits: []string{"raw in 0"}},
		{Kind: trace.Simple, Text: "SELECT  '" + id + "' ::TEXT", Hits: []string{"raw in 0"}},
	}
	if diff := cmp.Diff(want, reveal(tapped.Statements())); diff != "" {
		t.Error(diff)
	}
	before := int64(0)
	for _, statement := range tapped.Statements() {
		if statement.Seq <= before || statement.Connection != 1 || statement.At.IsZero() {
			t.Errorf("order, connection or time: %+v", statement)
		}
		before = statement.Seq
	}
	counts := tapped.Counts()
	// The refused text never became a statement with parameters: it is counted by itself.
	if diff := cmp.Diff(Counts{Connections: 1, Statements: 7, Errors: 1}, counts); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"sessiongate"}, tapped.Users()); diff != "" {
		t.Error(diff)
	}
}

func sqlstate(err error) string {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code
	}
	return fmt.Sprint(err)
}

// An id that the server issues is known only after its row was written.
func TestWatchLooksBack(t *testing.T) {
	t.Parallel()
	tapped := listen(t, shared.DSN)
	connection := connect(t, tapped.DSN())
	issued, other := marker(t, "issued"), marker(t, "other")
	do(t, connection, "SELECT $1::TEXT", issued)
	do(t, connection, "SELECT $1::TEXT || $2::TEXT", other, issued)
	_, err := connection.Exec(t.Context(), "SELECT 1 / length($1::TEXT || '"+issued+"') - 1 / (length($1) - length($1))", "x")
	if err == nil {
		t.Fatal("no error")
	}
	if got := tapped.Statements(); got != nil && len(got) > 0 {
		t.Fatalf("kept %v", got)
	}
	tapped.Watch(secret.New(issued))
	tapped.Watch(secret.New(other), secret.New(issued), secret.Text{})
	got := reveal(tapped.Statements())
	if len(got) != 3 {
		t.Fatalf("%+v", got)
	}
	for i, want := range [][]string{{"raw in 1"}, {"raw in 1", "raw in 2"}, {"raw in 0"}} {
		if diff := cmp.Diff(want, got[i].Hits); diff != "" {
			t.Error(i, diff)
		}
	}
	if got[2].SQLState != "22012" || !strings.Contains(got[2].Error, "division by zero") {
		t.Errorf("error: %+v", got[2])
	}
}

// psycopg2 puts values into the text; the text then holds the id as a literal
// has to be written, or broken open.
func TestQuotesInTheText(t *testing.T) {
	t.Parallel()
	tapped := listen(t, shared.DSN)
	id := `fx7Q'ab\12` + marker(t, "")
	tapped.Watch(secret.New(id))
	connection := connect(t, tapped.DSN())
	for _, literal := range []string{
		"'" + strings.ReplaceAll(id, `'`, `''`) + "'",
		"E'" + strings.ReplaceAll(strings.ReplaceAll(id, `\`, `\\`), `'`, `\'`) + "'",
		" E'" + strings.ReplaceAll(strings.ReplaceAll(id, `\`, `\\`), `'`, `''`) + "'",
		"$$" + id + "$$",
	} {
		var got string
		if err := connection.QueryRow(t.Context(), "SELECT "+literal, pgx.QueryExecModeSimpleProtocol).Scan(&got); err != nil || got != id {
			t.Fatal(literal, got, err)
		}
	}
	_, err := connection.Exec(t.Context(), "SELECT '"+id+"'")
	if sqlstate(err) != "42601" {
		t.Fatal(err)
	}
	got := reveal(tapped.Statements())
	if len(got) != 5 || got[4].SQLState != "42601" {
		t.Fatalf("%+v", got)
	}
	for _, one := range got {
		if diff := cmp.Diff([]string{"raw in 0"}, one.Hits); diff != "" {
			t.Error(one.Text, diff)
		}
	}
}

// The text of a statement that is refused when parsed never gets parameters
// from a client that waits for the answer.
func TestRefusedText(t *testing.T) {
	t.Parallel()
	tapped := listen(t, shared.DSN)
	id := marker(t, "planted'")
	tapped.Watch(secret.New(id))
	connection := connect(t, tapped.DSN())
	_, err := connection.Exec(t.Context(), "SELECT $1::TEXT, '"+id+"'", "x")
	if sqlstate(err) != "42601" {
		t.Fatal(err)
	}
	got := reveal(tapped.Statements())
	if len(got) != 1 || got[0].Kind != trace.Extended || got[0].SQLState != "42601" || got[0].Parameters != nil {
		t.Errorf("%+v", got)
	}
}

func TestPreparedOnce(t *testing.T) {
	t.Parallel()
	tapped := listen(t, shared.DSN)
	id := marker(t, "bound")
	tapped.Watch(secret.New(id))
	connection := connect(t, tapped.DSN())
	if _, err := connection.Prepare(t.Context(), "by hand", "SELECT $1::TEXT"); err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		var got string
		value := fmt.Sprint(i)
		if i%100 == 7 {
			value = id
		}
		if err := connection.QueryRow(t.Context(), "by hand", value).Scan(&got); err != nil || got != value {
			t.Fatal(got, err)
		}
	}
	if err := connection.Deallocate(t.Context(), "by hand"); err != nil {
		t.Fatal(err)
	}
	got := reveal(tapped.Statements())
	if len(got) != 3 {
		t.Fatalf("%d statements", len(got))
	}
	for _, one := range got {
		if one.Text != "SELECT $1::TEXT" || one.Hits[0] != "raw in 1" {
			t.Errorf("%+v", one)
		}
	}
}

func TestPipelineErrors(t *testing.T) {
	t.Parallel()
	tapped := listen(t, shared.DSN)
	id := marker(t, "piped")
	tapped.Watch(secret.New(id))
	connection := connect(t, tapped.DSN())
	do(t, connection, "CREATE TEMP TABLE numbers (n INT PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)")

	pipeline := connection.PgConn().StartPipeline(t.Context())
	send := func(sql string, parameters ...string) {
		var values [][]byte
		for _, parameter := range parameters {
			values = append(values, []byte(parameter))
		}
		pipeline.SendQueryParams(sql, values, nil, nil, nil)
	}
	sync := func() {
		if err := pipeline.Sync(); err != nil {
			t.Fatal(err)
		}
	}
	send("SELECT $1::TEXT", id)
	send("SELECT $1::TEXT, 1/$2::INT", id, "0") // fails
	send("SELECT $1::TEXT, 'never run'", id)
	sync()
	send("SELECT $1::TEXT, 'after'", id)
	sync()
	send("SELECT $1::TEXT FROM", id) // fails when parsed
	send("SELECT $1::TEXT, 'never run either'", id)
	sync()
	send("INSERT INTO numbers SELECT length($1::TEXT) - length($1) FROM generate_series(1, 2)", id) // fails at the commit
	sync()
	send("SELECT $1::TEXT, 'last'", id)
	sync()
	var states []string
	for range 100 {
		_, err := pipeline.GetResults()
		if err != nil {
			states = append(states, sqlstate(err))
		}
		if len(states) > 3 {
			break
		}
	}
	if err := pipeline.Close(); err != nil && len(states) == 0 {
		t.Fatal(err)
	}

	var got []string
	for _, one := range reveal(tapped.Statements()) {
		got = append(got, one.Text+" -> "+one.SQLState+one.Error[:min(len(one.Error), 7)])
	}
	want := []string{
		"SELECT $1::TEXT -> ",
		"SELECT $1::TEXT, 1/$2::INT -> 22012divisio",
		"SELECT $1::TEXT, 'never run' -> not run",
		"SELECT $1::TEXT, 'after' -> ",
		"SELECT $1::TEXT FROM -> 42601syntax ",
		"SELECT $1::TEXT, 'never run either' -> not run",
		"INSERT INTO numbers SELECT length($1::TEXT) - length($1) FROM generate_series(1, 2) -> 23505duplica",
		"SELECT $1::TEXT, 'last' -> ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCopyBothWays(t *testing.T) {
	t.Parallel()
	tapped := listen(t, shared.DSN)
	id := marker(t, "copied")
	tapped.Watch(secret.New(id))
	connection := connect(t, tapped.DSN())
	do(t, connection, "CREATE TEMP TABLE lines (n INT, line TEXT)")
	const rows = 50_000
	text := strings.Repeat("x", 200)
	copied, err := connection.CopyFrom(t.Context(), pgx.Identifier{"lines"}, []string{"n", "line"},
		pgx.CopyFromSlice(rows, func(i int) ([]any, error) { return []any{i, text}, nil }))
	if err != nil || copied != rows {
		t.Fatal(copied, err)
	}
	var sum counter
	tag, err := connection.PgConn().CopyTo(t.Context(), &sum, "COPY lines TO STDOUT /* "+id+" */")
	if err != nil || tag.RowsAffected() != rows || sum < rows*200 {
		t.Fatal(tag, sum, err)
	}
	_, err = connection.PgConn().CopyFrom(t.Context(), strings.NewReader("not a number\tx\n"), "COPY lines FROM STDIN /* "+id+" */")
	if sqlstate(err) != "22P02" {
		t.Fatal(err)
	}
	got := reveal(tapped.Statements())
	if len(got) != 2 || got[0].SQLState != "" || got[1].SQLState != "22P02" {
		t.Errorf("%+v", got)
	}
}

type counter int64

func (c *counter) Write(data []byte) (int, error) { *c += counter(len(data)); return len(data), nil }

func TestCancelRequest(t *testing.T) {
	t.Parallel()
	tapped := listen(t, shared.DSN)
	id := marker(t, "cancelled")
	tapped.Watch(secret.New(id))
	connection := connect(t, tapped.DSN())
	done := make(chan error)
	go func() {
		_, err := connection.PgConn().Exec(context.Background(), "SELECT pg_sleep(60), '"+id+"'").ReadAll()
		done <- err
	}()
	eventually(t, "the query runs", func() bool { return len(tapped.Statements()) == 1 })
	began := time.Now()
	var err error
	eventually(t, "the query is cancelled", func() bool {
		if err := connection.PgConn().CancelRequest(t.Context()); err != nil {
			t.Error(err)
		}
		select {
		case err = <-done:
			return true
		default:
			return false
		}
	})
	if sqlstate(err) != "57014" || time.Since(began) > 10*time.Second {
		t.Error(err)
	}
	if got := reveal(tapped.Statements()); len(got) != 1 || got[0].SQLState != "57014" {
		t.Errorf("%+v", got)
	}
	if counts := tapped.Counts(); counts.Connections != 1 {
		t.Errorf("a cancel request is no connection: %+v", counts)
	}
}

func TestLargeMessages(t *testing.T) {
	t.Parallel()
	tapped := listen(t, shared.DSN)
	id := marker(t, "large")
	tapped.Watch(secret.New(id))
	connection := connect(t, tapped.DSN())
	const size = 40 << 20
	large := strings.Repeat("0123456789abcdef", size/16)
	var got string
	if err := connection.QueryRow(t.Context(), "SELECT $2::TEXT || $1::TEXT", large, id).Scan(&got); err != nil || got != id+large {
		t.Fatal(len(got), err)
	}
	if err := connection.QueryRow(t.Context(), "SELECT $1::TEXT || $2::TEXT", id, large).Scan(&got); err != nil || got != id+large {
		t.Fatal(len(got), err)
	}
	medium := large[:900<<10]
	if err := connection.QueryRow(t.Context(), "SELECT $2::TEXT || $1::TEXT", medium, id).Scan(&got); err != nil || got != id+medium {
		t.Fatal(len(got), err)
	}
	do(t, connection, "SELECT '"+id+"', '"+large+"'")
	statements := tapped.Statements()
	var lengths []int
	for _, statement := range statements {
		length := statement.Text.Len()
		for _, parameter := range statement.Parameters {
			length += parameter.Len()
		}
		lengths = append(lengths, length>>10)
	}
	// Seen are the heads of the messages over a megabyte; in the first one the id is behind it.
	if diff := cmp.Diff([]int{63, 900, 64}, lengths, cmp.Comparer(func(a, b int) bool { return a-b < 2 && b-a < 2 })); diff != "" {
		t.Error(diff)
	}
}

func TestListenRefuses(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string]string{
		"":                                         "write postgresql://",
		"host=localhost password=s3cr3t":           "write postgresql://",
		"mysql://u:s3cr3t@h/d":                     "write postgresql://",
		"postgresql://u:%zz-s3cr3t@h/d":            "write postgresql://",
		"postgresql://u:s3cr3t@/d":                 "names no host",
		"postgresql://u:s3cr3t@a,b/d":              "several hosts",
		"postgresql://u:s3cr3t@h/d?sslmode=s3cr3t": "an sslmode nobody knows",
		"postgresql://u:s3cr3t@h/d?sslmode=verify-ca&sslrootcert=testdata/nothing": "sslrootcert",
		"postgresql://u:s3cr3t@h/d?sslmode=verify-ca&sslrootcert=tap_test.go":      "no certificate",
		"postgresql://u:s3cr3t@h/d?sslmode=require&sslcert=tap_test.go&sslkey=x":   "sslcert",
	} {
		_, err := Listen(t.Context(), secret.New(dsn))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}

func TestDSNAndEnvironment(t *testing.T) {
	t.Parallel()
	for dsn, want := range map[string]string{
		"postgresql://u:p%40%2Fx@db.example:5433/app?sslmode=verify-full&application_name=a+b&sslrootcert=system&host=elsewhere": "postgresql://u:p%40%2Fx@ADDRESS/app?application_name=a+b&sslmode=disable",
		"postgres://localhost": "postgres://ADDRESS?sslmode=disable",
		"cockroachdb+asyncpg://u@[::1]:26257/app?channel_binding=require": "cockroachdb+asyncpg://u@ADDRESS/app?ssl=disable",
		" postgresql+psycopg2:///app?host=/run/postgresql&user=u\n":       "postgresql+psycopg2://ADDRESS/app?user=u&sslmode=disable",
	} {
		tapped := listen(t, secret.New(dsn))
		if diff := cmp.Diff(strings.ReplaceAll(want, "ADDRESS", tapped.listener.Addr().String()), tapped.DSN().Reveal()); diff != "" {
			t.Error(diff)
		}
	}
	tapped := listen(t, secret.New("postgresql://u:p%40x@localhost/app"))
	got := map[string]string{}
	for name, value := range tapped.Environment() {
		got[name] = value.Reveal()
	}
	_, port, _ := strings.Cut(tapped.listener.Addr().String(), ":")
	if diff := cmp.Diff(map[string]string{"PGHOST": "127.0.0.1", "PGPORT": port, "PGUSER": "u", "PGPASSWORD": "p@x",
		"PGDATABASE": "app", "PGSSLMODE": "disable"}, got); diff != "" {
		t.Error(diff)
	}
}
