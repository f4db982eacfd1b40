package store

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

const (
	token = "3f9a2c7be1d04f5589aa10b2c3d4e5f6"
	asIs  = "3f9a2c7b-e1d0-4f55-89aa-10b2c3d4e5f6"
)

// run executes statements as the administrator.
func run(t *testing.T, s *Store, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if err := s.exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func find(t *testing.T, s *Store, id string, first ...string) []trace.Cell {
	t.Helper()
	cells, err := s.Find(t.Context(), secret.New(id), first)
	if err != nil {
		t.Fatal(err)
	}
	return cells
}

// one wants a single cell.
func one(t *testing.T, s *Store, id string, first ...string) trace.Cell {
	t.Helper()
	cells := find(t, s, id, first...)
	if len(cells) != 1 {
		t.Fatalf("%d cells: %+v", len(cells), cells)
	}
	return cells[0]
}

// sqlText is a string constant of SQL.
func sqlText(value string) string { return "'" + strings.ReplaceAll(value, "'", "''") + "'" }

func TestFindEveryForm(t *testing.T) {
	t.Parallel()
	sum256, sum512, sum5 := sha256.Sum256([]byte(token)), sha512.Sum512([]byte(token)), md5.Sum([]byte(token))
	raw, _ := hex.DecodeString(token)
	secretID := "Zm9v~" + asIs
	type example struct {
		id, kind, stored string
		form             string
		reversible       bool
		within           bool
	}
	tests := map[string]example{
		"raw":                      {token, "TEXT", sqlText(token), "raw", true, false},
		"varchar":                  {token, "VARCHAR(64)", sqlText(token), "raw", true, false},
		"char":                     {token, "CHAR(40)", sqlText(token), "raw", true, false},
		"domain":                   {token, "token_text", sqlText(token), "raw", true, false},
		"quote":                    {"fx7Q'ab12", "TEXT", sqlText("fx7Q'ab12"), "raw", true, false},
		"url-encoded":              {url.QueryEscape("a/b+c=defgh"), "TEXT", sqlText("a/b+c=defgh"), "url-decoded", true, false},
		"express":                  {"s%3A" + token + ".sig%2Bnature", "VARCHAR", sqlText(token), "before the signature", true, false},
		"express, hashed":          {"s%3A" + token + ".sig%2Bnature", "TEXT", sqlText(hex.EncodeToString(sum256[:])), "sha256 hex", false, false},
		"itsdangerous":             {token + ".Zx1c2Q.signature", "TEXT", sqlText(token), "before the signature", true, false},
		"uuid column":              {asIs, "UUID", sqlText(asIs), "raw", true, false},
		"uuid column, upper case":  {strings.ToUpper(asIs), "UUID", sqlText(asIs), "raw", true, false},
		"uuid column, hex":         {token, "UUID", sqlText(asIs), "raw", true, false},
		"uuid column, base64":      {base64.RawURLEncoding.EncodeToString([]byte(asIs)), "UUID", sqlText(asIs), "base64-decoded", true, false},
		"uuid in text":             {asIs, "TEXT", sqlText(token), "uuid without dashes", true, false},
		"base64":                   {base64.StdEncoding.EncodeToString([]byte(secretID)), "TEXT", sqlText(secretID), "base64-decoded", true, false},
		"hex bytes":                {token, "BYTEA", `'\x` + token + `'`, "hex-decoded", true, false},
		"uuid bytes":               {asIs, "BYTEA", `'\x` + token + `'`, "hex-decoded", true, false},
		"text in bytes":            {token, "BYTEA", `'\x` + hex.EncodeToString([]byte(token)) + `'`, "raw", true, false},
		"binary":                   {base64.StdEncoding.EncodeToString(append([]byte{0, 0xff}, raw...)), "BYTEA", `'\x00ff` + token + `'`, "base64-decoded", true, false},
		"md5 hex":                  {token, "CHAR(32)", sqlText(hex.EncodeToString(sum5[:])), "md5 hex", false, false},
		"md5 uuid":                 {token, "UUID", sqlText(hex.EncodeToString(sum5[:])), "md5 hex", false, false},
		"sha256 hex":               {token, "TEXT", sqlText(hex.EncodeToString(sum256[:])), "sha256 hex", false, false},
		"sha256 hex, upper case":   {token, "TEXT", sqlText(strings.ToUpper(hex.EncodeToString(sum256[:]))), "sha256 hex", false, false},
		"sha256 base64":            {token, "TEXT", sqlText(base64.StdEncoding.EncodeToString(sum256[:])), "sha256 base64", false, false},
		"sha512 base64url":         {token, "TEXT", sqlText(base64.RawURLEncoding.EncodeToString(sum512[:])), "sha512 base64url", false, false},
		"sha256 bytes":             {token, "BYTEA", `'\x` + hex.EncodeToString(sum256[:]) + `'`, "sha256 bytes", false, false},
		"sha512 bytes":             {token, "BYTEA", `'\x` + hex.EncodeToString(sum512[:]) + `'`, "sha512 bytes", false, false},
		"prefix":                   {token, "TEXT", sqlText("sess:" + token), "raw", true, true},
		"private id of Rack":       {token, "TEXT", sqlText("2::" + hex.EncodeToString(sum256[:])), "sha256 hex", false, true},
		"json":                     {token, "JSON", sqlText(`{"a": {"b": ["` + token + `"]}}`), "raw", true, true},
		"jsonb, hashed":            {token, "JSONB", sqlText(`{"a": {"b": ["` + hex.EncodeToString(sum256[:]) + `"]}}`), "sha256 hex", false, true},
		"jsonb, quote":             {`a"b\c<d>'e`, "JSONB", sqlText(`{"a": "a\"b\\c<d>'e"}`), "raw", true, true},
		"array":                    {token, "TEXT[]", sqlText("{other," + token + "}"), "raw", true, true},
		"uuid array":               {token, "UUID[]", sqlText("{" + asIs + "}"), "uuid with dashes", true, true},
		"inside bytes":             {token, "BYTEA", `'\x80049528` + hex.EncodeToString([]byte(token)) + `'`, "raw", true, true},
		"like patterns are no id":  {"100%_sure", "TEXT", sqlText("x 100%_sure y"), "raw", true, true},
		"short id in an id column": {"x", "TEXT", sqlText("x"), "raw", true, false},
	}
	s := fresh(t)
	run(t, s, "CREATE DOMAIN token_text AS TEXT CHECK (length(VALUE) > 3)")
	tables := map[string]string{}
	for name, test := range tests {
		tables[name] = fmt.Sprintf("sessions_%d", len(tables))
		run(t, s, fmt.Sprintf("CREATE TABLE %s (n INT PRIMARY KEY, sid %s, note TEXT)", tables[name], test.kind),
			fmt.Sprintf("INSERT INTO %s VALUES (1, NULL, NULL), (2, %s, 'mine'), (3, NULL, 'x')", tables[name], test.stored))
	}
	check := func(t *testing.T, name string) {
		test := tests[name]
		cell := one(t, s, test.id, tables[name])
		if cell.Column != "sid" || cell.Form != test.form || cell.Reversible != test.reversible || cell.Within != test.within {
			t.Errorf("%+v", cell)
		}
		if cell.Row.Table != tables[name] || len(cell.Row.Columns) != 3 || cell.Row.Columns[2].Value.Reveal() != "mine" || cell.Row.Columns[0].Value.Reveal() != "2" {
			t.Errorf("row %+v", cell.Row)
		}
		if cells := find(t, s, "different"+test.id, tables[name]); len(cells) != 0 {
			t.Errorf("found another id: %+v", cells)
		}
	}
	for name := range tests {
		check(t, name)
	}
	for name, test := range tests { // the same by index
		if !strings.Contains(test.kind, "JSON") && !strings.Contains(test.kind, "[]") {
			run(t, s, "CREATE INDEX ON "+tables[name]+" (sid)")
		}
	}
	s.schema.at = time.Time{}
	for name := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, name)
		})
	}
}

