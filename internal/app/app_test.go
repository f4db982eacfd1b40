package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/app"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/testenv/demoapi"
)

// demoRecipe describes the demo API as most users would begin, with few steps;
// each %s is its address. demoapi.Recipe has them all.
const demoRecipe = `version: 1
target: {url: %s}
users:
  - {name: alice, password: alice-demo-password}
  - {name: bob, password: bob-demo-password}
steps:
  visit: {request: GET /}
  login: {request: POST /login, json: {username: "{{username}}", password: "{{password}}"}}
  identity: {request: GET /me}
  logout: {request: POST /logout}
`

func scan(t testing.TB, text string, change ...func(*app.Options)) report.Report {
	t.Helper()
	made, err := try(t, text, change...)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func try(t testing.TB, text string, change ...func(*app.Options)) (report.Report, error) {
	t.Helper()
	r, err := recipe.Parse("recipe.yml", []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	options := app.Options{Recipe: r, Version: "test", Now: time.Now(), Timeout: 5 * time.Minute, Deep: strings.Contains(text, deep)}
	for _, one := range change {
		one(&options)
	}
	return app.Audit(t.Context(), options)
}

// deep is a comment in a recipe that asks for the deep profile.
const deep = "# profile deep\n"

// limit is the policy of a recipe for a demo API that keeps it.
const limit = "policy: {max-sessions: 3}\n"

func limited(t testing.TB, flaws ...string) string {
	t.Helper()
	api, err := demoapi.New(flaws...)
	if err != nil {
		t.Fatal(err)
	}
	api.MaxSessions = 3
	return demoapi.Recipe(serve(t, api)) + limit
}

func demo(t testing.TB, flaws ...string) string {
	t.Helper()
	api, err := demoapi.New(flaws...)
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, api)
}

func serve(t testing.TB, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func failed(r report.Report) []string {
	var rules []string
	for _, row := range r.Results {
		if row.Outcome == finding.Fail {
			rules = append(rules, row.Rule.ID)
		}
	}
	slices.Sort(rules)
	return rules
}

// Every switch of the demo API trips its own rule, those that follow from it
// by nature, and no other.
func TestEachFlawTripsItsOwnRule(t *testing.T) {
	t.Parallel()
	for _, flaw := range demoapi.Flaws() {
		t.Run(flaw.Rule, func(t *testing.T) {
			t.Parallel()
			want := append([]string{flaw.Rule}, flaw.Follows...)
			if flaw.Rule == "session-cookie-persistent" { // the same Max-Age, seen as the session's own lifetime
				want = append(want, "session-lifetime-excessive")
			}
			if flaw.Rule == "session-id-reflected-unencoded" { // an id that was logged out is an unknown one, and live elsewhere
				want = append(want, "session-id-in-response-body")
			}
			if flaw.Rule == "session-id-not-rotated-on-login" {
				// The hardened demo names its cookie __Host-sid, which a sibling
				// domain cannot plant: the variant for that.
				want = []string{"session-id-not-rotated-on-login/host-prefix"}
			}
			switch flaw.Rule {
			case "session-cookie-tamperable": // its ticket names the user
				want = append(want, "session-id-contains-user-data")
			case "session-id-collision/same-user":
				want = []string{flaw.Rule}
			case "personal-data-without-session":
				want = nil // it is judged where a description was read; see surface_test.go
			}
			slices.Sort(want)
			text := demoapi.Recipe(demo(t, flaw.Rule))
			switch flaw.Rule {
			case "concurrent-session-limit-not-enforced":
				text = limited(t, flaw.Rule)
			case "session-resurrection", "concurrent-login-race", "session-id-predictable-prng":
				text += deep
			}
			made := scan(t, text)
			got := failed(made)
			if flaw.Rule == "session-id-collision/same-user" {
				// Flows side by side share her one session, and end it for each other.
				got = slices.DeleteFunc(got, func(rule string) bool { return slices.Contains(flaw.Follows, rule) })
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("rules that failed (-want +got):\n%s", diff)
			}
			for _, row := range made.Results {
				if row.Outcome == finding.NotTested && row.Reason.Code == finding.Crashed {
					t.Errorf("%s: %s", row.Rule.ID, row.Reason)
				}
			}
		})
	}
}

func TestTheHardenedDemoTripsNone(t *testing.T) {
	t.Parallel()
	for name, recipe := range map[string]func(t *testing.T) string{
		"few steps": func(t *testing.T) string { return fmt.Sprintf(demoRecipe, demo(t)) },
		"all steps": func(t *testing.T) string { return demoapi.Recipe(demo(t)) },
		"deep":      func(t *testing.T) string { return demoapi.Recipe(demo(t)) + deep },
		"limited":   func(t *testing.T) string { return limited(t) },
		"one session a user": func(t *testing.T) string {
			api, err := demoapi.New()
			if err != nil {
				t.Fatal(err)
			}
			api.MaxSessions = 1
			return demoapi.Recipe(serve(t, api)) + deep
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			least := 93
			if name == "few steps" {
				least = 80 // what no step shows is not tested, which costs a tenth
			}
			held(t, scan(t, recipe(t)), least)
		})
	}
}

// held wants a report of a hardened API: no finding, the gate met, and at least
// that score.
func held(t *testing.T, made report.Report, least int) {
	t.Helper()
	if got := failed(made); len(got) > 0 {
		t.Errorf("failed: %v", got)
	}
	for _, row := range made.Results {
		if row.Rule.Family == finding.IDQuality && row.Outcome != finding.Pass && row.Reason.Code != finding.OtherProfile {
			t.Errorf("%s: %s %s", row.Rule.ID, row.Outcome, row.Reason)
		}
	}
	taken := 0
	for _, deduction := range made.Score.Deductions {
		taken += deduction.Points
		i := slices.IndexFunc(made.Results, func(row report.Result) bool { return row.Rule.ID == deduction.Rule })
		if i < 0 || made.Results[i].Outcome != finding.NotTested {
			t.Errorf("%s takes points without being an untested rule of the report", deduction.Rule)
		}
	}
	if made.Score.Value < least || made.Score.Value != (1000-taken)/10 {
		t.Errorf("score %d with deductions of %d tenths", made.Score.Value, taken)
	}
	if !made.Gate.Passed || made.Gate.ExitCode != 0 {
		t.Errorf("gate: %+v", made.Gate)
	}
}

// What a scan of a hardened API costs: a rate limit counts these.
func TestAScanIsThrifty(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		recipe           string
		requests, logins int
	}{
		"few steps": {fmt.Sprintf(demoRecipe, demo(t)), 225, 52},
		"all steps": {demoapi.Recipe(demo(t)), 294, 65},
	} {
		if made := scan(t, test.recipe); made.Requests > test.requests || made.Logins > test.logins {
			t.Errorf("%s: %d requests and %d logins, more than %d and %d", name, made.Requests, made.Logins, test.requests, test.logins)
		}
	}
}

