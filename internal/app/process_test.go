package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
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

// What is wrong with a store is one sentence, and no scan without it is
// passed off as one with it.
func TestBadStoresAreSaidInOneSentence(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ database, says string }{
		"unreachable":    {`{url: "postgres://nobody:canary@127.0.0.1:1/x"}`, "127.0.0.1:1"},
		"no version":     {`{ephemeral: cockroachdb, version: "canary --join elsewhere"}`, "database.version"},
		"no schema file": {`{ephemeral: postgres, schema: missing.sql}`, "missing.sql"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			made := scan(t, processRecipe(t, "steady")+"database: "+test.database+"\n")
			if made.Gate.ExitCode != 3 || !strings.Contains(made.Problem, test.says) || strings.Contains(made.Problem, "canary") || strings.Contains(made.Problem, "\n") {
				t.Errorf("gate %+v, problem %q", made.Gate, made.Problem)
			}
		})
	}
}
