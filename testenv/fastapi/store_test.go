package fastapi_test

import (
	"bytes"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/internal/app"
	"github.com/sessiongate/sessiongate/internal/audit"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/launch"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/store"
)

// database is a PostgreSQL of the user's, whose DSN a recipe gives.
func database(t *testing.T) *launch.Database {
	t.Helper()
	server, err := launch.Postgres(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

// on is the recipe with a database of the user's instead of the gate's own.
func on(t *testing.T, name, dsn string) *recipe.Recipe {
	t.Helper()
	r, err := recipe.Load("testenv/fastapi/"+name+".yml", os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	r.Database.URL, r.Database.Ephemeral = secret.New(dsn), ""
	r.Secrets = append(r.Secrets, r.Database.URL)
	return r
}

func audited(t *testing.T, options app.Options) report.Report {
	t.Helper()
	options.Version, options.Now = "test", time.Now()
	made, err := app.Audit(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func rowOf(t *testing.T, made report.Report, rule string) report.Result {
	t.Helper()
	for _, row := range made.Results {
		if row.Rule.ID == rule {
			return row
		}
	}
	t.Fatalf("no row for %s", rule)
	return report.Result{}
}

// The DSN of the user's database is its administrator's, which is worth a note.
func TestADatabaseOfTheUsers(t *testing.T) {
	t.Parallel()
	server := database(t)
	made := audited(t, app.Options{Recipe: on(t, "expiry-ignored", server.DSN.Reveal())})
	for rule, outcome := range map[string]finding.Outcome{"session-store-user-is-admin": finding.Fail, "session-id-stored-in-clear": finding.Pass,
		"idle-timeout-not-enforced": finding.Fail, "absolute-timeout-not-enforced": finding.Fail} {
		if row := rowOf(t, made, rule); row.Outcome != outcome {
			t.Errorf("%s: %s %s", rule, row.Outcome, row.Reason)
		}
	}
}

// Nothing but the API itself writes to a database that is not known to be on
// this machine: no files are run, and no row is aged.
func TestNoRowIsAgedElsewhere(t *testing.T) {
	t.Parallel()
	server := database(t)
	opened, err := store.Open(t.Context(), server.DSN)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	r := on(t, "expiry-ignored", strings.Replace(server.DSN.Reveal(), "@127.0.0.1:", "@0.0.0.0:", 1))
	for _, file := range []string{r.Database.Schema, r.Database.Seed} {
		if err := opened.RunFile(t.Context(), r.Path(file)); err != nil {
			t.Fatal(err)
		}
	}
	r.Database.Schema, r.Database.Seed = "", ""
	made := audited(t, app.Options{Recipe: r})
	row := rowOf(t, made, "absolute-timeout-not-enforced")
	if row.Outcome != finding.NotTested || !strings.Contains(row.Reason.Text, "--i-own-this-database") {
		t.Errorf("%s %s", row.Outcome, row.Reason)
	}
	if row := rowOf(t, made, "session-id-stored-in-clear"); row.Outcome != finding.Pass {
		t.Errorf("rows are not even looked at: %s %s", row.Outcome, row.Reason)
	}
	if row := rowOf(t, audited(t, app.Options{Recipe: r, OwnDatabase: true}), "absolute-timeout-not-enforced"); row.Outcome != finding.Fail {
		t.Errorf("its owner lets it: %s %s", row.Outcome, row.Reason)
	}
}

// database.table names the one table that counts.
func TestTheRecipesTable(t *testing.T) {
	t.Parallel()
	server := database(t)
	for i, test := range []struct{ table, says string }{{"sessions", ""}, {"users", "in no form"}, {"nowhere", `no table "nowhere"`}} {
		r := on(t, "clear-store", server.DSN.Reveal())
		r.Database.Table = test.table
		if i > 0 { // the first one has run them
			r.Database.Schema, r.Database.Seed = "", ""
		}
		row := rowOf(t, audited(t, app.Options{Recipe: r}), "session-id-stored-in-clear")
		if failed := row.Outcome == finding.Fail; failed != (test.says == "") || !strings.Contains(row.Reason.Text, test.says) {
			t.Errorf("%s: %s %s", test.table, row.Outcome, row.Reason)
		}
	}
}

// A store that dies half-way is the end of all passes: the API under it fails,
// and an attack that failed with it has shown nothing.
func TestAStoreThatDies(t *testing.T) {
	t.Parallel()
	server := database(t)
	var once sync.Once
	made := audited(t, app.Options{Recipe: on(t, "hardened", server.DSN.Reveal()), Progress: func(e audit.Event) {
		if e.Doing == "journey" {
			once.Do(func() { _ = server.Close() })
		}
	}})
	if made.Gate.ExitCode != 3 || len(made.Findings) > 0 {
		t.Errorf("gate %+v, findings %d", made.Gate, len(made.Findings))
	}
	for _, row := range made.Results {
		if row.Outcome == finding.Pass && row.Rule.Severity > 0 {
			t.Errorf("%s passes", row.Rule.ID)
		}
	}
}

// A user of few privileges who may not read the table of the sessions is told so.
func TestATableThatMayNotBeRead(t *testing.T) {
	t.Parallel()
	server := database(t)
	opened, err := store.Open(t.Context(), server.DSN)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	dsn, err := opened.Prepare(t.Context(), store.Plan{Database: "app", User: "api", Files: []string{"testenv/fastapi/schema.sql", "testenv/fastapi/seed.sql"}})
	if err != nil {
		t.Fatal(err)
	}
	inside, err := opened.In(t.Context(), "app")
	if err != nil {
		t.Fatal(err)
	}
	defer inside.Close()
	file := t.TempDir() + "/reader.sql"
	text := "CREATE ROLE reader LOGIN PASSWORD 'reader-word'; GRANT USAGE ON SCHEMA public TO reader; GRANT SELECT ON users TO reader;"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := inside.RunFile(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	// The API has its own way to the store; the gate is given the reader's.
	address := dsn.Reveal()[strings.LastIndex(dsn.Reveal(), "@"):]
	r := on(t, "hardened", "postgresql://reader:reader-word"+address)
	r.Database.Schema, r.Database.Seed, r.Database.EnvironmentVariable = "", "", []string{"UNUSED"}
	r.Target.Process.Environment = append(r.Target.Process.Environment, recipe.Pair{Name: "DATABASE_URL", Value: recipe.Literal(dsn.Reveal())})
	made := audited(t, app.Options{Recipe: r})
	row := rowOf(t, made, "session-id-stored-in-clear")
	if row.Outcome != finding.NotTested || row.Reason.Code != finding.NoDatabase {
		t.Errorf("%s %s", row.Outcome, row.Reason)
	}
	var whole bytes.Buffer
	if err := app.Write(made, []app.Output{{Format: "text", File: "-"}}, &whole, app.Style{}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(whole.String(), "reader-word") {
		t.Error("the text holds the reader's password")
	}
}
