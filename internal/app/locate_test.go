package app_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/app"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/testenv/demoapi"
)

const handler = `from fastapi import FastAPI, Response, Cookie
app = FastAPI()
@app.post("/login")
def login(response: Response, given: str = Cookie(None, alias="sid-alice-demo-password")):
    response.set_cookie("session_id", given or fresh())
`

// The workspace is the source of the API: what it shows stands on the finding
// of the fixation family, without the secrets that it may hold.
func TestTheSourceExplainsAFinding(t *testing.T) {
	t.Parallel()
	const rule = "session-id-not-rotated-on-login"
	for name, one := range map[string]struct {
		sources       map[string]string
		from          string
		location      string
		line          int
		doubt, stages string
	}{
		"one handler": {sources: map[string]string{"main.py": handler}, location: "main.py", line: 4, stages: "comes from a cookie set as the cookie session_id"},
		"two handlers": {sources: map[string]string{"main.py": handler, "old.py": handler}, location: "recipe.yml", line: 8,
			doubt: "2 handlers fit: main.py:4, old.py:4"},
		"none":                         {sources: map[string]string{"main.py": "x = 1\n"}, location: "recipe.yml", line: 8},
		"the recipe names another":     {sources: map[string]string{"main.py": handler}, from: "other.py:7", location: "other.py", line: 7},
		"a handler that makes its own": {sources: map[string]string{"main.py": strings.Replace(handler, "given or ", "", 1)}, location: "main.py", line: 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			for file, text := range one.sources {
				if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			text := strings.Replace(demoRecipe, "%s", demo(t, rule), 1)
			if one.from != "" {
				text = strings.Replace(text, "login: {request", "login: {source: \""+one.from+"\", request", 1)
			}
			made := scan(t, text, func(o *app.Options) { o.Workspace = folder })
			found := findingOf(t, made, rule)
			if found.Location != (finding.Location{File: one.location, Line: one.line}) || found.Doubt != one.doubt {
				t.Errorf("location %+v, doubt %q", found.Location, found.Doubt)
			}
			stages := ""
			for _, step := range found.Flow {
				stages += " " + step.Says
			}
			if strings.Contains(stages, "alice-demo-password") || !strings.HasSuffix(stages, one.stages) || (one.stages == "") != (len(found.Flow) == 0) {
				t.Errorf("flow %v", found.Flow)
			}
		})
	}
}

// A page that no step names has a handler, too.
func TestThePageThatShowsTooMuchIsLocated(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	source := "from fastapi import FastAPI\napp = FastAPI()\n\n@app.get(\"/debug/sessions\")\ndef sessions(): ...\n\n@app.get(\"/customers\")\ndef customers(): ...\n"
	if err := os.WriteFile(filepath.Join(folder, "main.py"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	for rule, line := range map[string]int{"session-ids-shown-to-strangers": 5, "personal-data-without-session": 8} {
		made := scan(t, "version: 1\ntarget: {url: "+demo(t, rule)+"}\n", func(o *app.Options) { o.Workspace = folder })
		if found := findingOf(t, made, rule); found.Location != (finding.Location{File: "main.py", Line: line}) {
			t.Errorf("%s: location %+v, doubt %q", rule, found.Location, found.Doubt)
		}
	}
}

func findingOf(t *testing.T, made report.Report, rule string) report.Finding {
	t.Helper()
	for _, found := range made.Findings {
		if found.Rule.Base() == rule {
			return found
		}
	}
	t.Fatalf("no finding of %s but of %v; %s", rule, failed(made), made.Problem)
	return report.Finding{}
}

// described is the demo API beside a description of its own.
func described(t *testing.T, description string, flaws ...string) string {
	t.Helper()
	api, err := demoapi.New(flaws...)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", api)
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, description) })
	return serve(t, mux)
}

func description(operation string) string {
	return strings.ReplaceAll(`{"openapi": "3.1.0", "paths": {
 "/login": {
  "post": {"operationId": "NAME", "requestBody": {"content": {"application/json": {"schema": {"required": ["username", "password"],
   "properties": {"username": {"type": "string"}, "password": {"type": "string"}}}}}}}
 },
 "/me": {"get": {"operationId": "me_me_get", "security": [{"cookie": []}]}},
 "/logout": {"post": {"operationId": "logout_logout_post"}}
}}
`, "NAME", operation)
}