// plain shows a row's values.
func plain(row trace.Row) map[string]string {
	values := map[string]string{}
	for _, column := range row.Columns {
		values[column.Name] = column.Role + ":" + column.Value.Reveal()
		if column.Null {
			values[column.Name] = column.Role + ":NULL"
		}
	}
	return values
}

func TestFindReturnsTheRow(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	run(t, s, `CREATE TABLE sessions (id UUID PRIMARY KEY, token_hash BYTEA UNIQUE, "userId" TEXT, created_at TIMESTAMPTZ, "lastSeenAt" TIMESTAMP,
		expires BIGINT, revoked BOOL, data JSONB)`,
		`INSERT INTO sessions VALUES ('`+asIs+`', sha256('secret-token'), 'alice', '2026-01-02 03:04:05.678+02', NULL, 1767323045, false, '{"cart": [1]}')`)
	cell := one(t, s, "secret-token", "SESSIONS", "missing")
	sum := sha256.Sum256([]byte("secret-token"))
	want := map[string]string{"id": ":" + asIs, "token_hash": "id:" + hex.EncodeToString(sum[:]), "userId": "user:alice", "created_at": "created:2026-01-02 01:04:05.678+00",
		"lastSeenAt": "seen:NULL", "expires": "expires:1767323045", "revoked": ":false", "data": `data:{"cart": [1]}`}
	if diff := cmp.Diff(want, plain(cell.Row)); diff != "" {
		t.Error(diff)
	}
}

