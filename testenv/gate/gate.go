// Package gate runs the command that users run, in the tests of testenv, and
// reads back what it wrote.
package gate

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/cli"
)

// Result is one scan: its outputs whole, and of the JSON report what tests ask
// for.
type Result struct {
	Code     int    `json:"-"` // of the command
	JSON     string `json:"-"`
	SARIF    string `json:"-"`
	Text     string `json:"-"`
	Messages string `json:"-"` // standard error

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

// Scan runs sessiongate scan with a recipe, from the directory of the test.
func Scan(t testing.TB, recipe string) Result {
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
	made := Result{Code: code, JSON: read("r.json"), SARIF: read("r.sarif"), Text: out.String(), Messages: messages.String()}
	if err := json.Unmarshal([]byte(made.JSON), &made); err != nil {
		t.Fatal(err)
	}
	return made
}

// Failed are the rules that failed, sorted.
func (r Result) Failed() []string {
	var rules []string
	for _, row := range r.Results {
		if row.Outcome == "fail" {
			rules = append(rules, row.Rule)
		}
	}
	slices.Sort(rules)
	return rules
}

// KeepsSecret wants none of the words in any output.
func (r Result) KeepsSecret(t testing.TB, words ...string) {
	t.Helper()
	for _, word := range words {
		for name, output := range map[string]string{"json": r.JSON, "sarif": r.SARIF, "text": r.Text, "messages": r.Messages} {
			if strings.Contains(output, word) {
				t.Errorf("%s holds %q", name, word)
			}
		}
	}
}
