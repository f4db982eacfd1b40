package app_test

import (
	"os"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/app"
)

// Only who scans an address has to start the API in a step before.
func TestAWorkflowSaysWhatHasToBeUp(t *testing.T) {
	for target, has := range map[string]bool{"url: http://127.0.0.1:8000": true, "process: {command: [./serve]}": false} {
		t.Chdir(t.TempDir())
		if err := os.WriteFile(".sessiongate.yml", []byte("version: 1\ntarget: {"+target+"}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := app.WriteWorkflow(".sessiongate.yml"); err != nil {
			t.Fatal(err)
		}
		made, err := os.ReadFile(app.WorkflowFile)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(made), "has to be up") != has {
			t.Errorf("%s:\n%s", target, made)
		}
	}
}