func TestFindAsksNamedTablesFirst(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	run(t, s, `CREATE SCHEMA "Auth Stuff"`, `CREATE TABLE "Auth Stuff".sessions (sid TEXT PRIMARY KEY)`, "CREATE TABLE copies (sid TEXT)", "CREATE TABLE users (name TEXT)",
		`INSERT INTO "Auth Stuff".sessions VALUES ('`+token+`')`, "INSERT INTO copies VALUES ('"+token+"'), ('only in copies')")
	for _, name := range []string{"sessions", "SESSIONS", `"Auth Stuff"."sessions"`, "Auth Stuff.sessions", `app."Auth Stuff".sessions`} {
		if cell := one(t, s, token, "users", name); cell.Row.Table != `"Auth Stuff".sessions` {
			t.Errorf("%s: %s", name, cell.Row.Table)
		}
	}
	if cells := find(t, s, token, "users"); len(cells) != 1 || cells[0].Row.Table != `"Auth Stuff".sessions` {
		// By the index of the session table; nothing was scanned.
		t.Errorf("%+v", cells)
	}
	if cell := one(t, s, "only in copies", "users", "sessions"); cell.Row.Table != "copies" {
		t.Errorf("%+v", cell)
	}
}

func TestHostileNames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{`quo"te`, `semi; DROP TABLE users; --`, "sp ace", "tab\tline\nfeed", "ünï码", "select", "a.b", "{column}", "$1", `back\slash`, "'", "c0", "haystack", "s", strings.Repeat("x", 63)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := fresh(t)
			at := quoted(name)
			run(t, s, "CREATE SCHEMA "+at, fmt.Sprintf("CREATE TABLE %s.%s (%s TEXT, id TEXT PRIMARY KEY, expires_at TIMESTAMPTZ, %s TEXT)", at, at, at, quoted(name[:min(len(name), 20)]+"2")))
			run(t, s, fmt.Sprintf("INSERT INTO %s.%s VALUES ('note', '%s', now(), 'in another-session-id')", at, at, token))
			cell := one(t, s, token, name)
			if cell.Column != "id" || len(cell.Row.Columns) != 4 {
				t.Errorf("%+v", cell)
			}
			if within := one(t, s, "another-session-id", name); cell.Row.Table != within.Row.Table {
				t.Errorf("%+v", within)
			}
			if strings.ContainsAny(cell.Row.Table, "\n\t") {
				t.Errorf("table %q", cell.Row.Table)
			}
			if err := s.Age(t.Context(), cell.Row, time.Hour, Times(cell.Row)...); err != nil {
				t.Error(err)
			}
			if err := s.Delete(t.Context(), cell.Row); err != nil {
				t.Error(err)
			}
			if err := s.Restore(t.Context(), cell.Row); err != nil {
				t.Error(err)
			}
			again, exists, err := s.Row(t.Context(), cell)
			if diff := cmp.Diff(plain(cell.Row), plain(again)); err != nil || !exists || diff != "" {
				t.Errorf("%v %t %s", err, exists, diff)
			}
		})
	}
}

