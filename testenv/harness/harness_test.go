// Package harness_test runs the action's image as GitHub's runner does: the same
// docker command, the same mounts and files, the same signals. The APIs are the
// FastAPI applications in containers of their own, beside a store in another.
package harness_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/testenv/standin"
)

const canary = "canary-github-token"

var (
	root       string // of the repository
	impossible string // why the tests cannot run; "" if they can
	store      string // the image that is or plays CockroachDB
	golang     string // the one that plays Go's
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	here, err := filepath.Abs("../..")
	if err != nil {
		panic(err)
	}
	root = here
	if _, err := docker(ctx, "version"); err != nil {
		impossible = "no container engine answers: start one to run these tests"
		return m.Run()
	}
	for _, prepare := range []func(context.Context) error{python, database, build} {
		if err := prepare(ctx); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	defer func() { _, _ = docker(context.Background(), "rmi", "--force", actionImage, golang) }()
	return m.Run()
}

func database(ctx context.Context) (err error) {
	store, err = standin.Image(ctx)
	return err
}

// needsEngine skips where there is none.
func needsEngine(t *testing.T) {
	t.Helper()
	if impossible != "" {
		t.Skip(impossible)
	}
}

// inputs for the FastAPI applications, as a user would write them.
func inputs(app string, more ...string) map[string]string {
	made := map[string]string{
		"context": "testenv/fastapi/" + app, "port": "8000", "schema": "testenv/fastapi/schema.sql", "seed": "testenv/fastapi/seed.sql",
		"login": "POST /login", "identity": "GET /profile", "logout": "POST /logout",
		"users": "alice=alice-correct-horse\nbob=bob-battery-staple\n", "upload-sarif": "never",
	}
	for i := 0; i < len(more); i += 2 {
		made[more[i]] = more[i+1]
	}
	return made
}

// nothingLeft looks for what a run made.
func (r *runner) nothingLeft() {
	r.t.Helper()
	label := "label=org.sessiongate.run=acme/shop " + r.run + " 1 gate harness"
	for _, list := range [][]string{
		{"ps", "--all", "--quiet", "--filter", label}, {"network", "ls", "--quiet", "--filter", label},
		{"volume", "ls", "--quiet", "--filter", label}, {"images", "--quiet", "--filter", label},
	} {
		left, err := docker(context.WithoutCancel(r.t.Context()), list...)
		if err != nil || left != "" {
			r.t.Errorf("docker %s: %q, %v", list[0], left, err)
		}
	}
	if left, err := docker(context.WithoutCancel(r.t.Context()), "ps", "--all", "--quiet", "--filter", "name="+r.name); err != nil || left != "" {
		r.t.Errorf("the action's own container: %q, %v", left, err)
	}
}

// file reads a report from the workspace.
func (r *runner) file(name string) string {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.workspace, name))
	if err != nil {
		r.t.Error(err)
	}
	return string(text)
}

// silent looks for secrets in all that a step left.
func (r *runner) silent(made ran) {
	r.t.Helper()
	var shown []string
	for line := range strings.Lines(made.log) {
		if !strings.HasPrefix(line, "::add-mask::") {
			shown = append(shown, line)
		}
	}
	for where, text := range map[string]string{"log": strings.Join(shown, ""), "summary": made.summary, "outputs": fmt.Sprint(made.outputs),
		"SARIF": r.file("sessiongate.sarif"), "JSON": r.file("sessiongate.json"), "HTML": r.file("sessiongate.html")} {
		for _, secret := range []string{canary, "alice-correct-horse", "bob-battery-staple"} {
			if strings.Contains(text, secret) {
				r.t.Errorf("%s in the %s", secret, where)
			}
		}
	}
}

type sarif struct {
	Runs []struct {
		Results []struct {
			RuleID    string `json:"ruleId"`
			Locations []struct {
				PhysicalLocation struct {
					ArtifactLocation struct{ URI string }
					Region           struct{ StartLine int }
				}
			}
		}
	}
}

