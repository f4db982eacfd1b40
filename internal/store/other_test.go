package store

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

func secretText(value string) secret.Text { return secret.New(value) }

func TestLostRacesAreRepeated(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]int{"40001": attempts, "40003": attempts, "CR000": attempts, "40P01": 1, "23505": 1} {
		sent := 0
		err := repeat(t.Context(), func() error { sent++; return &pgconn.PgError{Code: code} })
		if sent != want || !is(err, code) {
			t.Errorf("%s: sent %d times, %v", code, sent, err)
		}
	}
	sent := 0
	if err := repeat(t.Context(), func() error {
		if sent++; sent < 3 {
			return &pgconn.PgError{Code: "40001"}
		}
		return nil
	}); err != nil || sent != 3 {
		t.Errorf("%d %v", sent, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := repeat(ctx, func() error { cancel(); return &pgconn.PgError{Code: "40001"} })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// A real lost race: the server itself says 40001 until the other transaction
// is over.
func TestSerializationFailureIsRepeated(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	run(t, s, "CREATE TABLE sessions (sid TEXT PRIMARY KEY, expires_at TIMESTAMPTZ)", "CREATE SEQUENCE tries", "INSERT INTO sessions VALUES ('"+token+"', '2026-01-01')",
		`CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF nextval('public.tries') < 3 THEN RAISE EXCEPTION 'lost' USING ERRCODE = '40001'; END IF; RETURN NEW; END $$`,
		"CREATE TRIGGER lose BEFORE UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION lose()")
	cell := one(t, s, token)
	if err := s.Age(t.Context(), cell.Row, time.Hour, Times(cell.Row)...); err != nil {
		t.Fatal(err)
	}
	if got := value(t, s, "SELECT last_value || ' ' || (expires_at = '2025-12-31 23:00:00')::TEXT FROM tries, sessions"); got != "3 true" {
		t.Error(got)
	}
}

func TestMoments(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]string{"": "", "1763900000000000000.0000000000": " AS OF SYSTEM TIME '1763900000000000000.0000000000'"} {
		if got, err := asOf(at); got != want || err != nil {
			t.Errorf("%q: %q %v", at, got, err)
		}
	}
	for _, at := range []string{"now", "-1us", "1763900000000000000", "1763900000000000000.000000000", "1763900000000000000.0000000000'; --", "1763900000000000000.0000000000\n", "１763900000000000000.0000000000"} {
		if got, err := asOf(at); err == nil {
			t.Errorf("%q: %q", at, got)
		}
	}
	s := fresh(t)
	if at, err := s.Now(t.Context()); at != "" || err != nil {
		t.Errorf("PostgreSQL has the moment %q, %v", at, err)
	}
	if _, err := s.FindAt(t.Context(), "yesterday", secret.New(token), nil); err == nil {
		t.Error("found at no moment")
	}
	_, err := s.FindAt(t.Context(), "1763900000000000000.0000000000", secret.New(token), nil)
	wantError(t, err, "PostgreSQL keeps no old rows")
	if _, _, err := s.RowAt(t.Context(), "yesterday", trace.Cell{}); err == nil {
		t.Error("read at no moment")
	}
}

func TestTTL(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options []string
		want    TTL
	}{
		"none":          {[]string{"schema_locked=true", "fillfactor=70"}, TTL{Options: map[string]string{}}},
		"interval":      {[]string{"ttl='on'", "ttl_expire_after='00:10:00':::INTERVAL", "ttl_select_batch_size=10"}, TTL{On: true, ExpireAfter: "00:10:00", Options: map[string]string{"ttl": "on", "ttl_expire_after": "00:10:00", "ttl_select_batch_size": "10"}}},
		"expression":    {[]string{"ttl='on'", "ttl_expiration_expression='expires_at + ''1 h'''", "ttl_job_cron='@hourly'", "ttl_pause=true"}, TTL{On: true, Paused: true, Expression: "expires_at + '1 h'", Schedule: "@hourly", Options: map[string]string{"ttl": "on", "ttl_expiration_expression": "expires_at + '1 h'", "ttl_job_cron": "@hourly", "ttl_pause": "true"}}},
		"named like it": {[]string{"ttlx='on'"}, TTL{Options: map[string]string{}}},
	} {
		if diff := cmp.Diff(test.want, ttlOf(test.options)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	s := fresh(t)
	run(t, s, `CREATE TABLE "a.b" (id TEXT) WITH (fillfactor = 70)`)
	if got, err := s.TTL(t.Context(), `"a.b"`); err != nil || got.On || len(got.Options) != 0 {
		t.Errorf("%+v %v", got, err)
	}
	_, err := s.TTL(t.Context(), "missing")
	wantError(t, err, "the session store has no table missing")
}

func TestPrivileges(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	user, group := unique(`api "user"`), unique("group")
	run(t, s, "CREATE TABLE sessions (id TEXT)", `CREATE TABLE "a.b" (id TEXT)`, "CREATE ROLE "+group, "CREATE USER "+quoted(user)+" CREATEDB", "GRANT "+group+" TO "+quoted(user),
		"GRANT SELECT, DELETE ON sessions TO "+quoted(user), "GRANT INSERT ON sessions TO "+group, "REVOKE CREATE ON SCHEMA public FROM PUBLIC")
	got, err := s.Privileges(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	want := Privileges{User: user, CreateDB: true, MemberOf: []string{group}, Tables: []TablePrivileges{{Table: `"a.b"`}, {Table: "sessions", Select: true, Insert: true, Delete: true}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	admin, err := s.Privileges(t.Context(), s.config.User)
	if err != nil || !admin.Superuser || !admin.CreateRole || !admin.CreateTable || !admin.CreateSchema || !admin.Tables[1].Update {
		t.Errorf("%+v %v", admin, err)
	}
	_, err = s.Privileges(t.Context(), "nobody\nhere")
	wantError(t, err, `the privileges of the user "nobody\nhere" cannot be read: there is no such user`)
}

func TestRoles(t *testing.T) {
	t.Parallel()
	for column, want := range map[string]string{
		"id uuid": "id", "id int8": "", "sid varchar": "id", "session_id text": "id", "sessionToken text": "id", "token_hash bytea": "id", "access_token bpchar": "id", "session_key varchar": "id",
		"user_id uuid": "user", "userId int4": "user", "username varchar": "user", "account_id int8": "user", "user_agent text": "", "user jsonb": "",
		"created_at timestamptz": "created", "createdAt timestamp": "created", "iat int8": "created", "login_time float8": "created", "session_created numeric": "created",
		"expires_at timestamptz": "expires", "expire timestamp": "expires", "expire_date timestamptz": "expires", "sessionExpiresAt text": "expires", "end_date_at timestamptz": "expires", "valid_until date": "expires", "expired bool": "",
		"last_seen_at timestamptz": "seen", "lastAccess int8": "seen", "updated_at timestamptz": "seen", "last_name text": "",
		"data jsonb": "data", "sess json": "data", "session_data text": "data", "payload bytea": "data", "data int4": "",
		"crdb_internal_expiration timestamptz": "", "email text": "user", "rowid int8": "",
	} {
		name, kind, _ := strings.Cut(column, " ")
		if got := roleOf(name, kind); got != want {
			t.Errorf("%s: %q, want %q", column, got, want)
		}
	}
}

func FuzzTimes(f *testing.F) {
	for _, seed := range []string{`{"exp": 1767323045, "a": {"last_seen": "2026-01-02T03:04:05.000Z"}}`, "2026-01-02 03:04:05.678+00", "1767323045.123456789", `{"expires":"\u0032026-01-02T03:04:05Z"}`,
		`{"iat":1767323045123.5,"iat":1}`, strings.Repeat(`{"exp":`, 50) + "1767323045" + strings.Repeat("}", 50), "9999-12-31T23:59:59+14:00", "99999999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, role := range []string{roleExpires, roleData} {
			row := trace.Row{Columns: []trace.Column{{Name: "c", Type: "text", Role: role, Value: secret.New(text)}}}
			for _, one := range Times(row) {
				same, is := rewritten("text", text, one, func(at time.Time) time.Time { return at })
				if !is || same != text {
					t.Errorf("%q: %+v is written as %q, %t", text, one, same, is)
				}
				moved, is := rewritten("text", text, one, func(at time.Time) time.Time { return at.Add(-time.Hour) })
				if c, still := clockOf(moved); one.Member == nil && still && is && !c.at.Equal(one.At.Add(-time.Hour)) && c.layout != time.DateOnly {
					t.Errorf("%q: an hour earlier is %q", text, moved)
				}
			}
		}
	})
}