// With all its steps described, only what no demo can show stays untested.
func TestAllStepsLeaveLittleUntested(t *testing.T) {
	t.Parallel()
	var open []string
	for _, row := range scan(t, limited(t)+deep).Results {
		if row.Outcome != finding.Pass {
			open = append(open, row.Rule.ID)
		}
	}
	// The store and the log of the demo API are in its memory, and it has no TLS.
	// What strangers are shown of people is judged where a description was read.
	want := []string{"absolute-timeout-not-enforced", "idle-timeout-not-enforced", "personal-data-without-session", "session-id-in-logs", "session-id-stored-in-clear",
		"session-lifetime-excessive", "session-over-plain-http", "session-over-plain-http/hsts-missing", "session-store-user-is-admin"}
	slices.Sort(open)
	if diff := cmp.Diff(want, open); diff != "" {
		t.Errorf("not passed (-want +got):\n%s", diff)
	}
}

func TestEveryRuleHasARow(t *testing.T) {
	t.Parallel()
	good := scan(t, fmt.Sprintf(demoRecipe, demo(t)))
	bad := scan(t, fmt.Sprintf(demoRecipe, closedPort(t)))
	rules := func(r report.Report) (ids []string) {
		for _, row := range r.Results {
			ids = append(ids, row.Rule.ID)
		}
		return ids
	}
	if diff := cmp.Diff(rules(good), rules(bad)); diff != "" || len(good.Results) < 24 {
		t.Errorf("%d rows; a failed scan has others:\n%s", len(good.Results), diff)
	}
}

func closedPort(t testing.TB) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return "http://" + listener.Addr().String()
}

// api is the demo API with one handler in front.
type front struct {
	*demoapi.API
	before func(w http.ResponseWriter, r *http.Request) bool // true: answered
}

func (f front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !f.before(w, r) {
		f.API.ServeHTTP(w, r)
	}
}

func hindered(t testing.TB, before func(http.ResponseWriter, *http.Request) bool) string {
	t.Helper()
	api, err := demoapi.New()
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, front{api, before})
}

