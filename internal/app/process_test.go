package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/internal/app"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/launch"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/store"
	"github.com/sessiongate/sessiongate/testenv/demoapi"
)

// TestMain lets the test binary be the API of a recipe's target.process: the
// demo API on $PORT, in one of a few moods.
func TestMain(m *testing.M) {
	if mood := os.Getenv("SESSIONGATE_TEST_API"); mood != "" {
		os.Exit(beAPI(mood))
	}
	os.Exit(m.Run())
}

// beAPI serves until it is killed. The moods: "steady"; "dies 30", after as
// many requests; "chatty", which prints the cookies it sets.
func beAPI(mood string) int {
	api, err := demoapi.New()
	if err != nil {
		return 1
	}
	limit := int64(-1)
	if word, is := strings.CutPrefix(mood, "dies "); is {
		limit, _ = strconv.ParseInt(word, 10, 64)
	}
	var served atomic.Int64
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := served.Add(1); limit >= 0 && n > limit {
			fmt.Println("out of memory, giving up")
			os.Exit(7)
		}
		recorded := httptest.NewRecorder()
		api.ServeHTTP(recorded, r)
		if mood == "chatty" {
			fmt.Println("set", recorded.Header().Get("Set-Cookie"))
		}
		for name, values := range recorded.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(recorded.Body.Bytes())
	})
	server := &http.Server{Addr: "127.0.0.1:" + os.Getenv("PORT"), Handler: handler, ReadHeaderTimeout: time.Second}
	fmt.Println("listening")
	_ = server.ListenAndServe()
	return 1
}

func processRecipe(t *testing.T, mood string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(fmt.Sprintf(demoRecipe, "X"), "{url: X}",
		fmt.Sprintf("{process: {command: [%s], environment: {SESSIONGATE_TEST_API: %s}}}", self, mood), 1)
}

func row(t *testing.T, made report.Report, rule string) report.Result {
	t.Helper()
	i := slices.IndexFunc(made.Results, func(r report.Result) bool { return r.Rule.ID == rule })
	if i < 0 {
		t.Fatalf("no row for %s", rule)
	}
	return made.Results[i]
}

func TestAProcessIsTheTarget(t *testing.T) {
	t.Parallel()
	made := scan(t, processRecipe(t, "steady"))
	if made.Gate.ExitCode != 0 || made.Requests < 100 {
		t.Errorf("gate %+v after %d requests, problem %q", made.Gate, made.Requests, made.Problem)
	}
	if got := row(t, made, "session-id-in-logs"); got.Outcome != finding.Pass {
		t.Errorf("session-id-in-logs: %s %s", got.Outcome, got.Reason)
	}
}

func TestIDsInTheLogAreFound(t *testing.T) {
	t.Parallel()
	made := scan(t, processRecipe(t, "chatty"))
	if diff := failed(made); !slices.Equal(diff, []string{"session-id-in-logs"}) {
		t.Errorf("failed: %v", diff)
	}
}

// A target that dies half-way is said with its last words; what was not tested
// by then is not called passed for want of an answer.
func TestATargetThatDiesHalfWay(t *testing.T) {
	t.Parallel()
	for _, requests := range []string{"3", "12", "40", "90"} {
		t.Run(requests, func(t *testing.T) {
			t.Parallel()
			made := scan(t, processRecipe(t, "dies "+requests))
			if made.Gate.ExitCode != 3 || len(made.Findings) > 0 {
				t.Errorf("gate %+v, findings %v", made.Gate, made.Findings)
			}
			for _, word := range []string{"ended during the scan", "exit status 7", "giving up"} {
				if !strings.Contains(made.Problem, word) {
					t.Errorf("problem %q does not say %q", made.Problem, word)
				}
			}
		})
	}
}

// An API that does not use the store it was given makes the store probes
// not-tested, with the setting to change; the HTTP probes run all the same.
func TestAnAPIThatIgnoresItsStore(t *testing.T) {
	t.Parallel()
	made := scan(t, processRecipe(t, "steady")+"database: {ephemeral: postgres}\n")
	if made.Gate.ExitCode != 0 || made.Requests < 100 {
		t.Errorf("gate %+v after %d requests, problem %q", made.Gate, made.Requests, made.Problem)
	}
	got := row(t, made, "session-id-stored-in-clear")
	if got.Outcome != finding.NotTested || got.Reason.Code != finding.NoDatabase || !strings.Contains(got.Reason.Text, "database.environment-variable") {
		t.Errorf("%s %s", got.Outcome, got.Reason)
	}
}

