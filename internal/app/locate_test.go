package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/app"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
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