// Where the path leaves open which of two handlers it is, the operationId of
// the description tells, and nothing else does.
func TestADescriptionTellsHandlersApart(t *testing.T) {
	t.Parallel()
	const rule = "session-id-not-rotated-on-login"
	other := strings.Replace(handler, "def login", "def enter", 1)
	both := map[string]string{"main.py": handler, "old.py": other}
	inDescription := finding.Location{File: "openapi.json", Line: 3}
	for name, one := range map[string]struct {
		sources      map[string]string
		served, kept string // operationIds of /login; "": no description there
		steps        string
		want         finding.Location
		doubted      bool
	}{
		"the operationId tells":                   {sources: both, served: "enter_login_post", want: finding.Location{File: "old.py", Line: 4}},
		"also for a step of the recipe":           {sources: both, served: "login_login_post", steps: "steps: {login: {request: POST /login, json: {username: \"{{username}}\", password: \"{{password}}\"}}}\n", want: finding.Location{File: "main.py", Line: 4}},
		"one that no handler has":                 {sources: both, served: "ping", want: finding.Location{File: "recipe.yml", Line: 1}, doubted: true},
		"one of another path":                     {sources: both, served: "me_me_get", want: finding.Location{File: "recipe.yml", Line: 1}, doubted: true},
		"a lie about the only handler":            {sources: map[string]string{"main.py": handler}, served: "ping", want: finding.Location{File: "main.py", Line: 4}},
		"the description of the repository tells": {sources: both, kept: "enter_login_post", want: finding.Location{File: "old.py", Line: 4}},
		"no handler, and the repository's line":   {kept: "anything", want: inDescription},
		"two handlers, and the repository's line": {sources: both, kept: "ping", want: inDescription, doubted: true},
		"served, and kept with other names":       {served: "anything", kept: "else", want: inDescription},
		"served alone has no line":                {served: "anything", want: finding.Location{File: "recipe.yml", Line: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			files := maps.Clone(one.sources)
			if files == nil {
				files = map[string]string{}
			}
			if one.kept != "" {
				files["openapi.json"] = description(one.kept)
			}
			for file, text := range files {
				if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			url := demo(t, rule)
			if one.served != "" {
				url = described(t, description(one.served), rule)
			}
			made := scan(t, strings.ReplaceAll(urlAndUsers, "%s", url)+one.steps, func(o *app.Options) {
				o.Workspace, o.Recipe.File = folder, filepath.Join(folder, "recipe.yml")
			})
			found := findingOf(t, made, rule)
			if found.Location != one.want || (found.Doubt != "") != one.doubted {
				t.Errorf("location %+v, not %+v; doubt %q", found.Location, one.want, found.Doubt)
			}
		})
	}
}

// What the recipe says stands before what a description says, and that before
// the recipe's own line.
func TestALineOfTheDescriptionIsAFallback(t *testing.T) {
	t.Parallel()
	const rule = "session-id-not-rotated-on-login"
	for name, one := range map[string]struct {
		file, workspace, source string
		want                    finding.Location
	}{
		"before the recipe":          {file: "openapi.json", want: finding.Location{File: "openapi.json", Line: 3}},
		"in a folder":                {file: "docs/openapi.yaml", want: finding.Location{File: "docs/openapi.yaml", Line: 3}},
		"a workspace above":          {file: "openapi.json", workspace: "..", want: finding.Location{File: "api/openapi.json", Line: 3}},
		"outside of the workspace":   {file: "openapi.json", workspace: "inner", want: finding.Location{File: "recipe.yml", Line: 8}},
		"after what the recipe says": {file: "openapi.json", source: "auth.py:7", want: finding.Location{File: "auth.py", Line: 7}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := filepath.Join(t.TempDir(), "api")
			for _, needed := range []string{filepath.Dir(filepath.Join(folder, one.file)), filepath.Join(folder, "inner")} {
				if err := os.MkdirAll(needed, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(folder, one.file), []byte(description("login")), 0o600); err != nil {
				t.Fatal(err)
			}
			text := strings.Replace(demoRecipe, "%s", demo(t, rule), 1)
			if one.source != "" {
				text = strings.Replace(text, "login: {request", "login: {source: \""+one.source+"\", request", 1)
			}
			made := scan(t, text, func(o *app.Options) {
				o.Workspace, o.Recipe.File = filepath.Join(folder, one.workspace), filepath.Join(folder, "recipe.yml")
			})
			if found := findingOf(t, made, rule); found.Location != one.want {
				t.Errorf("location %+v, not %+v", found.Location, one.want)
			}
		})
	}
}