// What is wrong with a store is one sentence; the HTTP probes run all the same,
// what only the store could show is not tested for that very reason, and no scan
// without its store is passed off as one with it.
func TestBadStoresAreSaidInOneSentence(t *testing.T) {
	t.Parallel()
	server, err := launch.Postgres(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	stranger := strings.Replace(server.DSN.Reveal(), "postgresql://sessiongate:", "postgresql://stranger:canary", 1)
	folder := t.TempDir()
	for name, text := range map[string]string{"broken.sql": "CREATE TABLE sessions (id TEXT);\n\nINSERT INTO nowhere VALUES (1);\n", "good.sql": "SELECT 1;"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct{ database, says string }{
		"no URL":                             {`{url: "postgres//nobody:canary@127.0.0.1/x"}`, "cannot be read"},
		"unreachable":                        {`{url: "postgres://nobody:canary@127.0.0.1:1/x"}`, "127.0.0.1:1 refused"},
		"refused login":                      {`{url: "` + stranger + `"}`, "correct the user or password"},
		"no schema file":                     {`{ephemeral: postgres, schema: missing.sql}`, "missing.sql does not exist"},
		"failing schema":                     {`{ephemeral: postgres, schema: ` + folder + `/broken.sql}`, "broken.sql:3: "},
		"failing schema of a given database": {`{url: "` + server.DSN.Reveal() + `", schema: ` + folder + `/broken.sql}`, "broken.sql:3: "},
		"failing seed":                       {`{ephemeral: postgres, schema: ` + folder + `/good.sql, seed: ` + folder + `/broken.sql}`, "broken.sql:3: "},
		"no version":                         {`{ephemeral: cockroachdb, version: "canary --join elsewhere"}`, "database.version"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			made := scan(t, processRecipe(t, "steady")+"database: "+test.database+"\n")
			problem := made.Target.StoreProblem
			if made.Problem != "" || !strings.Contains(problem, test.says) || strings.Contains(problem, "canary") || strings.Contains(problem, "\n") {
				t.Errorf("problems %q and %q", made.Problem, problem)
			}
			if made.Gate.ExitCode != 3 || !strings.Contains(made.Gate.Reason, problem) || made.Requests < 100 {
				t.Errorf("gate %+v after %d requests", made.Gate, made.Requests)
			}
			if got := row(t, made, "session-id-stored-in-clear"); got.Outcome != finding.NotTested || got.Reason.Code != finding.NoDatabase || got.Reason.Text != problem {
				t.Errorf("%s %s", got.Outcome, got.Reason)
			}
			if got := row(t, made, "session-id-not-rotated-on-login"); got.Outcome != finding.Pass {
				t.Errorf("%s %s", got.Outcome, got.Reason)
			}
		})
	}
}

// A database that is not known to be on this machine is somebody's: nothing is
// written to it unless its owner says so. The address below leads to this machine,
// but it is no loopback address.
func TestNothingIsWrittenElsewhere(t *testing.T) {
	t.Parallel()
	server, err := launch.Postgres(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	elsewhere := strings.Replace(server.DSN.Reveal(), "@127.0.0.1:", "@0.0.0.0:", 1)
	file := filepath.Join(t.TempDir(), "schema.sql")
	if err := os.WriteFile(file, []byte("CREATE TABLE written (id TEXT);\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, own := range []bool{false, true} {
		r, err := recipe.Parse("recipe.yml", []byte(processRecipe(t, "steady")+`database: {url: "`+elsewhere+`", schema: `+file+"}\n"), os.LookupEnv)
		if err != nil {
			t.Fatal(err)
		}
		made, err := app.Audit(t.Context(), app.Options{Recipe: r, Version: "test", OwnDatabase: own})
		if err != nil {
			t.Fatal(err)
		}
		if refused := strings.Contains(made.Target.StoreProblem, "--i-own-this-database"); refused == own {
			t.Errorf("owned %t: problem %q", own, made.Target.StoreProblem)
		}
		if written := tableExists(t, server, "written"); written != own {
			t.Errorf("owned %t: the schema was run: %t", own, written)
		}
	}
}

func tableExists(t *testing.T, server *launch.Database, name string) bool {
	t.Helper()
	opened, err := store.Open(t.Context(), server.DSN)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	tables, err := opened.Tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(tables, func(table store.Table) bool { return table.Name == name })
}