func (r *runner) sarif() sarif {
	r.t.Helper()
	var read sarif
	if err := json.Unmarshal([]byte(r.file("sessiongate.sarif")), &read); err != nil || len(read.Runs) != 1 {
		r.t.Fatalf("%v, %d runs", err, len(read.Runs))
	}
	return read
}

func TestTheVulnerableApplicationFailsTheJob(t *testing.T) {
	t.Parallel()
	needsEngine(t)
	r := job(t, "testenv/fastapi")
	got := r.step(inputs("vulnerable"))
	r.nothingLeft()
	if got.code != 1 || got.outputs["passed"] != "false" || got.outputs["grade"] != "F" || got.outputs["sarif-file"] != "sessiongate.sarif" {
		t.Fatalf("exit code %d, %v\n%s", got.code, got.outputs, got.log)
	}
	r.silent(got)
	for _, words := range []string{"```mermaid\nsequenceDiagram", "INSERT INTO sessions"} {
		if !strings.Contains(got.summary, words) {
			t.Errorf("the summary does not say %q", words)
		}
	}
	var rules []string
	for _, result := range r.sarif().Runs[0].Results {
		rules = append(rules, result.RuleID)
		place := result.Locations[0].PhysicalLocation
		if _, err := os.Lstat(filepath.Join(r.workspace, place.ArtifactLocation.URI)); err != nil || place.Region.StartLine < 1 {
			t.Errorf("%s is at %s:%d: %v", result.RuleID, place.ArtifactLocation.URI, place.Region.StartLine, err)
		}
	}
	for _, rule := range []string{"arbitrary-session-id-accepted", "session-id-accepted-in-json-body", "session-cookie-missing-httponly"} {
		if !slices.Contains(rules, rule) {
			t.Errorf("%s is not found: %v", rule, rules)
		}
	}
	if !strings.Contains(got.log, "::error file=") {
		t.Error("no annotation stands at a file")
	}
	multitool(t, r.file("sessiongate.sarif"))
}

func TestTheHardenedApplicationPassesTheJob(t *testing.T) {
	t.Parallel()
	needsEngine(t)
	r := job(t, "testenv/fastapi")
	got := r.step(inputs("hardened"))
	r.nothingLeft()
	if got.code != 0 || got.outputs["passed"] != "true" || got.outputs["findings-count"] != "0" {
		t.Fatalf("exit code %d, %v\n%s", got.code, got.outputs, got.log)
	}
	r.silent(got)
}

// multitool has the judge of GitHub's own rules read a SARIF file. Its exit code
// is 0 whatever it finds.
func multitool(t *testing.T, text string) {
	t.Helper()
	folder := filepath.Join(root, "testenv/harness/node_modules")
	program := filepath.Join(folder, "@microsoft/sarif-multitool-linux/Sarif.Multitool")
	if _, err := os.Stat(program); err != nil {
		install := exec.CommandContext(t.Context(), "npm", "ci", "--silent", "--no-audit", "--no-fund")
		install.Dir = filepath.Dir(folder)
		if out, err := install.CombinedOutput(); err != nil {
			t.Fatalf("npm ci: %v: %s", err, out)
		}
	}
	given, judged := filepath.Join(t.TempDir(), "given.sarif"), filepath.Join(t.TempDir(), "judged.sarif")
	if err := os.WriteFile(given, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := exec.CommandContext(t.Context(), program, "validate", given, "--rule-kind", "Sarif;Ghas", "-o", judged, "--log", "ForceOverwrite").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	found, err := os.ReadFile(judged)
	if err != nil {
		t.Fatal(err)
	}
	var verdict struct {
		Runs []struct {
			Results []struct {
				RuleID string `json:"ruleId"`
				Level  string
			}
		}
	}
	if err := json.Unmarshal(found, &verdict); err != nil || len(verdict.Runs) != 1 {
		t.Fatal(err)
	}
	for _, result := range verdict.Runs[0].Results {
		if result.Level == "" || result.Level == "error" {
			t.Errorf("%s: the file breaks it", result.RuleID)
		}
	}
}
