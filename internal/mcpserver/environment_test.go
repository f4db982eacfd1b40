package mcpserver_test

import (
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/mcpserver"
)

// An assistant that was talked into it names whatever the server's environment
// may hold. What the user did not mean for scans is not even looked up.
func TestWhatAScanMayReadOfTheEnvironment(t *testing.T) {
	t.Parallel()
	const recipe = "version: 1\ntarget: {url: \"http://127.0.0.1:9\"}\nusers: [{name: alice, password: \"${NAME}\"}]\nsteps: {login: {request: POST /login}, identity: {request: GET /me}}\n"
	for name, test := range map[string]struct {
		variable string
		allowed  []string
		readable bool
	}{
		"a name of the user's own":    {"ALICE_PASSWORD", nil, true},
		"a key of the cloud":          {"AWS_SECRET_ACCESS_KEY", nil, false},
		"a token of the runner":       {"GITHUB_TOKEN", nil, false},
		"another one":                 {"ACTIONS_RUNTIME_TOKEN", nil, false},
		"an input of the action":      {"INPUT_TOKEN", nil, false},
		"a tool's, in small letters":  {"npm_config_authtoken", nil, false},
		"the machine's, and allowed":  {"AWS_SECRET_ACCESS_KEY", []string{"AWS_SECRET_ACCESS_KEY"}, true},
		"one that is not in the list": {"ALICE_PASSWORD", []string{"BOB_PASSWORD"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := false
			d := open(t, func(o *mcpserver.Options) {
				o.Variables = test.allowed
				o.Getenv = func(name string) (string, bool) {
					asked = asked || name == test.variable
					return "canary-value", true
				}
			})
			write(t, d.folder, "recipe.yml", strings.Replace(recipe, "NAME", test.variable, 1))
			given := users("http://127.0.0.1:9")
			given["users"] = []map[string]any{{"name": "alice", "password_env": test.variable}}
			says := map[bool]string{true: "Nothing could be measured", false: "--allow-env"}[test.readable]
			for _, arguments := range []map[string]any{given, {"config": "recipe.yml"}} {
				if said := text(d.call(t, "scan_api", arguments)); !strings.Contains(said, says) {
					t.Errorf("%v: %s", arguments, said)
				}
			}
			delete(given, "users")
			given["database_url_env"] = test.variable
			if said := text(d.call(t, "scan_api", given)); !test.readable && !strings.Contains(said, "--allow-env") {
				t.Errorf("the store's address: %s", said)
			}
			if asked != test.readable {
				t.Errorf("it was looked up: %t", asked)
			}
			if strings.Contains(d.wire.text(), "canary-value") {
				t.Error("the value crossed the wire")
			}
		})
	}
	for _, name := range []string{"", "A=canary-value", "a b", "1A"} {
		_, err := mcpserver.New(mcpserver.Options{Root: t.TempDir(), Variables: []string{name}})
		if err == nil || !strings.Contains(err.Error(), "--allow-env") || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", name, err)
		}
	}
}
