package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/internal/app"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/testenv/demoapi"
)

const urlAndUsers = `version: 1
target: {url: %s}
users:
  - {name: alice, password: alice-demo-password}
  - {name: bob, password: bob-demo-password}
`

func bareRecipe(t *testing.T, flaws ...string) string {
	t.Helper()
	api, err := demoapi.New(flaws...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(urlAndUsers, "%s", serve(t, api))
}

func TestAnAddressAndUsersAreEnough(t *testing.T) {
	t.Parallel()
	made := scan(t, bareRecipe(t, "session-id-not-rotated-on-login"))
	caught := false
	for _, found := range made.Findings {
		caught = caught || finding.Base(found.Rule.ID) == "session-id-not-rotated-on-login"
	}
	if !caught || made.Problem != "" {
		t.Errorf("problem %q, findings %v", made.Problem, made.Findings)
	}
	said := map[string]string{}
	for _, one := range made.Discovered {
		said[one.Step] = one.Request + one.Pin
	}
	for _, step := range []string{"login", "identity", "logout", "visit"} {
		if !strings.Contains(said[step], "--"+step) {
			t.Errorf("%s: %q does not say how to pin it", step, said[step])
		}
	}
}

func TestWrittenStepsAreNotLookedFor(t *testing.T) {
	t.Parallel()
	if made := scan(t, fmt.Sprintf(demoRecipe, demo(t))); len(made.Discovered) > 0 {
		t.Errorf("discovered %v beside a recipe that says enough", made.Discovered)
	}
}

func TestWithoutUsersOneLineSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	text, _, _ := strings.Cut(bareRecipe(t), "users:")
	made := scan(t, text)
	if made.Gate.ExitCode != 3 || !strings.Contains(made.Problem, "--user NAME with --password-env VAR") {
		t.Errorf("exit %d, %q", made.Gate.ExitCode, made.Problem)
	}
	for _, result := range made.Results {
		if result.Outcome == finding.Pass {
			t.Errorf("%s passes although nobody logged in", result.Rule.ID)
		}
	}
}

func TestInitWritesWhatScansTheSame(t *testing.T) {
	t.Parallel()
	none := func(string) (string, bool) { return "", false }
	r, err := recipe.Parse("", []byte(bareRecipe(t)), none)
	if err != nil {
		t.Fatal(err)
	}
	r.File = ""
	found, err := app.Discover(t.Context(), app.Options{Recipe: r, Version: "test", Now: time.Now()})
	if err != nil || found.Problem != "" {
		t.Fatalf("%v %s", err, found.Problem)
	}
	file := filepath.Join(t.TempDir(), ".sessiongate.yml")
	if err := app.WriteRecipe(found, file, []string{"A", "B"}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "demo-password") {
		t.Errorf("a password stands in the file:\n%s", text)
	}
	passwords := map[string]string{"A": demoapi.AlicePassword, "B": demoapi.BobPassword}
	again, err := recipe.Parse(file, text, func(name string) (string, bool) { value, has := passwords[name]; return value, has })
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	made, err := app.Audit(t.Context(), app.Options{Recipe: again, Version: "test", Now: time.Now()})
	if err != nil || made.Problem != "" || len(made.Discovered) > 0 {
		t.Errorf("%v %q %v\n%s", err, made.Problem, made.Discovered, text)
	}
}

// accountPaths are the demo API's for a signed-in user, as a description of it
// would have them.
const accountPaths = `{"openapi": "3.1.0", "paths": {
 "/login": {"post": {"operationId": "login", "requestBody": {"content": {"application/json": {"schema": {"required": ["username", "password"],
  "properties": {"username": {"type": "string"}, "password": {"type": "string"}}}}}}}},
 "/me": {"get": {"operationId": "me", "security": [{"cookie": []}]}},
 "/logout": {"post": {"operationId": "logout"}},
 "/sudo": {"post": {"operationId": "stepUp", "requestBody": {"content": {"application/json": {"schema": {"required": ["password"],
  "properties": {"password": {"type": "string"}}}}}}}},
 "/admin": {"get": {"operationId": "admin", "security": [{"cookie": []}]}},
 "/register": {"post": {"operationId": "register", "requestBody": {"content": {"application/json": {"schema": {"required": ["username", "password"],
  "properties": {"username": {"type": "string"}, "password": {"type": "string"}}}}}}}},
 "/password": {"post": {"operationId": "changePassword", "requestBody": {"content": {"application/json": {"schema": {"required": ["old", "new"],
  "properties": {"old": {"type": "string", "format": "password"}, "new": {"type": "string", "format": "password"}}}}}}}}
}}
`

