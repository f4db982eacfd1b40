package cli_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/cli"
	"github.com/sessiongate/sessiongate/testenv/demoapi"
)

func TestInitNeverOverwrites(t *testing.T) {
	t.Parallel()
	api, err := demoapi.New()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "recipe.yml")
	call := func(extra ...string) (int, string) {
		var out, problems bytes.Buffer
		getenv := func(name string) (string, bool) { return demoapi.AlicePassword, name == "PW" }
		code := cli.Main(t.Context(), append([]string{"init", server.URL, "--user", "alice", "--password-env", "PW", "--config", file}, extra...),
			cli.Streams{Out: &out, Err: &problems, Getenv: getenv})
		return code, out.String() + problems.String()
	}
	if code, said := call(); code != 0 || !strings.Contains(said, "login: POST /login, from convention") {
		t.Fatalf("exit %d: %s", code, said)
	}
	first, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(first), "${PW}") || strings.Contains(string(first), demoapi.AlicePassword) {
		t.Fatalf("%v\n%s", err, first)
	}
	if code, said := call(); code != 2 || !strings.Contains(said, "--force") {
		t.Errorf("exit %d: %s", code, said)
	}
	if code, said := call("--force"); code != 0 {
		t.Errorf("exit %d: %s", code, said)
	}
	if again, err := os.ReadFile(file); err != nil || string(again) != string(first) {
		t.Errorf("--force changed what stood there: %v\n%s", err, again)
	}
}

// inits runs sessiongate init against a demo API, in a folder of its own.
func inits(t *testing.T, description string) func(arguments ...string) (int, string) {
	t.Helper()
	api, err := demoapi.New()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", api)
	if description != "" {
		mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, description) })
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return func(arguments ...string) (int, string) {
		var out, problems bytes.Buffer
		passwords := map[string]string{"PW": demoapi.AlicePassword, "BOB_PW": demoapi.BobPassword, "TOKEN": "a-token"}
		code := cli.Main(t.Context(), append([]string{"init", server.URL}, arguments...), cli.Streams{Out: &out, Err: &problems,
			Getenv: func(name string) (string, bool) { value, has := passwords[name]; return value, has }})
		return code, out.String() + problems.String()
	}
}

