package recipe_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/secret"
)

const beneath = `version: 1
target: {process: {command: [api]}}
database: {ephemeral: cockroachdb, schema: schema.sql}
users: [{name: carol, password: c}]
steps:
  login: {request: POST /old, form: {user: "{{username}}"}}
gate: {fail-under: 60}
`

func parsed(t *testing.T, text string) *recipe.Recipe {
	t.Helper()
	r, err := recipe.Parse("ci/recipe.yml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhatIsSaidBesideTheFileWins(t *testing.T) {
	t.Parallel()
	r := parsed(t, beneath)
	ninety, password, dsn := 90, secret.New("word"), secret.New("postgresql://db/shop")
	err := r.Apply(recipe.Over{URL: "http://127.0.0.1:1", Login: "POST /new", Identity: "GET /me", Users: []recipe.User{{Name: "alice", Password: password}},
		Database: recipe.DatabaseOver{URL: dsn, Seed: "seed.sql"}, Carrier: "bearer:$.token", FailUnder: &ninety, FailOn: "new", Baseline: "base.json"})
	if err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	login := r.Steps["login"].Requests[0]
	for what, holds := range map[string]bool{
		"the URL replaces the process":        r.Target.Process == nil && !r.Target.URL.IsZero(),
		"the login moves and keeps its form":  login.Path.String() == "/new" && login.Body.Kind == recipe.FormBody,
		"the bearer is captured at login":     len(login.Capture) == 1 && r.Session.Carrier == "bearer",
		"the users are others":                len(r.Users) == 1 && r.Users[0].Name == "alice",
		"passwords and DSNs are secrets":      len(r.Secrets) == 3, // carol's too
		"the database is the given one":       r.Database.URL == dsn && r.Database.Ephemeral == "",
		"the schema of the file stays":        r.Database.Schema == "schema.sql",
		"files start at the directory we run": r.Database.Seed == filepath.Join(here, "seed.sql") && r.Gate.Baseline == filepath.Join(here, "base.json"),
		"the gate is the said one":            r.Gate.FailUnder == 90 && r.Gate.FailOn == "new",
	} {
		if !holds {
			t.Errorf("%s: no", what)
		}
	}
}

func TestSayingNothingChangesNothing(t *testing.T) {
	t.Parallel()
	r := parsed(t, beneath)
	if err := r.Apply(recipe.Over{}); err != nil {
		t.Fatal(err)
	}
	if r.Target.Process == nil || r.Gate.FailUnder != 60 || r.Database.Ephemeral != "cockroachdb" || r.Users[0].Name != "carol" {
		t.Errorf("%+v", r)
	}
}

func TestAWrongWordIsNamedAsItsUserKnowsIt(t *testing.T) {
	t.Parallel()
	tooMuch := 101
	for want, over := range map[string]recipe.Over{
		"--login: request":                            {Login: "POST"},
		"--carrier jwt:x: write auto":                 {Carrier: "jwt:x"},
		"--carrier cookie: write auto":                {Carrier: "cookie"},
		"--carrier bearer:$.x: there is no login":     {Carrier: "bearer:$.x"},
		"--fail-under 101: a score is 0 to 100":       {FailUnder: &tooMuch},
		"--fail-on always: write any or new":          {FailOn: "always"},
		"--ephemeral-database mysql: write cockroach": {Database: recipe.DatabaseOver{Ephemeral: "mysql"}},
		"--schema: there is no database to run it in": {Database: recipe.DatabaseOver{Schema: "x.sql"}},
	} {
		over.Named = func(field string) string { return "--" + field }
		if err := recipe.New().Apply(over); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %q…", err, want)
		}
	}
}
