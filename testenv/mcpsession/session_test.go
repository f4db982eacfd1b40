// Package mcpsession_test drives the real binary over standard input and
// output as a coding assistant would: scan, explain, fix, scan again.
package mcpsession_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

var update = flag.Bool("update", false, "write the recorded session anew")

// assistant is a client of the binary, and the record of what both said.
type assistant struct {
	*mcp.ClientSession
	record strings.Builder
	raw    bytes.Buffer // every byte that crossed the wire
}

func (a *assistant) said(format string, args ...any) { fmt.Fprintf(&a.record, format+"\n", args...) }

// workspace is a copy of the FastAPI app that an assistant may change.
func workspace(t *testing.T) string {
	t.Helper()
	source, folder := filepath.Join("..", "fastapi"), t.TempDir()
	for _, name := range []string{"serve", "store.py", "schema.sql", "seed.sql", "requirements.txt", "vulnerable/app.py"} {
		place(t, filepath.Join(source, name), filepath.Join(folder, name))
	}
	// One virtual environment for all: making one takes a minute.
	install := exec.CommandContext(t.Context(), filepath.Join(source, "serve"), "--install")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	shared, err := filepath.Abs(filepath.Join(source, ".venv"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(shared, filepath.Join(folder, ".venv")); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(source, "vulnerable.yml"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("password: alice-correct-horse", `password: "${ALICE_PASSWORD}"`, "password: bob-battery-staple", `password: "${BOB_PASSWORD}"`,
		"testenv/fastapi/", "").Replace(string(data))
	if err := os.WriteFile(filepath.Join(folder, ".sessiongate.yml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

func place(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o755); err != nil {
		t.Fatal(err)
	}
}

func hire(t *testing.T, folder string) *assistant {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "sessiongate")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../..").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	command := exec.Command(binary, "mcp", "--root", folder)
	command.Stderr = os.Stderr
	// The stand-in is what this runs on; testenv/cockroach has the real one.
	command.Env = append(os.Environ(), "COCKROACH_BINARY=", "DOCKER_HOST=unix:///nowhere",
		"ALICE_PASSWORD=alice-correct-horse", "BOB_PASSWORD=bob-battery-staple")
	a := &assistant{}
	client := mcp.NewClient(&mcp.Implementation{Name: "assistant", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), &mcp.LoggingTransport{Transport: &mcp.CommandTransport{Command: command, TerminateDuration: time.Minute}, Writer: &a.raw}, nil)
	if err != nil {
		t.Fatal(err)
	}
	a.ClientSession = session
	return a
}

type found struct {
	Score    int
	Findings []struct {
		Rule, Fingerprint string
		Location          struct {
			File string
			Line int
		}
	}
}

func (f found) has(fingerprint string) bool {
	for _, one := range f.Findings {
		if one.Fingerprint == fingerprint {
			return true
		}
	}
	return false
}

func (a *assistant) scan(t *testing.T) found {
	t.Helper()
	a.said("> tools/call scan_api {}")
	result, err := a.CallTool(t.Context(), &mcp.CallToolParams{Name: "scan_api", Arguments: map[string]any{}})
	if err != nil {
		t.Fatal(err)
	}
	text := result.Content[0].(*mcp.TextContent).Text
	if result.IsError {
		t.Fatal(text)
	}
	a.said("< %s", text)
	raw, err := json.Marshal(result.StructuredContent)
	if err != nil {
		t.Fatal(err)
	}
	var made found
	if err := json.Unmarshal(raw, &made); err != nil {
		t.Fatal(err)
	}
	for _, one := range made.Findings {
		a.said("< %s %s:%d", one.Rule, one.Location.File, one.Location.Line)
	}
	return made
}

// volatile is what differs from run to run: tags of ids, ids of users, ports.
var volatile = regexp.MustCompile(`«[0-9a-f]{6}»|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|127\.0\.0\.1:\d+`)

func TestAnAssistantFixesTheVulnerableApp(t *testing.T) {
	folder := workspace(t)
	a := hire(t, folder)
	tools, err := a.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	a.said("> tools/list")
	for _, tool := range tools.Tools {
		a.said("< %s", tool.Name)
	}
	before := a.scan(t)
	if len(before.Findings) == 0 || before.Score >= 50 {
		t.Fatalf("score %d, %d findings", before.Score, len(before.Findings))
	}
	worst := before.Findings[0]
	a.said("> tools/call explain_rule {\"rule\": %q}", worst.Rule)
	page, err := a.CallTool(t.Context(), &mcp.CallToolParams{Name: "explain_rule", Arguments: map[string]any{"rule": worst.Rule}})
	if err != nil || page.IsError {
		t.Fatal(err)
	}
	a.said("< %s", page.Content[0].(*mcp.TextContent).Text)
	a.said("> prompts/get fix_finding {\"rule\": %q, \"fingerprint\": %q}", worst.Rule, worst.Fingerprint)
	prompt, err := a.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "fix_finding", Arguments: map[string]string{"rule": worst.Rule, "fingerprint": worst.Fingerprint}})
	if err != nil {
		t.Fatal(err)
	}
	a.said("< %s", prompt.Messages[0].Content.(*mcp.TextContent).Text)
	// The fix: the handler that the finding points at becomes the hardened one.
	if worst.Location.File != "vulnerable/app.py" {
		t.Fatalf("the finding points at %s", worst.Location.File)
	}
	place(t, filepath.Join("..", "fastapi", "hardened", "app.py"), filepath.Join(folder, worst.Location.File))
	a.said("! the code is changed: %s", worst.Location.File)
	after := a.scan(t)
	if after.has(worst.Fingerprint) || after.Score <= before.Score || len(after.Findings) > 0 {
		t.Errorf("score %d, findings %v", after.Score, after.Findings)
	}
	if err := a.Close(); err != nil {
		t.Errorf("the server did not end well: %v", err)
	}
	for _, canary := range []string{"alice-correct-horse", "bob-battery-staple", "postgres://", "postgresql://"} {
		if strings.Contains(a.raw.String(), canary) {
			t.Errorf("%q crossed the wire", canary)
		}
	}
	golden(t, volatile.ReplaceAllString(a.record.String(), "…"))
}

func golden(t *testing.T, got string) {
	t.Helper()
	file := filepath.Join("testdata", "session.txt")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("the session went otherwise than recorded; -update writes it anew\n%s", diff)
	}
}