func written(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The workflow is one that GitHub takes, hands over what the recipe reads from
// the environment, and is left alone once it is there.
func TestInitWritesAWorkflowOnRequest(t *testing.T) {
	t.Chdir(t.TempDir())
	call := inits(t, "")
	alice := []string{"--user", "alice", "--password-env", "PW", "--user", "bob", "--password-env", "BOB_PW", "--workflow"}
	if code, said := call(alice...); code != 0 || !strings.Contains(said, "written: .github/workflows/sessiongate.yml") {
		t.Fatalf("exit %d: %s", code, said)
	}
	const workflow = ".github/workflows/sessiongate.yml"
	lint := exec.CommandContext(t.Context(), "go", "run", "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12", "-no-color", workflow)
	if said, err := lint.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
	text := written(t, workflow)
	for _, line := range []string{`config: ".sessiongate.yml"`, "          PW: ${{ secrets.PW }}\n          BOB_PW: ${{ secrets.BOB_PW }}\n"} {
		if !strings.Contains(text, line) {
			t.Errorf("%s is missing:\n%s", line, text)
		}
	}
	const mine = "# mine\n"
	if err := os.WriteFile(workflow, []byte(mine), 0o600); err != nil {
		t.Fatal(err)
	}
	recipe := written(t, ".sessiongate.yml")
	for _, arguments := range [][]string{alice, append(alice, "--force"), append(alice, "--config", "other.yml")} {
		if code, said := call(arguments...); code != 2 || !strings.Contains(said, "is there already") {
			t.Errorf("%v: exit %d: %s", arguments, code, said)
		}
	}
	if written(t, workflow) != mine || written(t, ".sessiongate.yml") != recipe {
		t.Error("a file that was there is changed")
	}
	if _, err := os.Stat("other.yml"); err == nil {
		t.Error("half of what was asked for is written")
	}
}

// What somebody wrote stays to the letter, and what is missing is added to it.
func TestForceKeepsWhatIsHandMade(t *testing.T) {
	t.Chdir(t.TempDir())
	const mine = `# made by hand
version: 1
users:
  - {name: alice, password: "${PW}"}   # of the seed
steps:
  # ours alone knows this one
  identity: {request: GET /me, headers: {X-Token: "${TOKEN}"}}
  slow: {request: GET /slow}
policy: {idle-timeout: 30m}   # as promised
`
	if err := os.WriteFile(".sessiongate.yml", []byte(mine), 0o600); err != nil {
		t.Fatal(err)
	}
	call := inits(t, "")
	if code, said := call("--force", "--workflow"); code != 0 {
		t.Fatalf("exit %d: %s", code, said)
	}
	text := written(t, ".sessiongate.yml")
	for line := range strings.Lines(mine) {
		if !strings.Contains(text, line) {
			t.Errorf("%q is gone", line)
		}
	}
	for _, added := range []string{"  login: {request: POST /login", "  logout: {request: POST /logout", "session: "} {
		if strings.Count(text, added) != 1 {
			t.Errorf("%q is there %d times", added, strings.Count(text, added))
		}
	}
	if strings.Contains(text, "a-token") || strings.Contains(text, demoapi.AlicePassword) {
		t.Error("a secret stands in the file")
	}
	if t.Failed() {
		t.Log(text)
	}
	if workflow := written(t, ".github/workflows/sessiongate.yml"); !strings.Contains(workflow, "          PW: ${{ secrets.PW }}\n          TOKEN: ${{ secrets.TOKEN }}\n") {
		t.Errorf("the variables of the recipe are missing:\n%s", workflow)
	}
	if code, said := call("--force"); code != 0 {
		t.Fatalf("exit %d: %s", code, said)
	}
	if again := written(t, ".sessiongate.yml"); again != text {
		t.Errorf("a second time changes it:\n%s", again)
	}
}

// Each step says where it comes from, as scans do.
func TestInitExplainsEachStep(t *testing.T) {
	t.Chdir(t.TempDir())
	call := inits(t, `{"openapi": "3.1.0", "paths": {
 "/login": {"post": {"operationId": "login_login_post", "requestBody": {"content": {"application/json": {"schema": {"required": ["username", "password"],
  "properties": {"username": {"type": "string"}, "password": {"type": "string"}, "basket_session": {"type": "string"}}}}}}}},
 "/me": {"get": {"operationId": "me_me_get", "security": [{"cookie": []}]}},
 "/logout": {"post": {"operationId": "logout_logout_post"}},
 "/sudo": {"post": {"operationId": "sudo_sudo_post", "requestBody": {"content": {"application/json": {"schema": {"required": ["password"],
  "properties": {"password": {"type": "string"}}}}}}}},
 "/admin": {"get": {"operationId": "admin_admin_get"}},
 "/password": {"post": {"operationId": "change_password", "requestBody": {"content": {"application/json": {"schema": {"required": ["old_password", "new_password"],
  "properties": {"old_password": {"type": "string"}, "new_password": {"type": "string"}}}}}}}}}}`)
	code, said := call("--user", "alice", "--password-env", "PW")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, said)
	}
	for _, line := range []string{
		"visit: GET /\n",
		"login: POST /login, from openapi.json operationId login_login_post\n",
		"identity: GET /me, from openapi.json operationId me_me_get\n",
		"logout: POST /logout, from openapi.json operationId logout_logout_post\n",
		"elevate: POST /sudo, from openapi.json operationId sudo_sudo_post\n",
		"change-password: POST /password, from openapi.json operationId change_password; written as a comment: it changes an account",
		"id channel: json basket_session, from openapi.json operationId login_login_post\n",
	} {
		if !strings.Contains(said, line) {
			t.Errorf("%q is missing:\n%s", line, said)
		}
	}
}