func resultOf(made report.Report, rule string) report.Result {
	for _, one := range made.Results {
		if one.Rule.ID == rule {
			return one
		}
	}
	return report.Result{}
}

func discoveredOf(made report.Report, step string) report.Discovered {
	for _, one := range made.Discovered {
		if one.Step == step {
			return one
		}
	}
	return report.Discovered{}
}

// With an address and users, a step up that was found is attacked like a written
// one. The password of users who were given is never changed.
func TestWhatIsFoundOfAnAccountIsUsed(t *testing.T) {
	t.Parallel()
	const kept, change = "session-id-not-rotated-on-privilege-change", "session-id-not-rotated-on-password-change"
	for name, one := range map[string]struct {
		flaws                []string
		given                bool
		elevation, passwords finding.Outcome
	}{
		"vulnerable, with users":    {[]string{kept}, true, finding.Fail, finding.NotTested},
		"hardened, with users":      {nil, true, finding.Pass, finding.NotTested},
		"vulnerable, without users": {[]string{kept, change}, false, finding.Fail, finding.Fail},
		"hardened, without users":   {nil, false, finding.Pass, finding.Pass},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.ReplaceAll(urlAndUsers, "%s", described(t, accountPaths, one.flaws...))
			if !one.given {
				text, _, _ = strings.Cut(text, "users:")
			}
			made := scan(t, text)
			if got := resultOf(made, kept); got.Outcome != one.elevation {
				t.Errorf("%s is %s: %s; %s", kept, got.Outcome, got.Reason, discoveredOf(made, "elevate").Note)
			}
			got := resultOf(made, change)
			if got.Outcome != one.passwords {
				t.Errorf("%s is %s: %s; %s", change, got.Outcome, got.Reason, discoveredOf(made, "change-password").Note)
			}
			if one.given && (!strings.Contains(got.Reason.Text, "POST /password, from openapi.json operationId changePassword") || !strings.Contains(got.Reason.Remedy, "take the # away before change-password") ||
				!discoveredOf(made, "change-password").Unproven) {
				t.Errorf("the report does not say what was found: %+v", got.Reason)
			}
		})
	}
}

// init writes what was proved as steps, and what was not as comments.
func TestInitWritesTheStepsOfAnAccount(t *testing.T) {
	t.Parallel()
	r, err := recipe.Parse("", []byte(strings.ReplaceAll(urlAndUsers, "%s", described(t, accountPaths))), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	r.File = ""
	found, err := app.Discover(t.Context(), app.Options{Recipe: r, Version: "test", Now: time.Now()})
	if err != nil || found.Problem != "" {
		t.Fatalf("%v %s", err, found.Problem)
	}
	file := filepath.Join(t.TempDir(), ".sessiongate.yml")
	if err := app.WriteRecipe(found, file, []string{"A", "B"}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`  elevate: {request: POST /sudo, json: {password: "{{password}}"}, then: {request: GET /admin}}`,
		`  # change-password: {request: POST /password, json: {new: "{{new_password}}", old: "{{password}}"}}`,
		"  # not used: from openapi.json operationId changePassword: it changes an account",
	} {
		if !strings.Contains(string(text), line) {
			t.Errorf("the line %s is missing:\n%s", line, text)
		}
	}
	uncommented := strings.Replace(string(text), "# change-password:", "change-password:", 1)
	if _, err := recipe.Parse(file, []byte(uncommented), func(string) (string, bool) { return "x", true }); err != nil {
		t.Errorf("without the # it is no step: %v", err)
	}
}