func TestTables(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	run(t, s, "CREATE TABLE sessions (tenant INT, sid TEXT, expires_at TIMESTAMPTZ, doubled INT GENERATED ALWAYS AS (tenant * 2) STORED, mood TEXT, PRIMARY KEY (sid, tenant) INCLUDE (mood))",
		"CREATE INDEX ON sessions (mood) WHERE mood IS NOT NULL", "CREATE INDEX ON sessions (lower(mood))", "CREATE INDEX ON sessions (expires_at, tenant)",
		"CREATE VIEW shown AS SELECT * FROM sessions", "CREATE MATERIALIZED VIEW kept AS SELECT * FROM sessions",
		"CREATE TABLE parted (sid TEXT, at DATE) PARTITION BY RANGE (at)", "CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
		"CREATE TEMP TABLE passing (sid TEXT)", "INSERT INTO parted VALUES ('"+token+"', '2026-05-05')")
	tables, err := s.Tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []Table{
		{Schema: "public", Name: "parted", Columns: []TableColumn{{Name: "sid", Type: "text", Role: "id"}, {Name: "at", Type: "date"}}},
		{Schema: "public", Name: "sessions", Key: []string{"sid", "tenant"}, Columns: []TableColumn{{Name: "tenant", Type: "int4"}, {Name: "sid", Type: "text", Role: "id", Indexed: true},
			{Name: "expires_at", Type: "timestamptz", Role: "expires", Indexed: true}, {Name: "doubled", Type: "int4", computed: true}, {Name: "mood", Type: "text"}}},
	}
	if diff := cmp.Diff(want, tables, cmp.AllowUnexported(TableColumn{}), cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if cell := one(t, s, token); cell.Row.Table != "parted" {
		t.Errorf("%+v", cell)
	}
}

func TestNewAndDroppedTables(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	run(t, s, "CREATE TABLE old (sid TEXT PRIMARY KEY)", "CREATE TABLE sessions (sid TEXT PRIMARY KEY, note TEXT)", "INSERT INTO old VALUES ('"+token+"')")
	one(t, s, token)
	run(t, s, "DROP TABLE old", "CREATE TABLE new (session_key TEXT PRIMARY KEY)", "INSERT INTO new VALUES ('"+token+"')")
	if cell := one(t, s, token, "old", "new"); cell.Row.Table != "new" {
		t.Errorf("%+v", cell)
	}
	run(t, s, "DROP TABLE new", "ALTER TABLE sessions DROP COLUMN note", "ALTER TABLE sessions RENAME COLUMN sid TO id", "INSERT INTO sessions VALUES ('"+token+"')")
	cell := one(t, s, token, "sessions")
	run(t, s, "DROP TABLE sessions")
	if _, exists, err := s.Row(t.Context(), cell); exists || err != nil {
		t.Errorf("%t %v", exists, err)
	}
	if cells := find(t, s, token, "sessions"); len(cells) != 0 {
		t.Errorf("%+v", cells)
	}
}

// limited opens a database as a user without any privilege.
func limited(t *testing.T, admin *Store) (user string, s *Store) {
	t.Helper()
	user = unique("limited")
	run(t, admin, "CREATE USER "+user+" WITH PASSWORD 'pw'")
	return user, open(t, dsn(t, func(u *url.URL) {
		u.User, u.Path = url.UserPassword(user, "pw"), "/"+admin.config.Database
	}))
}

func TestWithoutPermission(t *testing.T) {
	t.Parallel()
	admin := fresh(t)
	run(t, admin, "CREATE TABLE users (name TEXT)", "CREATE TABLE sessions (sid TEXT PRIMARY KEY, expires_at TIMESTAMPTZ)", "INSERT INTO sessions VALUES ('"+token+"', now())")
	user, s := limited(t, admin)
	_, err := s.Find(t.Context(), secret.New(token), []string{"sessions"})
	wantError(t, err, "the table sessions may not be read; grant SELECT on it", "1 more")
	if !errors.Is(err, ErrIncomplete) {
		t.Errorf("%v", err)
	}

	run(t, admin, "GRANT INSERT ON sessions TO "+user) // its columns are visible now
	s.schema.at = time.Time{}
	_, err = s.Find(t.Context(), secret.New(token), []string{"sessions"})
	wantError(t, err, "the table sessions could not be read: its user has no permission")

	run(t, admin, "GRANT SELECT ON sessions TO "+user)
	s.schema.at = time.Time{}
	cell := one(t, s, token, "sessions")
	for name, act := range map[string]error{
		"touched":  s.Touch(t.Context(), cell.Row),
		"aged":     s.Age(t.Context(), cell.Row, time.Hour, Times(cell.Row)...),
		"deleted":  s.Delete(t.Context(), cell.Row),
		"put back": s.Restore(t.Context(), cell.Row),
	} {
		wantError(t, act, "the row of sessions cannot be "+name+": its user has no permission")
	}
	run(t, admin, "DELETE FROM sessions")
	if cells := find(t, s, token, "sessions"); len(cells) != 0 { // users is a gap, but ids live in sessions
		t.Errorf("%+v", cells)
	}
}

func TestShortIDs(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	run(t, s, "CREATE TABLE sessions (sid TEXT, note TEXT PRIMARY KEY, data JSONB)", `INSERT INTO sessions VALUES ('ab', 'x', '{"x": "x"}'), ('x', 'y', NULL)`)
	if cell := one(t, s, "x"); cell.Column != "sid" || cell.Row.Columns[1].Value.Reveal() != "y" {
		t.Errorf("%+v", cell)
	}
	if cells := find(t, s, "y"); len(cells) != 0 {
		t.Errorf("%+v", cells)
	}
	if cells := find(t, s, ""); len(cells) != 0 {
		t.Errorf("%+v", cells)
	}
}

func TestRowsAreBounded(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	var columns []string
	for i := range 60 {
		columns = append(columns, fmt.Sprintf("c%d TEXT DEFAULT repeat('é', 5000)", i))
	}
	run(t, s, "CREATE TABLE sessions ("+strings.Join(columns, ",")+", sid TEXT, expires_at TIMESTAMPTZ, n SERIAL PRIMARY KEY)",
		"INSERT INTO sessions (sid) SELECT '"+token+"' FROM generate_series(1, 30)", "CREATE INDEX ON sessions (sid)")
	cells := find(t, s, token)
	if len(cells) != foundRows {
		t.Errorf("%d cells", len(cells))
	}
	row := cells[0].Row
	if len(row.Columns) != shownColumns {
		t.Errorf("%d columns", len(row.Columns))
	}
	for _, role := range []string{"id", "expires"} {
		if _, has := row.With(role); !has {
			t.Errorf("no column with role %s", role)
		}
	}
	if value := row.Columns[0].Value.Reveal(); len(value) != shownLength || strings.Trim(value, "é") != "" {
		t.Errorf("%d bytes", len(value))
	}
	if _, exists, err := s.Row(t.Context(), cells[0]); !exists || err != nil {
		t.Errorf("%t %v", exists, err)
	}
	// Behind the limit of a value nothing is found, and that is no error.
	run(t, s, "CREATE TABLE notes (text TEXT)", "INSERT INTO notes VALUES (repeat(' ', 65530) || 'behind-the-limit'), (repeat(' ', 65500) || 'before-the-limit')")
	if cells := find(t, s, "behind-the-limit"); len(cells) != 0 {
		t.Errorf("%+v", cells)
	}
	if cell := one(t, s, "before-the-limit"); !cell.Within {
		t.Errorf("%+v", cell)
	}
}

func TestFindIsInterrupted(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	run(t, s, "CREATE TABLE sessions (sid TEXT PRIMARY KEY)", "INSERT INTO sessions VALUES ('"+token+"')")
	one(t, s, token)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Find(ctx, secret.New(token), nil)
	wantError(t, err, "interrupted")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	one(t, s, token) // on a new connection
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = s.Find(t.Context(), secret.New(token), nil)
	wantError(t, err, "the connection to the database was closed")
}

func TestLockedTableIsADoubt(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	run(t, s, "CREATE TABLE sessions (sid TEXT PRIMARY KEY)", "INSERT INTO sessions VALUES ('"+token+"')", "BEGIN", "LOCK TABLE sessions")
	began := time.Now()
	_, err := s.Find(t.Context(), secret.New(token), nil)
	wantError(t, err, "the table sessions could not be read: that took longer than 3 seconds")
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("took %s", took)
	}
	run(t, s, "COMMIT")
	one(t, s, token)
}

