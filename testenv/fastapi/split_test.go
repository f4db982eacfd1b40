package fastapi_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// located is a finding and what stands at its place.
type located struct {
	Rule, Step, Subject string
	Location            place
	Flow                []place
}

type place struct {
	File string
	Line int
	Says string
}

func locations(t *testing.T, made scanned) []located {
	t.Helper()
	var read struct{ Findings []located }
	if err := json.Unmarshal([]byte(made.JSON), &read); err != nil {
		t.Fatal(err)
	}
	return read.Findings
}

// The recipes name no source. Every finding is at the handler of its step, or
// at the line that sets the cookie; and after the code was moved it is still.
func TestSplitOverFiles(t *testing.T) {
	t.Parallel()
	for name, move := range map[string]func(*testing.T, string){"as it is": nil, "moved": moveCode} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder, workspace := "testenv/fastapi", "."
			if move != nil {
				folder = copied(t)
				workspace = folder
				move(t, folder)
			}
			made := scan(t, filepath.Join(folder, "split-vulnerable.yml"))
			want(t, made, 1, careless("session-id-not-rotated-on-login", "arbitrary-session-id-accepted",
				"session-id-accepted-in-query", "session-id-accepted-in-header", "cross-user-session-reuse", stays,
				"session-id-insufficient-length/below-128-bits")...)
			handlers := map[string]string{"visit": "def index(", "login": "def login(", "identity": "def profile(", "logout": "def logout("}
			cookies, flows := 0, 0
			for _, found := range locations(t, made) {
				line := source(t, filepath.Join(workspace, found.Location.File), found.Location.Line)
				cookie := strings.HasPrefix(found.Rule, "session-cookie-")
				switch {
				case cookie && strings.Contains(line, "response.set_cookie("):
					cookies++
				case cookie || !strings.Contains(line, handlers[found.Step]):
					t.Errorf("%s of %s points at %s:%d, which is %q", found.Rule, found.Step, found.Location.File, found.Location.Line, line)
				}
				if len(found.Flow) > 0 {
					flows++
					checkFlow(t, workspace, found)
				}
			}
			if cookies != 3 || flows < 5 {
				t.Errorf("%d findings at the cookie's line, %d with a flow", cookies, flows)
			}
			if !strings.Contains(made.SARIF, `"codeFlows"`) || !strings.Contains(made.Text, "In the source") {
				t.Error("the flow is missing in SARIF or in the text")
			}
		})
	}
}

// checkFlow wants the way from the request over the INSERT to the cookie.
func checkFlow(t *testing.T, workspace string, found located) {
	t.Helper()
	stands := map[string]string{
		"comes from the JSON body": "body.session_id", "comes from the query": "query:", "comes from a header": "header:", "comes from a cookie": "cookie:",
		"handed on as given": "def login(", "handed on as session_id": "def begin(", "written to the INSERT into sessions": "conn.execute(", "set as the cookie session_id": "response.set_cookie(",
	}
	for _, step := range found.Flow {
		line := source(t, filepath.Join(workspace, step.File), step.Line)
		known := false
		for says, text := range stands {
			if strings.Contains(step.Says, says) {
				known = true
				if !strings.Contains(line, text) {
					t.Errorf("%s: %q is at %q", found.Rule, step.Says, line)
				}
			}
		}
		if !known {
			t.Errorf("%s: step %q", found.Rule, step.Says)
		}
	}
	if len(found.Flow) != len(stands) {
		t.Errorf("%s: flow %v", found.Rule, found.Flow)
	}
}

func TestSplitOverFilesHardened(t *testing.T) {
	t.Parallel()
	made := scan(t, "testenv/fastapi/split-hardened.yml")
	want(t, made, 0)
	sound(t, made)
	if strings.Contains(made.SARIF, "codeFlows") {
		t.Error("a flow without a finding")
	}
}

// copied is the folder of the applications elsewhere, with the environment that
// they run in.
func copied(t *testing.T) string {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), "testenv/fastapi/serve", "--install").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	to := t.TempDir()
	for _, name := range []string{"serve", "requirements.txt", "schema.sql", "seed.sql", "store.py", "split-vulnerable.yml"} {
		info, err := os.Stat(filepath.Join("testenv/fastapi", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), []byte(file(t, name)), info.Mode()); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.CopyFS(filepath.Join(to, "split"), os.DirFS("testenv/fastapi/split")); err != nil {
		t.Fatal(err)
	}
	environment, err := filepath.Abs("testenv/fastapi/.venv")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(environment, filepath.Join(to, ".venv")); err != nil {
		t.Fatal(err)
	}
	return to
}

// moveCode puts lines before the code, and functions into files of their own.
func moveCode(t *testing.T, folder string) {
	t.Helper()
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(folder, "split/vulnerable", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, "split/vulnerable", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const more = "# moved\n\n\n\n"
	kept, begin, found := strings.Cut(read("sessions.py"), "def begin(")
	if !found {
		t.Fatal("sessions.py has no begin")
	}
	write("sessions.py", more+kept+"from .cookies import begin\n")
	write("cookies.py", "from uuid import UUID\n\nfrom fastapi import Response\n\nimport store\n\n\ndef begin("+begin)
	kept, logout, found := strings.Cut(read("auth.py"), `@router.post("/logout")`)
	if !found {
		t.Fatal("auth.py has no logout")
	}
	write("auth.py", more+kept)
	write("leaving.py", "from fastapi import APIRouter, Response\n\nrouter = APIRouter(prefix=\"/logout\")\n\n\n@router.post(\"\")"+logout)
	write("api.py", read("api.py")+"from .leaving import router as leaving\n\napi.include_router(leaving, prefix=\"/auth\")\n")
}
