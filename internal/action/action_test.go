package action_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/action"
	"github.com/sessiongate/sessiongate/testenv/demoapi"
	"github.com/sessiongate/sessiongate/testenv/gate"
)

const (
	sha   = "0123456789abcdef0123456789abcdef01234567"
	token = "canary-github-token"
)

// step is a step in a workspace of its own, with what the runner would give it.
type step struct {
	t      *testing.T
	env    map[string]string
	github *github
}

// newStep stands in the workspace, as a container action does.
func newStep(t *testing.T, api http.Handler) *step {
	t.Helper()
	target := httptest.NewServer(api)
	t.Cleanup(target.Close)
	hub := newGithub(t)
	t.Chdir(t.TempDir())
	files := t.TempDir()
	s := &step{t: t, github: hub, env: map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main", "GITHUB_SHA": sha,
		"GITHUB_REPOSITORY": "acme/shop", "GITHUB_API_URL": hub.URL + "/api/v3", "GITHUB_ACTOR": "octocat",
		"GITHUB_EVENT_PATH": filepath.Join(files, "event.json"), "GITHUB_OUTPUT": filepath.Join(files, "output"),
		"GITHUB_STEP_SUMMARY": filepath.Join(files, "summary"),
		"INPUT_URL":           target.URL, "INPUT_LOGIN": "POST /login", "INPUT_IDENTITY": "GET /me", "INPUT_LOGOUT": "POST /logout",
		"INPUT_USERS":        "alice=alice-demo-password\nbob=bob-demo-password\n",
		"INPUT_UPLOAD-SARIF": "auto", "INPUT_TOKEN": token,
	}}
	s.event(`{"repository": {"default_branch": "main"}}`)
	return s
}

func (s *step) event(payload string) {
	s.t.Helper()
	if err := os.WriteFile(s.env["GITHUB_EVENT_PATH"], []byte(payload), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// ran is what a step left.
type ran struct {
	code         int
	log, summary string
	outputs      map[string]string
}

func (s *step) run() ran {
	s.t.Helper()
	var log bytes.Buffer
	code := action.Step{Getenv: func(name string) string { return s.env[name] }, Out: &log, Version: "1.2.3",
		Pauses: []time.Duration{time.Millisecond, time.Millisecond}, Retry: time.Millisecond}.Run(s.t.Context())
	made := ran{code: code, log: log.String(), summary: read(s.env["GITHUB_STEP_SUMMARY"]), outputs: gate.Outputs(read(s.env["GITHUB_OUTPUT"]))}
	for where, text := range map[string]string{"log": strings.Join(unmasked(made.log), "\n"), "summary": made.summary, "outputs": fmt.Sprint(made.outputs),
		"SARIF": read("sessiongate.sarif"), "JSON": read("sessiongate.json"), "HTML": read("sessiongate.html")} {
		for _, canary := range []string{token, "alice-demo-password", "bob-demo-password"} {
			if strings.Contains(text, canary) {
				s.t.Errorf("%s in the %s", canary, where)
			}
		}
	}
	return made
}

func read(name string) string {
	data, _ := os.ReadFile(name)
	return string(data)
}

// unmasked are the lines of a log that the runner shows.
func unmasked(log string) []string {
	var lines []string
	for line := range strings.Lines(log) {
		if !strings.HasPrefix(line, "::add-mask::") {
			lines = append(lines, strings.TrimRight(line, "\n"))
		}
	}
	return lines
}

var issued = regexp.MustCompile(`(?m)^\s*::([a-z-]+)( [^\n]*?)?::(.*)$`)

// commands counts what the runner would take for commands, by name.
func commands(log string) map[string]int {
	counts := map[string]int{}
	for _, one := range issued.FindAllStringSubmatch(strings.ReplaceAll(log, "\r", "\n"), -1) {
		counts[one[1]]++
	}
	return counts
}

// github is code scanning, as far as it is asked.
type github struct {
	*httptest.Server
	mu       sync.Mutex
	uploads  []map[string]string
	refusal  string // "403 text" instead of an acceptance
	status   string // of a processed upload
	analyses string
	last     string // the SARIF of analysis 7
	alerts   string
}

func newGithub(t *testing.T) *github {
	t.Helper()
	hub := &github{status: `{"processing_status": "complete"}`, analyses: "[]", alerts: "[]"}
	mux := http.NewServeMux()
	const base = "/api/v3/repos/acme/shop/code-scanning"
	mux.HandleFunc("POST "+base+"/sarifs", hub.take)
	mux.HandleFunc("GET "+base+"/sarifs/{id}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, hub.status) })
	mux.HandleFunc("GET "+base+"/analyses", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, hub.analyses) })
	mux.HandleFunc("GET "+base+"/analyses/7", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, hub.last) })
	mux.HandleFunc("GET "+base+"/alerts", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, hub.alerts) })
	hub.Server = httptest.NewServer(mux)
	t.Cleanup(hub.Close)
	return hub
}

