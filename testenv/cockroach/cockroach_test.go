// Package cockroach_test is the smoke on a real CockroachDB: every statement of
// the gate, and both FastAPI applications. It takes the server in
// COCKROACH_URL, which it changes and litters; else a cockroach program or an
// image that is here already, of COCKROACH_VERSION if that is set. Without any
// it is skipped in one line, or fails where SESSIONGATE_COCKROACH=required.
package cockroach_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sessiongate/sessiongate/internal/launch"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/store"
	"github.com/sessiongate/sessiongate/testenv/gate"
)

var (
	given    = os.Getenv("COCKROACH_URL")
	version  = os.Getenv("COCKROACH_VERSION")
	required = os.Getenv("SESSIONGATE_COCKROACH") == "required"
	admin    secret.Text // of the server for the statements
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if err := os.Chdir(filepath.Join("..", "..")); err != nil {
		panic(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	admin = secret.New(given)
	if given == "" {
		// Nothing is pulled for a test that nobody asked for.
		server, err := launch.Store(ctx, launch.StoreOptions{Version: version, Local: !required})
		if err == nil && server.Name != "" {
			err = errors.Join(errors.New(server.Note), server.Close())
		}
		if err != nil {
			return without(err)
		}
		defer server.Close()
		admin = server.DSN
	}
	if err := rightServer(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func without(reason error) int {
	said := strings.Join(strings.Fields(reason.Error()), " ")
	if required {
		fmt.Fprintln(os.Stderr, "SESSIONGATE_COCKROACH=required, but there is none:", said)
		return 1
	}
	fmt.Println("skipped, no CockroachDB here:", said)
	return 0
}

// rightServer wants what was asked for: a stand-in or another version would
// prove nothing.
func rightServer(ctx context.Context) error {
	opened, err := store.Open(ctx, admin)
	if err != nil {
		return err
	}
	defer opened.Close()
	name := opened.Version(ctx)
	fmt.Println("on", name)
	if !strings.HasPrefix(name, "CockroachDB ") || !strings.HasSuffix(name, version) {
		return fmt.Errorf("this is %s, not the CockroachDB %s that was asked for", name, version)
	}
	return nil
}

// sessions is the table that internal/store makes its sample statements for.
var sessions = []string{
	`CREATE SCHEMA "Auth Stuff"`,
	`CREATE TABLE "Auth Stuff"."se""ssions; --" (n BIGINT GENERATED ALWAYS AS IDENTITY, "select" UUID, tenant VARCHAR, token_hash BYTEA,
		sid TEXT, "码" CHAR(64), "user" TEXT, "created at" TIMESTAMPTZ, expires BIGINT, data JSONB, doubled TEXT GENERATED ALWAYS AS (sid || sid) STORED,
		PRIMARY KEY ("select", tenant))`,
}

// sampleMoment stands in the samples for a time at which rows are read.
const sampleMoment = "1763900000000000000.0000000000"

// refusable are the errors that say nothing against a statement, by its name.
var refusable = map[string][]string{
	"create user":                  {"28P01", "42710"}, // insecure mode has no passwords; the user of an earlier run
	"create user without password": {"42710"},          // made by the statement before
	"create database":              {"42P04"},          // of an earlier run
	"insert row":                   {"23502", "428C9"}, // a key of NULL; a column that is always generated
}

func TestEveryStatement(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("internal", "store", "testdata", "statements.txt"))
	if err != nil {
		t.Fatal(err)
	}
	connection := inside(t, database(t))
	for _, one := range sessions {
		if _, err := connection.Exec(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}
	var moment string
	if err := connection.QueryRow(t.Context(), "SELECT cluster_logical_timestamp()::TEXT").Scan(&moment); err != nil {
		t.Fatal(err)
	}
	done := 0
	for line := range strings.Lines(string(content)) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3)
		if len(fields) != 3 || fields[0] == "postgres" {
			continue
		}
		done++
		if err := perform(t.Context(), connection, strings.ReplaceAll(fields[2], sampleMoment, moment)); err != nil && !forgiven(err, fields[1]) {
			t.Errorf("%s: %v\n%s", fields[1], err, fields[2])
		}
	}
	if done < 40 {
		t.Errorf("only %d statements", done)
	}
	t.Logf("%d statements", done)
}

// perform runs a statement with NULL for every parameter: names, functions and
// types are resolved, no row is touched.
func perform(ctx context.Context, connection *pgx.Conn, statement string) error {
	described, err := connection.Prepare(ctx, "", statement)
	if err != nil {
		return err
	}
	if len(described.ParamOIDs) == 0 {
		_, err = connection.Exec(ctx, statement)
		return err
	}
	nothing := make([][]byte, len(described.ParamOIDs))
	return connection.PgConn().ExecParams(ctx, statement, nothing, described.ParamOIDs, nil, nil).Read().Err
}

func forgiven(err error, name string) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && slices.Contains(refusable[name], answer.Code)
}

// A server of our own is made quick, and its API's user cannot do more than its
// job.
func TestPreparedServer(t *testing.T) {
	if given != "" {
		t.Skip("COCKROACH_URL is not ours to set up")
	}
	opened, err := store.Open(t.Context(), admin)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	plan := store.Plan{Database: unique("prepared"), User: unique("api"), Files: []string{"testenv/fastapi/schema.sql", "testenv/fastapi/seed.sql"}, Throwaway: true}
	dsn, err := opened.Prepare(t.Context(), plan)
	if err != nil {
		t.Fatal(err)
	}
	counts := true
	if err := inside(t, admin).QueryRow(t.Context(), "SHOW CLUSTER SETTING sql.stats.automatic_collection.enabled").Scan(&counts); err != nil || counts {
		t.Errorf("the settings for a test were not made: %t, %v", counts, err)
	}
	api := inside(t, dsn)
	if _, err := api.Exec(t.Context(), "DELETE FROM sessions WHERE session_id = ''"); err != nil {
		t.Errorf("the API's user cannot work: %v", err)
	}
	for _, forbidden := range []string{"DROP TABLE sessions", "CREATE TABLE mine (id INT PRIMARY KEY)", "CREATE DATABASE mine"} {
		if _, err := api.Exec(t.Context(), forbidden); err == nil {
			t.Errorf("the API's user may %s", forbidden)
		}
	}
}

func TestVulnerable(t *testing.T) {
	made := scan(t, "vulnerable")
	failed := made.Failed()
	for _, rule := range []string{"session-id-not-rotated-on-login", "arbitrary-session-id-accepted", "logout-session-not-invalidated",
		"session-id-stored-in-clear", "cross-user-session-reuse"} {
		if !slices.Contains(failed, rule) {
			t.Errorf("%s did not fail", rule)
		}
	}
	if made.Code != 1 || made.Score >= 50 {
		t.Errorf("exit code %d, score %d\n%s%s", made.Code, made.Score, made.Text, made.Messages)
	}
	if proof := "user_id NULL → "; !strings.Contains(made.JSON, proof) {
		t.Error("no finding shows the row before and after")
	}
}

func TestHardened(t *testing.T) {
	made := scan(t, "hardened")
	if failed := made.Failed(); made.Code != 0 || len(failed) > 0 || made.Score < 90 || len(made.Coverage.CoreUntested) > 0 {
		t.Errorf("exit code %d, score %d, failed %v, untested %v\n%s%s", made.Code, made.Score, failed, made.Coverage.CoreUntested, made.Text, made.Messages)
	}
	stored := slices.IndexFunc(made.Results, func(row struct{ Rule, Outcome, Reason, Note string }) bool {
		return row.Rule == "session-id-stored-in-clear"
	})
	if stored < 0 || made.Results[stored].Outcome != "pass" || !strings.Contains(made.Results[stored].Note, "sha256") {
		t.Error("the ids are not seen to be stored hashed")
	}
}

// scan runs an application's own recipe, with the store of this test in it.
func scan(t *testing.T, app string) gate.Result {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testenv", "fastapi", app+".yml"))
	if err != nil {
		t.Fatal(err)
	}
	folder, err := filepath.Abs(filepath.Join("testenv", "fastapi"))
	if err != nil {
		t.Fatal(err)
	}
	from := "ephemeral: cockroachdb"
	if version != "" {
		from += "\n  version: " + version
	}
	if given != "" {
		from = "url: " + database(t).Reveal()
	}
	changes := strings.NewReplacer("ephemeral: cockroachdb", from, "directory: .", "directory: "+folder,
		"schema: ", "schema: "+folder+"/", "seed: ", "seed: "+folder+"/")
	recipe := filepath.Join(t.TempDir(), app+".yml")
	if err := os.WriteFile(recipe, []byte(changes.Replace(string(text))), 0o600); err != nil {
		t.Fatal(err)
	}
	made := gate.Scan(t, recipe)
	if !strings.HasPrefix(made.Target.Store, "CockroachDB ") || !strings.HasSuffix(made.Target.Store, version) {
		t.Errorf("the store is %q", made.Target.Store)
	}
	made.KeepsSecret(t, "alice-correct-horse", "bob-battery-staple", "postgresql://")
	return made
}

func unique(name string) string { return name + "_" + strings.ToLower(rand.Text()) }

// database is the DSN of a new one on the server.
func database(t *testing.T) secret.Text {
	t.Helper()
	name := unique("smoke")
	if _, err := inside(t, admin).Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	dsn, err := url.Parse(admin.Reveal())
	if err != nil {
		t.Fatal("COCKROACH_URL is no URL")
	}
	dsn.Path = "/" + name
	return secret.New(dsn.String())
}

func inside(t *testing.T, dsn secret.Text) *pgx.Conn {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), dsn.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close(context.Background()) })
	return connection
}
