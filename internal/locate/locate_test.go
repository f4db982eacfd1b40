package locate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/locate"
)

// workspace writes files and reads them as a workspace.
func workspace(t *testing.T, sources map[string]string, start locate.Start) *locate.Source {
	t.Helper()
	folder := t.TempDir()
	for name, text := range sources {
		file := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	source, err := locate.Read(t.Context(), folder, start, locate.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// lineOf is where a text stands in a file of the test applications.
func lineOf(t *testing.T, file, text string) int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testenv, filepath.FromSlash(file)))
	if err != nil {
		t.Fatal(err)
	}
	before, _, found := strings.Cut(string(data), text)
	if !found {
		t.Fatalf("%s has no %q", file, text)
	}
	return strings.Count(before, "\n") + 1
}

var testenv = filepath.Join("..", "..", "testenv")

func TestApplicationsOfThisRepository(t *testing.T) {
	t.Parallel()
	for _, one := range []struct{ app, method, path, file, head, cookie, setter, line string }{
		{"vulnerable", "POST", "/login", "vulnerable", "def login(", "session_id", "vulnerable", "response.set_cookie(\"session_id\", session_id)\n    return {\"message\": \"Logged in"},
		{"keeps_anonymous", "GET", "/", "keeps_anonymous", "def index(", "__Host-session_id", "keeps_anonymous", "response.set_cookie("},
		{"keeps_anonymous", "POST", "/login", "keeps_anonymous", "def login(", "__Host-session_id", "hardened", "response.set_cookie("},
		{"keeps_anonymous", "GET", "/profile", "hardened", "def profile(", "", "", ""},
	} {
		source, err := locate.Read(t.Context(), testenv, locate.Start{Folder: "fastapi", Command: []string{"./serve", one.app + ".app:app"}}, locate.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		file := "fastapi/" + one.file + "/app.py"
		place, reason := source.Handler(one.method, one.path, "")
		if want := (locate.Place{File: file, Line: lineOf(t, file, one.head)}); place != want {
			t.Errorf("%s %s of %s: %s %s, want %s", one.method, one.path, one.app, place, reason, want)
		}
		if one.cookie == "" {
			continue
		}
		file = "fastapi/" + one.setter + "/app.py"
		if line, _ := source.Cookie(place, one.cookie); line != (locate.Place{File: file, Line: lineOf(t, file, one.line)}) {
			t.Errorf("cookie of %s %s: %s", one.method, one.path, line)
		}
	}
}

func TestManyApplicationsFit(t *testing.T) {
	t.Parallel()
	source, err := locate.Read(t.Context(), testenv, locate.Start{}, locate.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if place, reason := source.Handler("POST", "/login", ""); reason.Code != locate.SeveralFit {
		t.Errorf("%s %s", place, reason)
	}
}

func TestRoutersOverFiles(t *testing.T) {
	t.Parallel()
	sources := map[string]string{
		"app/__init__.py": "",
		"app/main.py": "from fastapi import FastAPI\nfrom .api import api\nfrom .admin import admin\napp = FastAPI()\n" +
			"app.include_router(api, prefix='/v1')\napp.mount('/admin', admin)\n",
		"app/api.py": "from fastapi import APIRouter\nfrom app.auth import routes\napi = APIRouter(prefix='/api')\napi.include_router(routes.router, prefix='/auth')\n",
		"app/auth/routes.py": "from fastapi import APIRouter, Response\nfrom .cookies import keep\nrouter = APIRouter()\n\n" +
			"@router.post('/login')\nasync def login(response: Response):\n    keep(response, 'x')\n",
		"app/auth/cookies.py": "NAME = 'sid'\ndef keep(response, value):\n    response.headers['set-cookie'] = f'{NAME}={value}; Path=/'\n",
		"app/admin.py":        "from fastapi import FastAPI\nadmin = FastAPI()\ndef login(): ...\nadmin.add_api_route('/login', login, methods=['POST'])\n",
	}
	for _, moved := range []int{0, 7} {
		sources["app/auth/routes.py"] = strings.Repeat("# moved\n", moved) + sources["app/auth/routes.py"]
		source := workspace(t, sources, locate.Start{})
		place, reason := source.Handler("POST", "/v1/auth/login", "")
		if place != (locate.Place{}) || reason.Code != locate.NoneFits {
			t.Errorf("a path without the router's own prefix: %s", place)
		}
		place, reason = source.Handler("POST", "/v1/api/auth/login", "")
		if want := (locate.Place{File: "app/auth/routes.py", Line: 6 + moved}); place != want {
			t.Errorf("%s %s, want %s", place, reason, want)
		}
		if line, _ := source.Cookie(place, "sid"); line != (locate.Place{File: "app/auth/cookies.py", Line: 3}) {
			t.Errorf("cookie: %s", line)
		}
		if place, reason = source.Handler("POST", "/admin/login", ""); place != (locate.Place{File: "app/admin.py", Line: 3}) {
			t.Errorf("mounted: %s %s", place, reason)
		}
	}
}

// Tests make up applications of their own; one that is started is meant.
func TestApplicationsOfTestsAreLeftOut(t *testing.T) {
	t.Parallel()
	sources := map[string]string{"app/main.py": login, "tests/fake.py": login, "app/test_login.py": login, "app/conftest.py": login, "app/login_test.py": login}
	source := workspace(t, sources, locate.Start{})
	if place, reason := source.Handler("POST", "/login", ""); place != (locate.Place{File: "app/main.py", Line: 4}) {
		t.Errorf("%s %s", place, reason)
	}
	for _, start := range []locate.Start{{Command: []string{"uvicorn", "tests.fake:app"}}, {Folder: "tests"}} {
		source = workspace(t, sources, start)
		if place, reason := source.Handler("POST", "/login", ""); place != (locate.Place{File: "tests/fake.py", Line: 4}) {
			t.Errorf("%v: %s %s", start, place, reason)
		}
	}
}