// What a target can do wrong ends in one sentence, exit code 3 and a whole
// report; nothing that was not tested is called passed.
func TestBadTargetsAreSaidInOneSentence(t *testing.T) {
	t.Parallel()
	on := func(path string, answer http.HandlerFunc) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != path {
				return false
			}
			answer(w, r)
			return true
		}
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", code) }
	}
	var served atomic.Int64
	for name, test := range map[string]struct {
		address func(t *testing.T) string
		change  func(text string) string
		says    []string
	}{
		"unreachable": {
			address: func(t *testing.T) string { return closedPort(t) },
			says:    []string{"refused", "start"}},
		"login answers 500": {
			address: func(t *testing.T) string { return hindered(t, on("/login", status(500))) },
			says:    []string{"POST /login answered 500", "look at its log"}},
		"wrong credentials": {
			address: func(t *testing.T) string { return demo(t) },
			change:  func(text string) string { return strings.Replace(text, "alice-demo-password", "mistyped", 1) },
			says:    []string{"alice cannot log in", "401", "password of alice"}},
		"wrong field names": {
			address: func(t *testing.T) string { return demo(t) },
			change:  func(text string) string { return strings.Replace(text, "{username:", "{user:", 1) },
			says:    []string{"answered 400", "fields"}},
		"wrong path": {
			address: func(t *testing.T) string { return demo(t) },
			change:  func(text string) string { return strings.Replace(text, "POST /login", "POST /signin", 1) },
			says:    []string{"404", "path"}},
		"HTML instead of JSON": {
			address: func(t *testing.T) string {
				return hindered(t, on("/login", func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", "text/html")
					_, _ = w.Write([]byte("<html><body>please log in</body></html>"))
				}))
			},
			change: func(text string) string {
				return strings.Replace(text, `"{{password}}"}}`, `"{{password}}"}, capture: {token: {json: $.token}}}`, 1) + "session: {bearer: \"{{token}}\"}\n"
			},
			says: []string{"capture token", "HTML, not JSON"}},
		"endless redirect": {
			address: func(t *testing.T) string {
				return hindered(t, on("/login", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/login", http.StatusFound) }))
			},
			change: func(text string) string {
				return strings.Replace(text, `"{{password}}"}}`, `"{{password}}"}, follow: true}`, 1)
			},
			says: []string{"redirects more than 10 times"}},
		"identity is not protected": {
			address: func(t *testing.T) string {
				return hindered(t, on("/me", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"service":"demo"}`)) }))
			},
			says: []string{"exactly as it answers a stranger", "needs a session"}},
		"identity does not name the user": {
			address: func(t *testing.T) string {
				return hindered(t, func(w http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path != "/me" {
						return false
					}
					if _, err := r.Cookie("__Host-sid"); err != nil {
						http.Error(w, "no", http.StatusUnauthorized)
						return true
					}
					_, _ = w.Write([]byte(`{"signed_in":true}`))
					return true
				})
			},
			says: []string{"do not tell the users apart", "names its user"}},
		"login lets everybody in": {
			address: func(t *testing.T) string {
				return hindered(t, func(_ http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path == "/login" {
						r.Body = http.NoBody
						body := `{"username":"alice","password":"alice-demo-password"}`
						r.Body, r.ContentLength = readCloser{strings.NewReader(body)}, int64(len(body))
					}
					return false
				})
			},
			change: func(text string) string {
				return strings.Replace(text, "  - {name: bob, password: bob-demo-password}\n", "", 1)
			},
			says: []string{"wrong password reads as alice", "proves nothing"}},
		"429 at once": {
			address: func(t *testing.T) string { return hindered(t, on("/login", status(429))) },
			says:    []string{"429", "rate limit"}},
		"login leaves nothing in the browser": {
			address: func(t *testing.T) string {
				return hindered(t, on("/login", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
			},
			says: []string{"the login did not sign alice in"}},
		"silence": {
			address: func(t *testing.T) string {
				return hindered(t, func(w http.ResponseWriter, _ *http.Request) bool {
					if served.Add(1) < 8 {
						return false
					}
					panic(http.ErrAbortHandler) // the connection is cut: a target that died half-way
				})
			},
			says: []string{"closed without an answer"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := fmt.Sprintf(demoRecipe, test.address(t))
			if test.change != nil {
				changed := test.change(text)
				if changed == text {
					t.Fatal("the change changed nothing")
				}
				text = changed
			}
			made := scan(t, text)
			if made.Gate.ExitCode != 3 || made.Gate.Passed {
				t.Errorf("gate: %+v", made.Gate)
			}
			for _, word := range test.says {
				if !strings.Contains(made.Problem, word) {
					t.Errorf("problem %q does not say %q", made.Problem, word)
				}
			}
			if strings.Contains(made.Problem, "\n") {
				t.Errorf("more than a sentence: %q", made.Problem)
			}
			for _, row := range made.Results {
				// What a request without any credential gets is asked all the same.
				if row.Outcome == finding.Pass && row.Rule.ID != "session-identity-from-network" {
					t.Errorf("%s is called passed", row.Rule.ID)
				}
			}
		})
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// A rate limit that sets in after calibration leaves the rest untested, with
// the remedy; the scan stops asking.
func TestALateRateLimitStopsTheScan(t *testing.T) {
	t.Parallel()
	var logins, after atomic.Int64
	address := hindered(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/login" && logins.Add(1) > 8 {
			after.Add(1)
			http.Error(w, "slow down", http.StatusTooManyRequests)
			return true
		}
		return false
	})
	made := scan(t, fmt.Sprintf(demoRecipe, address))
	if made.Gate.ExitCode != 3 || len(made.Coverage.CoreUntested) == 0 {
		t.Errorf("gate %+v, core untested %v", made.Gate, made.Coverage.CoreUntested)
	}
	if n := after.Load(); n > 10 {
		t.Errorf("%d logins were tried after the first 429", n)
	}
	limited := 0
	for _, row := range made.Results {
		if row.Outcome == finding.NotTested && row.Reason.Code == finding.RateLimited {
			limited++
		}
	}
	if limited == 0 {
		t.Error("no rule says that the rate limit kept it from being tested")
	}
}

func TestAllowInconclusiveLetsTheScoreDecide(t *testing.T) {
	t.Parallel()
	r, err := recipe.Parse("recipe.yml", []byte(fmt.Sprintf(demoRecipe, closedPort(t))), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	r.Gate.FailUnder = 0
	made, err := app.Audit(t.Context(), app.Options{Recipe: r, Now: time.Now(), AllowInconclusive: true})
	if err != nil || made.Gate.ExitCode != 0 {
		t.Errorf("gate %+v, %v", made.Gate, err)
	}
}

func TestAMissingStepCostsPointsAndDoesNotBlock(t *testing.T) {
	t.Parallel()
	text := strings.Replace(fmt.Sprintf(demoRecipe, demo(t)), "  logout: {request: POST /logout}\n", "", 1)
	text = strings.Replace(text, "  - {name: bob, password: bob-demo-password}\n", "", 1)
	made := scan(t, text)
	if made.Gate.ExitCode != 0 || made.Score.Value >= 100 {
		t.Errorf("score %d, gate %+v", made.Score.Value, made.Gate)
	}
	for rule, remedy := range map[string]string{"logout-session-not-invalidated": "steps.logout", "cross-user-session-reuse": "second user"} {
		i := slices.IndexFunc(made.Results, func(row report.Result) bool { return row.Rule.ID == rule })
		if row := made.Results[i]; row.Outcome != finding.NotTested || !strings.Contains(row.Reason.Remedy, remedy) {
			t.Errorf("%s: %s %s; remedy %q", rule, row.Outcome, row.Reason, row.Reason.Remedy)
		}
	}
}

func TestDeclaredRulesAreShownAndNotScored(t *testing.T) {
	t.Parallel()
	text := demoapi.Recipe(demo(t, "logout-session-not-invalidated", "session-cookie-prefix-missing")) + `
not-applicable: [{rule: logout-session-not-invalidated, reason: "no logout by design"}]
accepted: [{rule: session-cookie-prefix-missing, reason: "legacy domain", until: 2999-01-01}]
`
	made := scan(t, text)
	// Of the hardened demo only the store and the log cannot be seen.
	if made.Score.Value != scan(t, demoapi.Recipe(demo(t))).Score.Value || made.WithAccepted > 94 || len(made.Findings) != 1 || made.Findings[0].Status != report.Accepted {
		t.Errorf("score %d (%d with accepted), findings %v", made.Score.Value, made.WithAccepted, made.Findings)
	}
	i := slices.IndexFunc(made.Results, func(row report.Result) bool { return row.Rule.ID == "logout-session-not-invalidated" })
	if row := made.Results[i]; row.Outcome != finding.NotApplicable || row.Reason.Text != "no logout by design" {
		t.Errorf("declared rule: %+v", row)
	}
}

func TestAnAcceptanceExpires(t *testing.T) {
	t.Parallel()
	made := scan(t, demoapi.Recipe(demo(t, "session-cookie-prefix-missing"))+`
accepted: [{rule: session-cookie-prefix-missing, reason: "legacy domain", until: 2020-01-01}]
`)
	if made.Score.Value > 94 || made.Findings[0].Status != report.New {
		t.Errorf("score %d, status %s", made.Score.Value, made.Findings[0].Status)
	}
}

func TestUnknownRulesAreUsageErrors(t *testing.T) {
	t.Parallel()
	_, err := try(t, fmt.Sprintf(demoRecipe, "http://127.0.0.1:1")+"not-applicable: [{rule: logout-session-not-invalidate, reason: x}]\n")
	if err == nil || !strings.Contains(err.Error(), "recipe.yml:11:") || !strings.Contains(err.Error(), "logout-session-not-invalidated") {
		t.Errorf("got: %v", err)
	}
}

func TestOnlyNewFindingsBlockWithABaseline(t *testing.T) {
	t.Parallel()
	address := demo(t, "session-cookie-missing-httponly")
	text := fmt.Sprintf(demoRecipe, address)
	var whole bytes.Buffer
	if err := app.Write(scan(t, text), []app.Output{{Format: "json", File: "-"}}, &whole, app.Style{}); err != nil {
		t.Fatal(err)
	}
	baseline := t.TempDir() + "/baseline.json"
	if err := app.Write(scan(t, text), []app.Output{{Format: "json", File: baseline}}, nil, app.Style{}); err != nil {
		t.Fatal(err)
	}
	gate := fmt.Sprintf("gate: {fail-on: new, baseline: %s}\n", baseline)
	if made := scan(t, text+gate); made.Gate.ExitCode != 0 || made.Findings[0].Status != report.Known {
		t.Errorf("known: %+v, status %s", made.Gate, made.Findings[0].Status)
	}
	worse := fmt.Sprintf(demoRecipe, demo(t, "session-cookie-missing-httponly", "session-cookie-persistent")) + gate
	if made := scan(t, worse); made.Gate.ExitCode != 1 {
		t.Errorf("worse: %+v", made.Gate)
	}
	mended := scan(t, fmt.Sprintf(demoRecipe, demo(t))+gate)
	if diff := cmp.Diff(report.Baseline{Given: true, Source: "baseline.json", Gone: []string{"session-cookie-missing-httponly"}}, mended.Baseline); diff != "" {
		t.Errorf("mended (-want +got):\n%s", diff)
	}
	var decoded struct{ Version int }
	if err := json.Unmarshal(whole.Bytes(), &decoded); err != nil || decoded.Version != 1 {
		t.Errorf("report: %v, version %d", err, decoded.Version)
	}
}

func TestACancelledScanIsNoReport(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	address := hindered(t, func(http.ResponseWriter, *http.Request) bool { cancel(); return false })
	r, err := recipe.Parse("recipe.yml", []byte(fmt.Sprintf(demoRecipe, address)), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.Audit(ctx, app.Options{Recipe: r, Now: time.Now()}); err == nil {
		t.Error("a report was made of a scan that was cancelled")
	}
}

func TestASlowTargetMeetsTheTimeout(t *testing.T) {
	t.Parallel()
	address := hindered(t, func(_ http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done()
		return true
	})
	r, err := recipe.Parse("recipe.yml", []byte(fmt.Sprintf(demoRecipe, address)), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	made, err := app.Audit(t.Context(), app.Options{Recipe: r, Now: time.Now(), Timeout: 300 * time.Millisecond})
	if err != nil || made.Gate.ExitCode != 3 || !strings.Contains(made.Problem, "300ms") {
		t.Errorf("%v, %+v, %q", err, made.Gate, made.Problem)
	}
}

// K7: an account that the attacks locked makes their failures worth nothing.
func TestALockedAccountIsNoPass(t *testing.T) {
	t.Parallel()
	var logins atomic.Int64
	address := hindered(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/login" && logins.Add(1) > 20 {
			http.Error(w, "locked", http.StatusForbidden)
			return true
		}
		return false
	})
	made := scan(t, fmt.Sprintf(demoRecipe, address))
	if made.Gate.ExitCode != 3 {
		t.Errorf("gate %+v", made.Gate)
	}
	for _, row := range made.Results {
		if row.Outcome == finding.Pass {
			t.Errorf("%s is called passed", row.Rule.ID)
		}
	}
}
