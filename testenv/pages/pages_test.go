// Package pages_test opens HTML reports of real scans in a real Chromium: does
// anything load or run that should not, and can everybody read them?
package pages_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/app"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/report/reporttest"
	"github.com/sessiongate/sessiongate/testenv/demoapi"
)

// pictures names a folder for the screenshots of every view; without it none
// are taken.
const pictures = "SESSIONGATE_PICTURES"

// seen is what check.mjs prints of one view.
type seen struct {
	Page, Theme, Size string
	Requests          []string
	Complaints        []string
	Dialogs           int
	Scripted          bool
	Elements          []string
	Overflow          int
	Landmarks         struct{ Headings, Main, Tags int }
	Violations        []string
}

func TestPagesInChromium(t *testing.T) {
	t.Parallel()
	chromium := browser(t)
	folder := t.TempDir()
	pages := []string{
		page(t, folder, "vulnerable", scan(t, serve(t, demoapi.Demo()...), "/")),
		page(t, folder, "hardened", scan(t, serve(t), "/")),
		page(t, folder, "hostile", hostile(t)),
		page(t, folder, "problem", reporttest.Problem()),
	}
	views := look(t, chromium, pages)
	if len(views) != 4*len(pages) {
		t.Errorf("%d views of %d pages", len(views), len(pages))
	}
	for _, view := range views {
		t.Run(strings.Join([]string{view.Page, view.Size, view.Theme}, " "), func(t *testing.T) {
			view.check(t)
			if wants := view.Page == "vulnerable.html"; wants != (view.Landmarks.Tags > 10) && view.Page != "hostile.html" {
				t.Errorf("%d places show the traced id", view.Landmarks.Tags)
			}
		})
	}
}

func (s seen) check(t *testing.T) {
	if len(s.Requests) != 1 || !strings.HasPrefix(s.Requests[0], "file://") {
		t.Errorf("beside itself it asked for %q", s.Requests)
	}
	if diff := cmp.Diff([]string{}, s.Complaints); diff != "" {
		t.Errorf("Chromium complains:\n%s", diff)
	}
	if s.Scripted || s.Dialogs > 0 || len(s.Elements) > 0 {
		t.Errorf("a script ran: %t, dialogs: %d, elements that could run or load something: %q", s.Scripted, s.Dialogs, s.Elements)
	}
	if s.Overflow > 0 {
		t.Errorf("the page is %d pixels wider than the window", s.Overflow)
	}
	if s.Landmarks.Headings != 1 || s.Landmarks.Main != 1 {
		t.Errorf("%d first headings, %d main parts", s.Landmarks.Headings, s.Landmarks.Main)
	}
	for _, violation := range s.Violations {
		t.Errorf("axe-core: %s", violation)
	}
}

func browser(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not on PATH; install it to have the HTML report opened in a browser (Debian: apt-get install nodejs npm)")
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("Chromium is not on PATH; install it to have the HTML report opened in it (Debian: apt-get install chromium)")
	return ""
}

func look(t *testing.T, chromium string, pages []string) []seen {
	t.Helper()
	if output, err := exec.CommandContext(t.Context(), "./install").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	folder := "-"
	if named := os.Getenv(pictures); named != "" {
		folder = named
	}
	command := exec.CommandContext(t.Context(), "node", append([]string{"check.mjs", chromium, folder}, pages...)...)
	command.Stderr = os.Stderr
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var views []seen
	if err := json.Unmarshal(output, &views); err != nil {
		t.Fatalf("%v in %s", err, output)
	}
	return views
}

func page(t *testing.T, folder, name string, r report.Report) string {
	t.Helper()
	file := filepath.Join(folder, name+".html")
	if err := app.Write(r, []app.Output{{Format: "html", File: file}}, io.Discard, app.Style{}); err != nil {
		t.Fatal(err)
	}
	return file
}

func serve(t *testing.T, flaws ...string) string {
	t.Helper()
	api, err := demoapi.New(flaws...)
	if err != nil {
		t.Fatal(err)
	}
	return listen(t, api)
}

func listen(t *testing.T, handler http.Handler) string {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func scan(t *testing.T, address, visit string) report.Report {
	t.Helper()
	r, err := recipe.Parse(".sessiongate.yml", []byte(`version: 1
target: {url: "`+address+`"}
users:
  - {name: alice, password: `+demoapi.AlicePassword+`}
  - {name: bob, password: `+demoapi.BobPassword+`}
steps:
  visit: {request: "GET `+visit+`"}
  login: {request: POST /login, json: {username: "{{username}}", password: "{{password}}"}, source: "app/auth.py:42"}
  identity: {request: GET /me, source: "app/auth.py:61"}
  logout: {request: POST /logout, source: "app/auth.py:77"}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	made, err := app.Audit(t.Context(), app.Options{Recipe: r, Now: time.Now(), Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// payload is a script in each of the ways that a page could be made to run one.
const payload = `"><script>window.stolen=1;document.title='stolen';alert(1)</script><img src=x onerror=window.stolen=1>` +
	`<svg onload=alert(1)><a href=javascript:alert(1)>x</a></style><style>*{display:none}</style></title>`

// hostile is the report of an API that plants scripts where a report shows
// something of it, and every other text of the report has one too.
func hostile(t *testing.T) report.Report {
	t.Helper()
	api, err := demoapi.New(demoapi.Demo()...)
	if err != nil {
		t.Fatal(err)
	}
	address := listen(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Set-Cookie", "<script>alert(1)</script>=1; Path=/<script>alert(1)</script>; SameSite=<b>")
		api.ServeHTTP(w, r)
	}))
	scanned, planted := scan(t, address, "/"), reporttest.Seasoned(payload)
	if len(scanned.Cookies) < 2 || !strings.Contains(scanned.Cookies[0].Name, "<script>") {
		t.Fatalf("the API's cookie is not in the report: %+v", scanned.Cookies)
	}
	planted.Problem = ""
	planted.Cookies = append(planted.Cookies, scanned.Cookies...)
	planted.Findings = append(planted.Findings, scanned.Findings...)
	planted.Results = append(planted.Results, scanned.Results...)
	return planted
}
