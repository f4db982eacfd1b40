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
