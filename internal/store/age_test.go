package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/trace"
)

// dump is a table byte for byte, as the server itself tells it.
func dump(t *testing.T, s *Store, table string) string {
	t.Helper()
	return value(t, s, "SELECT coalesce(string_agg(x::TEXT, E'\\n' ORDER BY x::TEXT), '') FROM "+table+" AS x")
}

func TestAgeAndRestoreEveryTime(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		column, stored string
		member         []string
		aged           string // after an hour
		set            string // to 2020-02-03 04:05:06.789 UTC
	}{
		"timestamptz":         {"expires_at TIMESTAMPTZ", "2026-01-02 03:04:05.678901+02", nil, "2026-01-02 00:04:05.678901+00", "2020-02-03 04:05:06.789+00"},
		"timestamptz, whole":  {"expires_at TIMESTAMPTZ", "2026-01-02 00:30:00+00", nil, "2026-01-01 23:30:00+00", "2020-02-03 04:05:06+00"},
		"timestamptz(3)":      {"expires_at TIMESTAMPTZ(3)", "2026-01-02 03:04:05.678+00", nil, "2026-01-02 02:04:05.678+00", "2020-02-03 04:05:06.789+00"},
		"timestamp":           {"expires_at TIMESTAMP", "2026-01-02 03:04:05.5", nil, "2026-01-02 02:04:05.5", "2020-02-03 04:05:06.7"},
		"date":                {"expires_on DATE", "2026-01-02", nil, "2026-01-01", "2020-02-03"},
		"seconds":             {"expires BIGINT", "1767323045", nil, "1767319445", "1580702706"},
		"seconds in int4":     {"expires INT", "1767323045", nil, "1767319445", "1580702706"},
		"milliseconds":        {"expires BIGINT", "1767323045123", nil, "1767319445123", "1580702706789"},
		"seconds in numeric":  {"expires NUMERIC", "1767323045.120", nil, "1767319445.120", "1580702706.789"},
		"seconds in float":    {"expires DOUBLE PRECISION", "1767323045.5", nil, "1767319445.5", "1580702706.7"},
		"ISO in text":         {"expires TEXT", "2026-01-02T03:04:05.100Z", nil, "2026-01-02T02:04:05.100Z", "2020-02-03T04:05:06.789Z"},
		"ISO with zone":       {"expires VARCHAR", "2026-01-02T03:04:05+0530", nil, "2026-01-02T02:04:05+0530", "2020-02-03T09:35:06+0530"},
		"seconds in text":     {"expires TEXT", "1767323045", nil, "1767319445", "1580702706"},
		"jsonb seconds":       {"data JSONB", `{"exp": 1767323045, "n": [1, {"exp": 5}], "user": "a\"é"}`, []string{"exp"}, `{"n": [1, {"exp": 5}], "exp": 1767319445, "user": "a\"é"}`, ""},
		"jsonb milliseconds":  {"data JSONB", `{"a": {"lastAccess": 1767323045123}}`, []string{"a", "lastAccess"}, `{"a": {"lastAccess": 1767319445123}}`, ""},
		"json of connect":     {"sess JSON", `{ "cookie":{"originalMaxAge":1000,"expires":"2026-01-02T03:04:05.000Z"}, "expires":null}`, []string{"cookie", "expires"}, `{ "cookie":{"originalMaxAge":1000,"expires":"2026-01-02T02:04:05.000Z"}, "expires":null}`, ""},
		"json in text":        {"data TEXT", ` {"iat":1767323045.25}`, []string{"iat"}, ` {"iat":1767319445.25}`, ""},
		"json in bytes":       {"data BYTEA", `\x7b22657870223a20313736373332333034357d`, []string{"exp"}, `\x7b22657870223a20313736373331393434357d`, ""},
		"python's isoformat":  {"expires TEXT", "2026-01-02T03:04:05.123456+00:00", nil, "2026-01-02T02:04:05.123456+00:00", "2020-02-03T04:05:06.789000+00:00"},
		"domain of timestamp": {"expires moment", "2026-01-02 03:04:05+00", nil, "2026-01-02 02:04:05+00", "2020-02-03 04:05:06+00"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := fresh(t)
			column, _, _ := strings.Cut(test.column, " ")
			run(t, s, "CREATE DOMAIN moment AS TIMESTAMPTZ NOT NULL", "CREATE TABLE sessions (sid TEXT PRIMARY KEY, "+test.column+", note TEXT)",
				"INSERT INTO sessions VALUES ('"+token+"', "+sqlText(test.stored)+", 'kept'), ('other', "+sqlText(test.stored)+", 'kept')")
			before := dump(t, s, "sessions")
			cell := one(t, s, token)
			times := Times(cell.Row)
			at := slices.IndexFunc(times, func(one Time) bool { return one.Column == column && slices.Equal(one.Member, test.member) })
			if at < 0 {
				t.Fatalf("times %+v of %v", times, plain(cell.Row))
			}
			check := func(want string) {
				t.Helper()
				row, exists, err := s.Row(t.Context(), cell)
				if err != nil || !exists {
					t.Fatal(exists, err)
				}
				got := row.Columns[1].Value.Reveal()
				if row.Columns[1].Type == "bytea" {
					got = `\x` + got
				}
				if got != want || row.Columns[2].Value.Reveal() != "kept" {
					t.Errorf("%s, want %s", got, want)
				}
				if strings.Count(dump(t, s, "sessions"), "other") != 1 {
					t.Error("the other row changed")
				}
			}
			if err := s.Age(t.Context(), cell.Row, time.Hour, times[at]); err != nil {
				t.Fatal(err)
			}
			check(test.aged)
			if test.set != "" {
				if err := s.SetTime(t.Context(), cell.Row, time.Date(2020, 2, 3, 4, 5, 6, 789e6, time.UTC), times[at]); err != nil {
					t.Fatal(err)
				}
				check(test.set)
			}
			for _, also := range []string{"", "DELETE FROM sessions WHERE note = 'kept' AND sid <> 'other'"} {
				if also != "" {
					if err := s.Age(t.Context(), cell.Row, time.Hour, times[at]); err != nil {
						t.Fatal(err)
					}
					run(t, s, also)
				}
				if err := s.Restore(t.Context(), cell.Row); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(before, dump(t, s, "sessions")); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestAgeSeveralTimesInOneStatement(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	run(t, s, "CREATE TABLE sessions (sid TEXT PRIMARY KEY, last_seen TIMESTAMPTZ, updated_at TIMESTAMPTZ, data JSONB, writes INT DEFAULT 0)",
		`INSERT INTO sessions VALUES ('`+token+`', '2026-01-02 03:00:00+00', '2026-01-02 03:00:00+00', '{"last_seen": 1767322800, "last_access": "2026-01-02T03:00:00Z"}')`,
		`CREATE FUNCTION bump() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.writes = OLD.writes + 1; RETURN NEW; END $$`,
		"CREATE TRIGGER count BEFORE UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION bump()")
	cell := one(t, s, token)
	if err := s.Age(t.Context(), cell.Row, 90*time.Minute, Times(cell.Row)...); err != nil {
		t.Fatal(err)
	}
	if got, want := dump(t, s, "sessions"), `(`+token+`,"2026-01-02 01:30:00+00","2026-01-02 03:00:00+00","{""last_seen"": 1767317400, ""last_access"": ""2026-01-02T01:30:00Z""}",1)`; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	// A trigger that writes on every update makes it impossible to put back.
	wantError(t, s.Restore(t.Context(), cell.Row), "the row of sessions cannot be put back", "changed writes meanwhile")
}

// odd has a column of every kind that PostgreSQL prints in its own way.
const odd = `CREATE TYPE mood AS ENUM ('sad', 'ha''ppy');
CREATE TYPE pair AS (a INT, b TEXT);
CREATE TABLE sessions (
	n BIGINT GENERATED ALWAYS AS IDENTITY, sid VARCHAR PRIMARY KEY, expires_at TIMESTAMPTZ, doubled TEXT GENERATED ALWAYS AS (upper(sid)) STORED,
	a1 BOOL, a2 INT2, a3 INT8, a4 REAL, a5 DOUBLE PRECISION, a6 NUMERIC, a7 MONEY, a8 CHAR(9), a9 NAME, a10 "char", a11 BYTEA, a12 DATE,
	a13 TIME, a14 TIMETZ, a15 TIMESTAMP, a16 INTERVAL, a17 UUID, a18 INET, a19 CIDR, a20 MACADDR, a21 JSON, a22 JSONB, a23 XML, a24 TEXT[], a25 INT[][],
	a26 mood, a27 mood[], a28 pair, a29 INT4RANGE, a30 TSTZRANGE, a31 BIT(5), a32 VARBIT, a33 POINT, a34 TSVECTOR, a35 BYTEA[], a36 OID, a37 TEXT, a38 TIMESTAMPTZ, a39 DOUBLE PRECISION, a40 TEXT);
INSERT INTO sessions VALUES (DEFAULT, '` + token + `', now(), DEFAULT,
	true, -7, 9223372036854775807, 0.1, 0.30000000000000004, 1.100, 12.34, 'abc', 'name', 'x', '\x00ff27', '2026-02-03',
	'04:05:06.7', '04:05:06+02', 'infinity', '-1 year 2 mons -3 days 04:05:06.789', gen_random_uuid(), '::1/64', '10.0.0.0/8', '08:00:2b:01:02:03', '{"b":1, "a": [ ] }', '{"b":1,"a":2}', '<a>é</a>',
	ARRAY['a,b', NULL, '"', '\'], '{{1,2},{3,4}}', 'ha''ppy', '{sad}', ROW(1, 'x,"y'), '[1,5)', '["2026-01-01 00:00+00",)', '10101', '1', '(1,2)', 'a:1 fat:2', ARRAY['\x00'::BYTEA], 42, E'line\n\ttab \\ ''q'' é', '0044-03-15 00:00:00+00 BC', 'NaN', '');`

func TestRestoreEveryType(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	run(t, s, odd)
	before := dump(t, s, "sessions")
	cell := one(t, s, token)
	for name, change := range map[string]func() error{
		"touched": func() error { return s.Touch(t.Context(), cell.Row) },
		"aged":    func() error { return s.Age(t.Context(), cell.Row, time.Hour, Times(cell.Row)...) },
		"deleted": func() error { return s.Delete(t.Context(), cell.Row) },
		"changed by the API": func() error {
			if err := s.Touch(t.Context(), cell.Row); err != nil {
				return err
			}
			return s.exec(t.Context(), "UPDATE sessions SET a1 = NULL, a11 = NULL, a26 = 'sad', a37 = 'other', a40 = NULL, a5 = 1")
		},
	} {
		if err := change(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if same := dump(t, s, "sessions") == before; same != (name == "touched") {
			t.Errorf("%s: %t", name, same)
		}
		for range 2 {
			if err := s.Restore(t.Context(), cell.Row); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if diff := cmp.Diff(before, dump(t, s, "sessions")); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
}

func TestOnlyFoundRowsAreChanged(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	run(t, s, "CREATE TABLE sessions (sid TEXT PRIMARY KEY, expires_at TIMESTAMPTZ)", "INSERT INTO sessions VALUES ('"+token+"', now()), ('somebody else''s', now())")
	before := dump(t, s, "sessions")
	cell := one(t, s, token)
	stranger := trace.Row{Table: "sessions", Columns: slices.Clone(cell.Row.Columns)}
	stranger.Columns[0].Value = secretText("somebody else's")
	for _, row := range []trace.Row{stranger, {Table: "missing"}, {Table: "sessions"}, {}} {
		for _, err := range []error{s.Touch(t.Context(), row), s.Age(t.Context(), row, 1, Times(row)...), s.SetTime(t.Context(), row, time.Now(), Times(row)...), s.Delete(t.Context(), row), s.Restore(t.Context(), row)} {
			wantError(t, err, "the row of "+row.Table+" cannot be")
		}
	}
	wantError(t, s.Touch(t.Context(), stranger), "only rows in which this run found a session id are changed")
	wantError(t, s.Age(t.Context(), cell.Row, time.Hour), "no time of it was named")
	wantError(t, s.Age(t.Context(), cell.Row, time.Hour, Time{Column: "sid"}), "its column sid cannot be set")
	wantError(t, s.Age(t.Context(), cell.Row, time.Hour, Time{Column: "nothing"}), "its column nothing cannot be set")
	wantError(t, s.Age(t.Context(), cell.Row, time.Hour, Time{Column: "expires_at", Member: []string{"a"}}), "its column expires_at holds no time there any more")
	if diff := cmp.Diff(before, dump(t, s, "sessions")); diff != "" {
		t.Error(diff)
	}
}

func TestGoneRows(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	run(t, s, "CREATE TABLE sessions (sid TEXT PRIMARY KEY, expires_at TIMESTAMPTZ)", "INSERT INTO sessions VALUES ('"+token+"', now())")
	cell := one(t, s, token)
	run(t, s, "DELETE FROM sessions")
	if _, exists, err := s.Row(t.Context(), cell); exists || err != nil {
		t.Errorf("%t %v", exists, err)
	}
	for _, err := range []error{s.Touch(t.Context(), cell.Row), s.Age(t.Context(), cell.Row, 1, Times(cell.Row)...), s.Delete(t.Context(), cell.Row)} {
		wantError(t, err, "the row of sessions cannot be", "the row is gone")
		if !errors.Is(err, ErrGone) {
			t.Errorf("%v", err)
		}
	}
	if err := s.Restore(t.Context(), cell.Row); err != nil { // nothing of it was changed
		t.Error(err)
	}
}

func TestTablesWithoutPrimaryKey(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	run(t, s, "CREATE TABLE sessions (token TEXT, sid TEXT, expires_at TIMESTAMPTZ)", "INSERT INTO sessions VALUES ('t', '"+token+"', '2026-01-01'), ('t', 'other', now())",
		"CREATE TABLE notes (body TEXT)", "INSERT INTO notes VALUES ('see session-in-a-note'), ('see session-in-a-note')")
	cell := one(t, s, token)
	before := dump(t, s, "sessions")
	if err := s.Delete(t.Context(), cell.Row); err != nil {
		t.Fatal(err)
	}
	if err := s.Restore(t.Context(), cell.Row); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, dump(t, s, "sessions")); diff != "" {
		t.Error(diff)
	}
	run(t, s, "INSERT INTO sessions VALUES ('t', '"+token+"', now())")
	wantError(t, s.Touch(t.Context(), cell.Row), "several rows hold the value by which it was found; give the table a primary key")
	_, _, err := s.Row(t.Context(), cell)
	wantError(t, err, "the row of sessions cannot be read: several rows hold the value")
	// Equal rows are one place.
	note := one(t, s, "session-in-a-note")
	wantError(t, s.Touch(t.Context(), note.Row), "the table notes has no primary key that can be read")
}

func TestRowAndDiff(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	run(t, s, "CREATE TABLE sessions (n INT, sid TEXT, user_id TEXT, last_seen TIMESTAMPTZ, note TEXT, PRIMARY KEY (sid, n))",
		"INSERT INTO sessions VALUES (1, '"+token+"', NULL, '2026-01-01', 'x'), (2, '"+token+"', 'bob', '2026-01-01', 'x')")
	cells := find(t, s, token)
	if len(cells) != 2 {
		t.Fatalf("%d cells", len(cells))
	}
	cell := cells[slices.IndexFunc(cells, func(c trace.Cell) bool { return c.Row.Columns[0].Value.Reveal() == "1" })]
	run(t, s, "UPDATE sessions SET user_id = 'alice', last_seen = '2026-01-02', note = NULL WHERE n = 1")
	after, exists, err := s.Row(t.Context(), cell)
	if err != nil || !exists {
		t.Fatal(exists, err)
	}
	var told []string
	for _, change := range Diff(cell.Row, after) {
		told = append(told, fmt.Sprintf("%s (%s) %s/%t → %s/%t", change.Column, change.Role, change.From.Reveal(), change.FromNull, change.To.Reveal(), change.ToNull))
	}
	want := []string{"user_id (user) /true → alice/false", "last_seen (seen) 2026-01-01 00:00:00+00/false → 2026-01-02 00:00:00+00/false", "note () x/false → /true"}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Error(diff)
	}
	if changes := Diff(after, after); len(changes) != 0 {
		t.Errorf("%+v", changes)
	}
}

func TestTooLargeToPutBack(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	run(t, s, "CREATE TABLE sessions (sid TEXT PRIMARY KEY, data BYTEA)", "INSERT INTO sessions VALUES ('"+token+"', convert_to(repeat('x', 1100000), 'UTF8'))")
	cell := one(t, s, token)
	wantError(t, s.Touch(t.Context(), cell.Row), "its column data is too large to be put back afterwards")
}
