// Package fastapi_test runs the gate on the applications this project exists
// for: real FastAPI processes on a real SQL store, started by their recipes.
package fastapi_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/testenv/gate"
)

type scanned struct{ gate.Result }

func scan(t *testing.T, recipe string) scanned {
	t.Helper()
	return scanned{gate.Scan(t, recipe)}
}

func want(t *testing.T, made scanned, code int, rules ...string) {
	t.Helper()
	if made.Code != code {
		t.Errorf("exit code %d, want %d\n%s%s", made.Code, code, made.Text, made.Messages)
	}
	slices.Sort(rules)
	if got := made.Failed(); !slices.Equal(got, rules) {
		t.Errorf("failed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(rules, "\n"))
	}
	if !strings.Contains(made.Target.Store, "stand-in") {
		t.Errorf("the store is not named a stand-in: %q", made.Target.Store)
	}
	made.KeepsSecret(t, "alice-correct-horse", "bob-battery-staple", "postgres://", "postgresql://")
}

// What all vulnerable variants share. The cookie is set with a bare set_cookie:
// Starlette adds SameSite=lax by itself, so no session-cookie-samesite here.
func careless(more ...string) []string {
	return append(more, "session-cookie-missing-secure", "session-cookie-missing-httponly", "session-cookie-prefix-missing",
		"logout-session-not-invalidated", "session-id-accepted-in-json-body", "session-id-stored-in-clear",
		"session-id-malformed-input", "session-response-cacheable/no-store-missing") // psycopg raises on a NUL
}

// stays is what a login does that looks at no session but its own. Where there
// are no passwords, a login inside a session cannot be told from a stub.
const stays = "session-id-not-rotated-on-privilege-change/re-authentication"

// leastScore is what an app with a low weakness gets that has none of the steps
// beyond a logout: each rule about those is not tested, which costs a tenth.
const leastScore = 75

func TestMain(m *testing.M) {
	// The stand-in is what these run on; testenv/cockroach has the real one.
	if err := errors.Join(os.Unsetenv("COCKROACH_BINARY"), os.Setenv("DOCKER_HOST", "unix:///nowhere")); err != nil {
		panic(err)
	}
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
		if !regexp.MustCompile(proof).MatchString(made.JSON) {
			t.Errorf("JSON does not show %s", proof)
		}
		if flat := strings.Join(strings.Fields(made.Text), " "); !regexp.MustCompile(proof).MatchString(flat) {
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
	want(t, scan(t, "testenv/fastapi/vulnerable-required.yml"), 1, careless(stays, "duplicate-session-cookie/one-of-two")...)
}

func TestNoCredentialsAtAll(t *testing.T) {
	t.Parallel()
	made := scan(t, "testenv/fastapi/vulnerable-bare.yml")
	want(t, made, 1, careless("duplicate-session-cookie/one-of-two")...)
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