func TestStoreThatDied(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	run(t, s, "CREATE TABLE sessions (sid TEXT PRIMARY KEY)", "INSERT INTO sessions VALUES ('"+token+"')")
	one(t, s, token)
	admin := open(t, server.DSN)
	run(t, admin, "ALTER DATABASE "+s.config.Database+" ALLOW_CONNECTIONS false",
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '"+s.config.Database+"'")
	_, err := s.Find(t.Context(), secret.New(token), nil)
	wantError(t, err, "the database cannot be reached")
}

func TestLostConnectionIsOpenedAgain(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	run(t, s, "CREATE TABLE sessions (sid TEXT PRIMARY KEY)", "INSERT INTO sessions VALUES ('"+token+"')")
	one(t, s, token)
	run(t, s, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
	one(t, s, token)
}

func TestErrorsOfTheStoreShowNoValues(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	run(t, s, "CREATE TABLE sessions (sid TEXT PRIMARY KEY, expires_at TIMESTAMPTZ, data TEXT)",
		`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no: % %', OLD.sid, OLD.data; END $$`,
		"INSERT INTO sessions VALUES ('"+token+"', now(), 'row-canary')", "CREATE TRIGGER refuse BEFORE UPDATE OR DELETE ON sessions FOR EACH ROW EXECUTE FUNCTION refuse()")
	cell := one(t, s, token)
	for _, err := range []error{s.Touch(t.Context(), cell.Row), s.Age(t.Context(), cell.Row, time.Hour, Times(cell.Row)...), s.Delete(t.Context(), cell.Row), s.Restore(t.Context(), cell.Row)} {
		wantError(t, err, "the row of sessions cannot be", "SQLSTATE P0001")
		for layer := err; layer != nil; layer = errors.Unwrap(layer) {
			if shown := fmt.Sprintf("%v %+v %#v", layer, layer, layer); strings.Contains(shown, token) || strings.Contains(shown, "canary") {
				t.Errorf("shows a value: %s", shown)
			}
		}
	}
}
