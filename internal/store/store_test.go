package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sessiongate/sessiongate/internal/secret"
)

func TestOpenAndVersion(t *testing.T) {
	t.Parallel()
	admin := open(t, server.DSN)
	if got := admin.Version(t.Context()) + " stand-in"; got != server.Name {
		t.Errorf("version %q, the server is %q", got, server.Name)
	}
	if got := value(t, admin, "SHOW application_name"); got != "sessiongate" {
		t.Errorf("application name %q", got)
	}
	for range 2 {
		if err := admin.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestVersionNames(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ cockroach, postgres, want string }{
		{"CockroachDB CCL v26.2.5 (x86_64-pc-linux-gnu, built 2026/06/01 10:00:00, go1.25.5)", "13.0.0", "CockroachDB v26.2.5"},
		{"CockroachDB CCL v26.1.0-alpha.1-dev (x86)", "13.0.0", "CockroachDB v26.1.0-alpha.1-dev"},
		{"CockroachDB", "13.0.0", "CockroachDB"},
		{"", "15.18 (Debian 15.18-0+deb12u1)", "PostgreSQL 15.18"},
		{"", "18beta1", "PostgreSQL 18beta1"},
		{"", "", "PostgreSQL"},
	} {
		if got := version(test.cockroach, test.postgres); got != test.want {
			t.Errorf("%q %q: %q, want %q", test.cockroach, test.postgres, got, test.want)
		}
	}
}

func TestOpenUnderstandsDialects(t *testing.T) {
	t.Parallel()
	_, rest, _ := strings.Cut(server.DSN.Reveal(), "://")
	for _, scheme := range []string{"postgres", "postgresql+asyncpg", "postgresql+psycopg2", "cockroachdb", "cockroachdb+psycopg"} {
		open(t, secret.New(scheme+"://"+rest))
	}
}

func TestSeveralCallersWait(t *testing.T) {
	t.Parallel()
	admin := open(t, server.DSN)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := admin.exec(context.Background(), "SELECT pg_sleep(0.01)"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// dsn is the administrator's with some changes.
func dsn(t *testing.T, change func(*url.URL)) secret.Text {
	t.Helper()
	parsed, err := url.Parse(server.DSN.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	change(parsed)
	return secret.New(parsed.String())
}

func TestErrorsNeverShowTheDSN(t *testing.T) {
	t.Parallel()
	const canary = "s3cret-canary"
	closed, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused := closed.Addr().String()
	_ = closed.Close()
	noPostgres := rude(t)
	password, _ := url.Parse(server.DSN.Reveal())
	real, _ := password.User.Password()

	for name, test := range map[string]struct {
		dsn  secret.Text
		want string
	}{
		"empty":          {secret.Text{}, "its URL cannot be read"},
		"other database": {secret.New("mysql://u:" + canary + "@127.0.0.1/d"), "its URL cannot be read"},
		"file":           {secret.New("sqlite:///" + canary + "?mode=ro"), "its URL cannot be read"},
		"bad port":       {secret.New("postgresql://u:" + canary + "@127.0.0.1:port/d"), "its URL cannot be read"},
		"bad escape":     {secret.New("postgresql://u:%zz" + canary + "@127.0.0.1/d"), "its URL cannot be read"},
		"bad keywords":   {secret.New("host=127.0.0.1 password='" + canary), "its URL cannot be read"},
		"bad sslmode":    {secret.New("postgresql://u:" + canary + "@127.0.0.1/d?sslmode=" + canary), "its URL cannot be read"},
		"refused":        {secret.New("postgresql://u:" + canary + "@" + refused + "/d?sslmode=disable"), refused + " refused the connection"},
		"no such host":   {secret.New("postgresql://u:" + canary + "@db.invalid:1/d"), "db.invalid:1 does not resolve"},
		"no such socket": {secret.New("postgresql:///d?host=/nowhere&password=" + canary), "cannot be connected to (no such file or directory)"},
		"not PostgreSQL": {secret.New("postgresql://u:" + canary + "@" + noPostgres + "/d?sslmode=disable"), noPostgres},
		"no TLS": {dsn(t, func(u *url.URL) {
			u.User, u.RawQuery = url.UserPassword(superuserOf(u), canary), "sslmode=require"
		}), "does not speak TLS"},
		"wrong password":    {dsn(t, func(u *url.URL) { u.User = url.UserPassword(superuserOf(u), canary) }), "password authentication failed"},
		"missing database":  {dsn(t, func(u *url.URL) { u.Path = "/missing" }), "create the database first"},
		"unknown parameter": {dsn(t, func(u *url.URL) { u.RawQuery += "&ssl=" + canary }), `"ssl"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opened, err := Open(t.Context(), test.dsn)
			if err == nil {
				_ = opened.Close()
			}
			wantError(t, err, test.want)
			if !errors.Is(err, ErrUnreachable) {
				t.Errorf("does not wrap ErrUnreachable: %v", err)
			}
			for layer := err; layer != nil; layer = errors.Unwrap(layer) {
				shown := fmt.Sprintf("%v %+v %#v", layer, layer, layer)
				for _, hidden := range []string{canary, real, "postgresql://u:"} {
					if strings.Contains(shown, hidden) {
						t.Errorf("shows %q: %s", hidden, shown)
					}
				}
				if _, isDriver := layer.(*pgconn.ConnectError); isDriver {
					t.Errorf("the driver's error is in the chain: %T", layer)
				}
			}
		})
	}
}

func superuserOf(u *url.URL) string { return u.User.Username() }

// rude answers every connection with something else.
func rude(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = connection.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			_ = connection.Close()
		}
	}()
	return listener.Addr().String()
}

func TestOpenIsBounded(t *testing.T) {
	t.Parallel()
	mute, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	address := "postgresql://u:canary@" + mute.Addr().String() + "/d?sslmode=disable"

	_, err = Open(t.Context(), secret.New(address+"&connect_timeout=1"))
	wantError(t, err, mute.Addr().String(), "does not answer in time")
	if !errors.Is(err, ErrUnreachable) {
		t.Error("does not wrap ErrUnreachable")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = Open(ctx, secret.New(address))
	wantError(t, err, "was interrupted")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("does not wrap the cause: %v", err)
	}
}

func TestPrepare(t *testing.T) {
	t.Parallel()
	admin := open(t, server.DSN)
	// Names that would break an unquoted statement.
	plan := Plan{Database: unique(`run "1"; --`), User: unique("api'user"), Files: []string{sqlFile(t, `
		CREATE TABLE sessions (id SERIAL PRIMARY KEY, token TEXT UNIQUE);
		CREATE SCHEMA "Auth"; CREATE TABLE "Auth".users (name TEXT);
		INSERT INTO sessions (token) VALUES ('seed');`)}}
	login, err := admin.Prepare(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	api := open(t, login)
	if got := value(t, api, "SELECT current_user || ' in ' || current_database()"); got != plan.User+" in "+plan.Database {
		t.Errorf("logged in as %s", got)
	}
	for _, allowed := range []string{
		"INSERT INTO sessions (token) VALUES ('new')", "UPDATE sessions SET token = 'newer' WHERE token = 'new'", "DELETE FROM sessions",
		`INSERT INTO "Auth".users VALUES ('alice')`, `SELECT * FROM "Auth".users`,
	} {
		if err := api.exec(t.Context(), allowed); err != nil {
			t.Errorf("%s: %v", allowed, err)
		}
	}
	for _, refused := range []string{
		"CREATE TABLE mine (id INT)", `CREATE TABLE "Auth".mine (id INT)`, "CREATE SCHEMA mine", "DROP TABLE sessions", "TRUNCATE sessions",
		"ALTER TABLE sessions ADD COLUMN x INT", "CREATE DATABASE mine", "CREATE ROLE mine", "COPY sessions TO PROGRAM 'cat'", "SET ROLE sessiongate",
	} {
		if err := api.exec(t.Context(), refused); !is(err, "42501") {
			t.Errorf("%s: %v", refused, err)
		}
	}
	if value(t, api, "SELECT rolsuper::TEXT || rolcreaterole || rolcreatedb || rolbypassrls FROM pg_roles WHERE rolname = current_user") != "falsefalsefalsefalse" {
		t.Error("the login has powers")
	}

	_, err = admin.Prepare(t.Context(), plan)
	wantError(t, err, plan.Database, "cannot be created", "already exists")
	plan.Database = unique("run")
	_, err = admin.Prepare(t.Context(), plan)
	wantError(t, err, plan.User, "cannot be created", "already exists")
	_, err = admin.Prepare(t.Context(), Plan{})
	wantError(t, err, "needs a database and a user")
	bad := sqlFile(t, "SELECT 1;\nCREATE TABLE;")
	_, err = admin.Prepare(t.Context(), Plan{Database: unique("run"), User: unique("api"), Files: []string{bad}})
	wantError(t, err, bad+":2: syntax error")
}

func TestPrepareWithoutFilesLetsTheAPIMakeTables(t *testing.T) {
	t.Parallel()
	admin := open(t, server.DSN)
	login, err := admin.Prepare(t.Context(), Plan{Database: unique("own"), User: unique("api")})
	if err != nil {
		t.Fatal(err)
	}
	api := open(t, login)
	if err := api.exec(t.Context(), "CREATE TABLE sessions (id SERIAL)"); err != nil {
		t.Error(err)
	}
	if err := api.exec(t.Context(), "INSERT INTO sessions DEFAULT VALUES"); err != nil {
		t.Error(err)
	}
}

func TestLoginNeedsItsPassword(t *testing.T) {
	t.Parallel()
	admin := open(t, server.DSN)
	plan := Plan{Database: unique("one"), User: unique("api")}
	one, err := admin.Prepare(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := url.Parse(one.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	if password, _ := parsed.User.Password(); len(password) < 20 {
		t.Errorf("%d characters of password", len(password))
	}
	parsed.User = url.User(plan.User)
	if _, err := Open(t.Context(), secret.New(parsed.String())); err == nil {
		t.Error("the login needs no password")
	}
}
