package harness_test

import (
	"os/exec"
	"testing"
)

// The workflows and the action's metadata are what GitHub reads; actionlint
// checks both, with what a step gives the action and asks of it.
func TestTheWorkflowsAreWellFormed(t *testing.T) {
	t.Parallel()
	lint := exec.CommandContext(t.Context(), "go", "run", "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12", "-no-color")
	lint.Dir = root
	if said, err := lint.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, said)
	}
}
