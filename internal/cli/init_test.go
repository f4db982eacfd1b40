package cli_test

import (
	"bytes"
	"net/http/httptest"
	"os"
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
