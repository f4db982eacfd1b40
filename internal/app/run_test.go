package app_test

import (
	"testing"

	"github.com/sessiongate/sessiongate/internal/app"
)

// The step after a job has the same environment as the step in it, as far as it
// counts; every other job differs.
func TestRunName(t *testing.T) {
	t.Parallel()
	job := map[string]string{"GITHUB_REPOSITORY": "acme/api", "GITHUB_RUN_ID": "17", "GITHUB_RUN_ATTEMPT": "1",
		"GITHUB_JOB": "gate", "RUNNER_NAME": "runner-1"}
	named := func(changed, to string) string {
		return app.RunName(func(name string) (string, bool) {
			if name == changed {
				return to, true
			}
			value, set := job[name]
			return value, set
		})
	}
	usual := named("", "")
	if usual != "acme/api 17 1 gate runner-1" || usual != named("HOSTNAME", "another") {
		t.Error(usual)
	}
	for name := range job {
		if other := named(name, "other"); other == usual || other == "" {
			t.Errorf("another %s has the same name %q", name, other)
		}
	}
	if got := named("GITHUB_RUN_ID", ""); got != "" {
		t.Errorf("outside of Actions: %q", got)
	}
	if got := named("SESSIONGATE_RUN", "mine"); got != "mine" {
		t.Errorf("its own name: %q", got)
	}
}
