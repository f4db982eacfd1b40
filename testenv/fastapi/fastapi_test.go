// Package fastapi_test runs the gate on the applications this project exists
// for: real FastAPI processes on a real SQL store, started by their recipes.
package fastapi_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/cli"
)

type scanned struct {
	code                        int
	json, sarif, text, messages string

	Score    int
	Gate     struct{ Passed bool }
	Coverage struct {
		CoreUntested []string `json:"core_untested"`
	}
	Target   struct{ Store string }
	Results  []struct{ Rule, Outcome, Reason, Note string }
	Findings []struct {
		Rule, Level, Subject string
		Location             struct {
			File string
			Line int
		}
	}
	Calibration struct {
		Controls []struct {
			Name    string
			Skipped bool
			Note    string
		}
	}
}

// scan runs the command that the README names, from the repository's root as a
// user does, and reads back what it wrote.
func scan(t *testing.T, recipe string) scanned {
	t.Helper()
	folder := t.TempDir()
	var out, messages bytes.Buffer
	code := cli.Main(t.Context(), []string{"scan", "--config", recipe, "--no-color",
		"--out", "json=" + filepath.Join(folder, "r.json"), "--out", "sarif=" + filepath.Join(folder, "r.sarif")},
		cli.Streams{Out: &out, Err: &messages, Getenv: cli.Environment})
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatalf("%v\n%s%s", err, out.String(), messages.String())
		}
		return string(data)
	}
	made := scanned{code: code, json: read("r.json"), sarif: read("r.sarif"), text: out.String(), messages: messages.String()}
	if err := json.Unmarshal([]byte(made.json), &made); err != nil {
		t.Fatal(err)
	}
	return made
}

func (s scanned) failed() []string {
	var rules []string
	for _, row := range s.Results {
		if row.Outcome == "fail" {
			rules = append(rules, row.Rule)
		}
	}
	slices.Sort(rules)
	return rules
}

func want(t *testing.T, made scanned, code int, rules ...string) {
	t.Helper()
	if made.code != code {
		t.Errorf("exit code %d, want %d\n%s%s", made.code, code, made.text, made.messages)
	}
	slices.Sort(rules)
	if got := made.failed(); !slices.Equal(got, rules) {
		t.Errorf("failed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(rules, "\n"))
	}
	if !strings.Contains(made.Target.Store, "stand-in") {
		t.Errorf("the store is not named a stand-in: %q", made.Target.Store)
	}
	for _, canary := range []string{"alice-correct-horse", "bob-battery-staple", "postgres://", "postgresql://"} {
		for name, output := range map[string]string{"json": made.json, "sarif": made.sarif, "text": made.text, "messages": made.messages} {
			if strings.Contains(output, canary) {
				t.Errorf("%s holds %q", name, canary)
			}
		}
	}
}

// What all vulnerable variants share. The cookie is set with a bare set_cookie:
// Starlette adds SameSite=lax by itself, so no session-cookie-samesite here.
func careless(more ...string) []string {
	return append(more, "session-cookie-missing-secure", "session-cookie-missing-httponly", "session-cookie-prefix-missing",
		"logout-session-not-invalidated", "session-id-accepted-in-json-body", "session-id-stored-in-clear")
}

// stays is what a login does that looks at no session but its own. Where there
// are no passwords, a login inside a session cannot be told from a stub.
const stays = "session-id-not-rotated-on-privilege-change/re-authentication"

// leastScore is what an app with a low weakness gets that has none of the steps
// beyond a logout: each rule about those is not tested, which costs a tenth.
const leastScore = 75

func TestMain(m *testing.M) {
	// Locations are relative to the repository.
	if err := os.Chdir(filepath.Join("..", "..")); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func TestVulnerable(t *testing.T) {
	t.Parallel()
	made := scan(t, "testenv/fastapi/vulnerable.yml")
	want(t, made, 1, careless("session-id-not-rotated-on-login", "arbitrary-session-id-accepted",
		"session-id-accepted-in-query", "session-id-accepted-in-header", "cross-user-session-reuse", stays,
		"session-id-insufficient-length/below-128-bits")...) // uuid4: 122 bits
	if made.Score >= 50 {
		t.Errorf("score %d", made.Score)
	}
	for _, found := range made.Findings {
		handler := source(t, found.Location.File, found.Location.Line)
		if !strings.Contains(handler, "def ") {
			t.Errorf("%s points at %s:%d, which is no handler: %q", found.Rule, found.Location.File, found.Location.Line, handler)
		}
	}
}

// The report shows the very statement that bound the planted id to the victim,
// and the row before and after, in JSON as in text.
func TestTheStoreIsAWitness(t *testing.T) {
	t.Parallel()
	made := scan(t, "testenv/fastapi/vulnerable.yml")
	for _, proof := range []string{
		`INSERT INTO sessions \(session_id, user_id\) VALUES \(\$1, \$2\) ON CONFLICT .* with \$1 = «[0-9a-f]{6}»`,
		`session_id holds «[0-9a-f]{6}», user_id NULL → [0-9a-f-]{36}`,
	} {
		if !regexp.MustCompile(proof).MatchString(made.json) {
			t.Errorf("JSON does not show %s", proof)
		}
		if flat := strings.Join(strings.Fields(made.text), " "); !regexp.MustCompile(proof).MatchString(flat) {
			t.Errorf("the text does not show %s", proof)
		}
	}
}

func TestHardenedIDsAreStoredHashed(t *testing.T) {
	t.Parallel()
	made := scan(t, "testenv/fastapi/hardened.yml")
	for _, row := range made.Results {
		if row.Rule == "session-id-stored-in-clear" && (row.Outcome != "pass" || !strings.Contains(row.Note, "sha256")) {
			t.Errorf("%s %q", row.Outcome, row.Note)
		}
	}
}

func source(t *testing.T, file string, line int) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(data), "\n")
	if line < 1 || line > len(lines) {
		t.Fatalf("%s has no line %d", file, line)
	}
	return lines[line-1]
}

func TestSessionIDIsARequiredMember(t *testing.T) {
	t.Parallel()
	want(t, scan(t, "testenv/fastapi/vulnerable-required.yml"), 1, careless(stays)...)
}

func TestNoCredentialsAtAll(t *testing.T) {
	t.Parallel()
	made := scan(t, "testenv/fastapi/vulnerable-bare.yml")
	want(t, made, 1, careless()...)
	said := false
	for _, control := range made.Calibration.Controls {
		said = said || control.Name == "K2" && control.Skipped && strings.Contains(control.Note, "no password")
	}
	if !said {
		t.Errorf("calibration does not say what the missing password costs: %+v", made.Calibration.Controls)
	}
}

func TestHardened(t *testing.T) {
	t.Parallel()
	made := scan(t, "testenv/fastapi/hardened.yml")
	want(t, made, 0)
	if made.Score < leastScore || !made.Gate.Passed || len(made.Coverage.CoreUntested) > 0 {
		t.Errorf("score %d, core untested %v", made.Score, made.Coverage.CoreUntested)
	}
}