func (hub *github) take(w http.ResponseWriter, r *http.Request) {
	hub.mu.Lock()
	defer hub.mu.Unlock()
	if status, text, refused := strings.Cut(hub.refusal, " "); refused {
		var code int
		_, _ = fmt.Sscan(status, &code)
		w.WriteHeader(code)
		fmt.Fprintf(w, `{"message": %q}`, text)
		return
	}
	var got map[string]string
	if json.NewDecoder(r.Body).Decode(&got) != nil || r.Header.Get("Authorization") != "Bearer "+token {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	hub.uploads = append(hub.uploads, got)
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprint(w, `{"id": "x"}`)
}

func unpack(t *testing.T, packed string) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(packed)
	if err != nil {
		t.Fatal(err)
	}
	zip, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func demo(t *testing.T, flaws ...string) http.Handler {
	t.Helper()
	api, err := demoapi.New(flaws...)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

func TestAVulnerableAPIFailsTheJob(t *testing.T) {
	s := newStep(t, demo(t, demoapi.Demo()...))
	const file = ".github/workflows/gate.yml"
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("on: push\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.env["GITHUB_WORKFLOW_REF"] = "acme/shop/" + file + "@refs/heads/main"
	got := s.run()
	if got.code != 1 {
		t.Errorf("exit code %d\n%s", got.code, got.log)
	}
	want := map[string]string{"grade": "F", "passed": "false", "sarif-file": "sessiongate.sarif", "report-file": "sessiongate.json", "html-file": "sessiongate.html"}
	for name, value := range want {
		if got.outputs[name] != value {
			t.Errorf("output %s is %q, want %q", name, got.outputs[name], value)
		}
	}
	var written struct {
		Score    int
		Findings []struct{ Status string }
		Results  []struct{ Outcome string }
	}
	if err := json.Unmarshal([]byte(read("sessiongate.json")), &written); err != nil {
		t.Fatal(err)
	}
	untested := 0
	for _, result := range written.Results {
		if result.Outcome == "not-tested" {
			untested++
		}
	}
	counted := map[string]string{"score": fmt.Sprint(written.Score), "findings-count": fmt.Sprint(len(written.Findings)),
		"new-findings-count": fmt.Sprint(len(written.Findings)), "not-tested-count": fmt.Sprint(untested)}
	for name, value := range counted {
		if got.outputs[name] != value {
			t.Errorf("output %s is %q, the report has %q", name, got.outputs[name], value)
		}
	}
	for _, words := range []string{"```mermaid\nsequenceDiagram", "### No baseline", "has no analysis", "**Code scanning:** uploaded"} {
		if !strings.Contains(got.summary, words) {
			t.Errorf("the summary does not say %q", words)
		}
	}
	counts := commands(got.log)
	if counts["error"] != 4 || counts["warning"] == 0 || counts["notice"] == 0 || counts["group"] != 1 || counts["endgroup"] != 1 {
		t.Errorf("%v", counts)
	}
	if words := "::error file=" + file + ",line=1,title=high 8"; !strings.Contains(got.log, words) {
		t.Errorf("the log does not say %q", words)
	}
	if masked := counts["add-mask"]; masked != 3 {
		t.Errorf("%d masks for two passwords and a token", masked)
	}
	if len(s.github.uploads) != 1 {
		t.Fatalf("%d uploads", len(s.github.uploads))
	}
	upload := s.github.uploads[0]
	if sarif := unpack(t, upload["sarif"]); sarif != read("sessiongate.sarif") || !strings.Contains(sarif, `"sessiongate/api/"`) {
		t.Error("the upload is not the file")
	}
	if upload["commit_sha"] != sha || upload["ref"] != "refs/heads/main" {
		t.Errorf("%v", upload)
	}
}

// A recipe may name a file that nobody has, or a link: the finding is shown at
// the recipe then.
func TestFindingsStandInFilesOfTheWorkspace(t *testing.T) {
	s := newStep(t, demo(t, demoapi.Demo()...))
	if err := os.Symlink("/etc/hostname", "link.py"); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"app.py": "def logout(): pass\n", "gate.yml": "version: 1\n" +
		"steps:\n  login: {request: POST /login, json: {username: '{{username}}', password: '{{password}}'}, source: nowhere.py:3}\n" +
		"  identity: {request: GET /me, source: link.py:1}\n  logout: {request: POST /logout, source: app.py:1}\n"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.env["INPUT_CONFIG"] = "gate.yml"
	for _, step := range []string{"LOGIN", "IDENTITY", "LOGOUT"} {
		delete(s.env, "INPUT_"+step)
	}
	got := s.run()
	places := map[string]int{}
	for _, found := range regexp.MustCompile(`(?m)^::\w+ file=([^,]+),line=`).FindAllStringSubmatch(got.log, -1) {
		places[found[1]]++
	}
	if len(places) != 2 || places["app.py"] == 0 || places["gate.yml"] == 0 || strings.Contains(read("sessiongate.sarif"), "nowhere.py") {
		t.Errorf("findings stand at %v\n%s", places, got.log[:min(len(got.log), 600)])
	}
}

func TestAHardenedAPIPassesTheJob(t *testing.T) {
	s := newStep(t, demo(t))
	s.env["INPUT_CATEGORY"], s.env["INPUT_HTML-FILE"] = "sessiongate/shop", "shop.html"
	got := s.run()
	if got.code != 0 || got.outputs["passed"] != "true" || got.outputs["findings-count"] != "0" || got.outputs["html-file"] != "shop.html" {
		t.Errorf("exit code %d, %v\n%s", got.code, got.outputs, got.log)
	}
	if counts := commands(got.log); counts["error"]+counts["warning"] > 0 {
		t.Errorf("%v", counts)
	}
	if sarif := unpack(t, s.github.uploads[0]["sarif"]); !strings.Contains(sarif, `"sessiongate/shop/"`) {
		t.Error("the category is not the input's")
	}
}

// What keeps an analysis from code scanning is said, and changes the verdict
// only for who wants it always.
func TestUploads(t *testing.T) {
	const fork = `{"repository": {"default_branch": "main"}, "pull_request": {"head": {"repo": {"full_name": "somebody/shop"}}}}`
	for name, test := range map[string]struct {
		change  func(s *step)
		code    int
		uploads int
		says    string
	}{
		"a pull request": {func(s *step) {
			s.env["GITHUB_EVENT_NAME"], s.env["GITHUB_REF"] = "pull_request", "refs/pull/7/merge"
			s.event(`{"repository": {"default_branch": "main"}, "pull_request": {"head": {"repo": {"full_name": "acme/shop"}}}}`)
		}, 0, 1, "uploaded, and processed"},
		"a merge queue": {func(s *step) {
			s.env["GITHUB_EVENT_NAME"], s.env["GITHUB_REF"] = "merge_group", "refs/heads/gh-readonly-queue/main/pr-7-0123"
		}, 0, 1, "uploaded, and processed"},
		"a schedule":      {func(s *step) { s.env["GITHUB_EVENT_NAME"] = "schedule" }, 0, 1, "uploaded, and processed"},
		"a fork":          {func(s *step) { s.env["GITHUB_EVENT_NAME"] = "pull_request"; s.event(fork) }, 0, 0, "upload-sarif"},
		"a deleted fork":  {func(s *step) { s.event(`{"pull_request": {"head": {"repo": null}}}`) }, 0, 0, "from a fork"},
		"Dependabot":      {func(s *step) { s.env["GITHUB_ACTOR"] = "dependabot[bot]" }, 0, 0, "Dependabot"},
		"another's event": {func(s *step) { s.env["GITHUB_EVENT_NAME"] = "pull_request_target" }, 0, 0, "default branch"},
		"never":           {func(s *step) { s.env["INPUT_UPLOAD-SARIF"] = "never" }, 0, 0, ""},
		"no token":        {func(s *step) { s.env["INPUT_TOKEN"] = "" }, 0, 0, "token is empty"},
		"no commit":       {func(s *step) { s.env["GITHUB_SHA"] = "" }, 0, 0, "which commit"},
		"no permission":   {func(s *step) { s.github.refusal = "403 Resource not accessible by integration" }, 0, 0, "security-events: write"},
		"disabled": {func(s *step) {
			s.github.refusal = "403 Code Security must be enabled for this repository to use code scanning."
		}, 0, 0, "not enabled"},
		"rate limit": {func(s *step) { s.github.refusal = "429 slow down" }, 0, 0, "limit"},
		"refused later": {func(s *step) {
			s.github.status = `{"processing_status": "failed", "errors": ["rejecting SARIF, as ::x:: has none"]}`
		}, 0, 1, "rejecting SARIF"},
		"still pending":              {func(s *step) { s.github.status = `{"processing_status": "pending"}` }, 0, 1, "still processing"},
		"no permission, but always":  {func(s *step) { always(s); s.github.refusal = "403 Resource not accessible by integration" }, 1, 0, "security-events"},
		"a fork, but always":         {func(s *step) { always(s); s.event(fork) }, 0, 1, "uploaded, and processed"},
		"still pending, even always": {func(s *step) { always(s); s.github.status = `{"processing_status": "pending"}` }, 0, 1, "still processing"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStep(t, demo(t))
			test.change(s)
			got := s.run()
			if got.code != test.code || got.outputs["passed"] != fmt.Sprint(test.code == 0) || len(s.github.uploads) != test.uploads {
				t.Errorf("exit code %d, passed %s, %d uploads\n%s", got.code, got.outputs["passed"], len(s.github.uploads), got.log)
			}
			if test.says == "" && strings.Contains(got.summary, "Code scanning") || !strings.Contains(got.summary, test.says) {
				t.Errorf("the summary does not say %q: %s", test.says, got.summary[max(0, len(got.summary)-400):])
			}
			if read("sessiongate.sarif") == "" || got.outputs["sarif-file"] == "" {
				t.Error("there is no SARIF file for another step")
			}
		})
	}
}

func always(s *step) { s.env["INPUT_UPLOAD-SARIF"] = "always" }

// A scan that measured nothing says so, leaves no SARIF that could close
// alerts, not even one that lay there, and fails.
func TestNothingMeasured(t *testing.T) {
	s := newStep(t, demo(t))
	s.env["INPUT_LOGIN"] = "POST /nowhere"
	if err := os.WriteFile("sessiongate.sarif", []byte(`{"runs": []}`), 0o600); err != nil {
		t.Fatal(err)
	}
	always(s)
	got := s.run()
	if got.code != 3 || got.outputs["passed"] != "false" || got.outputs["sarif-file"] != "" || read("sessiongate.sarif") != "" || len(s.github.uploads) != 0 {
		t.Errorf("exit code %d, %v, %d uploads", got.code, got.outputs, len(s.github.uploads))
	}
	if !strings.Contains(got.log, "::error title=sessiongate%3A could not measure::") || !strings.Contains(got.summary, "not complete") {
		t.Errorf("%s\n%s", got.log, got.summary)
	}
	if read("sessiongate.json") == "" {
		t.Error("there is no JSON report that says why")
	}
}

// With a baseline in code scanning, a pull request answers for what it made
// worse, and not for what was dismissed.
func TestOnlyNewFindingsBlockAgainstTheDefaultBranch(t *testing.T) {
	s := newStep(t, demo(t, "session-cookie-missing-httponly", "session-cookie-persistent"))
	s.env["INPUT_FAIL-ON"], s.env["GITHUB_REF"] = "new", "refs/pull/7/merge"
	first := s.run()
	if first.code != 0 && !strings.Contains(first.summary, "No baseline") || first.outputs["new-findings-count"] == "0" {
		t.Fatalf("exit code %d, %v", first.code, first.outputs)
	}
	s.github.analyses = `[{"id": 7, "category": "sessiongate/api", "commit_sha": "` + sha + `", "error": ""}]`
	s.github.last = numbered(t, unpack(t, s.github.uploads[0]["sarif"]), 0)
	reset(t, s)
	if got := s.run(); got.code != 0 || got.outputs["new-findings-count"] != "0" || !strings.Contains(got.summary, "Compared with the analysis of 0123456 on main") {
		t.Errorf("all known: exit code %d, %v\n%s", got.code, got.outputs, got.summary)
	}
	s.github.last = numbered(t, unpack(t, s.github.uploads[0]["sarif"]), 1)
	reset(t, s)
	if got := s.run(); got.code != 1 || got.outputs["new-findings-count"] != "1" {
		t.Errorf("one is new: exit code %d, %v", got.code, got.outputs)
	}
	s.github.last, s.github.alerts = numbered(t, unpack(t, s.github.uploads[0]["sarif"]), 0), `[{"number": 1}]`
	reset(t, s)
	if got := s.run(); got.code != 0 || got.outputs["new-findings-count"] != "0" || !strings.Contains(got.summary, "dismissed in code scanning") {
		t.Errorf("one is dismissed: exit code %d, %v", got.code, got.outputs)
	}
}

// numbered is the analysis as GitHub gives it back, without the first findings.
func numbered(t *testing.T, sarif string, without int) string {
	t.Helper()
	var document map[string]any
	if err := json.Unmarshal([]byte(sarif), &document); err != nil {
		t.Fatal(err)
	}
	run := document["runs"].([]any)[0].(map[string]any)
	results := run["results"].([]any)
	if len(results) < 2 {
		t.Fatalf("%d results", len(results))
	}
	for i, result := range results {
		result.(map[string]any)["properties"] = map[string]any{"github/alertNumber": i + 1}
	}
	run["results"] = results[without:]
	data, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func reset(t *testing.T, s *step) {
	t.Helper()
	for _, name := range []string{"GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"} {
		if err := os.Remove(s.env[name]); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWrongInputsAreOneSentence(t *testing.T) {
	for want, change := range map[string]map[string]string{
		"input fail-under \"much\"":                   {"INPUT_FAIL-UNDER": "much"},
		"input fail-under 101: a score is 0 to 100":   {"INPUT_FAIL-UNDER": "101"},
		"input fail-on never: write any or new":       {"INPUT_FAIL-ON": "never"},
		"input profile \"quick\": write core or deep": {"INPUT_PROFILE": "quick"},
		"input upload-sarif \"yes\"":                  {"INPUT_UPLOAD-SARIF": "yes"},
		"input allow-inconclusive \"maybe\"":          {"INPUT_ALLOW-INCONCLUSIVE": "maybe"},
		"input login: request \"POST\"":               {"INPUT_LOGIN": "POST"},
		"input users: line 1 is not name=password":    {"INPUT_USERS": "alice"},
		"the password of user 2 is empty":             {"INPUT_USERS": "alice=x\nbob="},
		"input port \"http\"":                         {"INPUT_URL": "", "INPUT_IMAGE": "x", "INPUT_PORT": "http"},
		"input command is about a container":          {"INPUT_COMMAND": "uvicorn app:app"},
		"inputs url and image":                        {"INPUT_IMAGE": "x"},
		"inputs image and context":                    {"INPUT_URL": "", "INPUT_IMAGE": "x", "INPUT_CONTEXT": "."},
		"input environment: line 1 is not NAME=value": {"INPUT_URL": "", "INPUT_IMAGE": "x", "INPUT_ENVIRONMENT": "a b=c"},
		"input sarif-file: ../x.sarif: the file must": {"INPUT_SARIF-FILE": "../x.sarif"},
		"no recipe at none.yml":                       {"INPUT_CONFIG": "none.yml"},
		"there is no target":                          {"INPUT_URL": ""},
		"input ephemeral-database mysql":              {"INPUT_EPHEMERAL-DATABASE": "mysql"},
	} {
		t.Run(want, func(t *testing.T) {
			s := newStep(t, demo(t))
			for name, value := range change {
				s.env[name] = value
			}
			got := s.run()
			if got.code != 2 || got.outputs["passed"] != "false" || !strings.Contains(got.log, "::error title=sessiongate%3A configuration::") {
				t.Errorf("exit code %d, %v", got.code, got.outputs)
			}
			if !strings.Contains(got.log, want) {
				t.Errorf("%s does not say %q", got.log, want)
			}
		})
	}
}

// A folder in the workspace may be a link of the pull request's: nothing is
// written where it leads. A link at the file's own place is replaced.
func TestLinksInTheWorkspace(t *testing.T) {
	s := newStep(t, demo(t))
	elsewhere := t.TempDir()
	if err := os.Symlink(elsewhere, "reports"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(elsewhere, "taken"), "sessiongate.sarif"); err != nil {
		t.Fatal(err)
	}
	s.env["INPUT_HTML-FILE"] = "reports/page.html"
	got := s.run()
	if got.code != 3 || !strings.Contains(got.log, "must lie in the workspace") {
		t.Errorf("exit code %d\n%s", got.code, got.log)
	}
	if left, err := os.ReadDir(elsewhere); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}

// mouthy answers with what steers a runner, a page or a terminal wherever it
// is shown.
type mouthy struct{ http.Handler }

const evil = "x\r::set-output name=passed::true\n::error::stolen ##[add-mask]a \x1b[2J<script>alert(1)</script>"

func (m mouthy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Set-Cookie", "##[error]evil=1; Path=/")
	if r.URL.Path == "/me" && r.Header.Get("Cookie") == "" {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, evil)
		return
	}
	m.Handler.ServeHTTP(w, r)
}

func TestWhatTheTargetSaysIsNoCommand(t *testing.T) {
	s := newStep(t, mouthy{demo(t, demoapi.Demo()...)})
	s.env["INPUT_IDENTITY"] = "GET /me"
	got := s.run()
	allowed := map[string]bool{"add-mask": true, "group": true, "endgroup": true, "error": true, "warning": true, "notice": true}
	for name := range commands(got.log) {
		if !allowed[name] {
			t.Errorf("the command %s was issued", name)
		}
	}
	for _, line := range unmasked(got.log) {
		if strings.Contains(line, "##[") && !strings.HasPrefix(line, "::") || strings.ContainsAny(line, "\x1b\r") {
			t.Errorf("%q", line)
		}
	}
	if strings.Contains(got.summary, "<script") || strings.Contains(got.summary, "\x1b") || got.outputs["passed"] != "false" {
		t.Error("the summary or an output is the target's")
	}
}

// Without what a workflow sets, the action still does its job.
func TestOutsideOfAWorkflow(t *testing.T) {
	s := newStep(t, demo(t))
	for _, name := range []string{"GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_EVENT_PATH", "GITHUB_SHA", "GITHUB_API_URL"} {
		delete(s.env, name)
	}
	if got := s.run(); got.code != 0 || cmp.Diff(map[string]string{}, got.outputs) != "" {
		t.Errorf("exit code %d, %v", got.code, got.outputs)
	}
}
