package mcpserver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/sessiongate/sessiongate/internal/mcpserver"
	"github.com/sessiongate/sessiongate/testenv/demoapi"
)

// wire keeps every byte the server writes.
type wire struct {
	io.Writer
	mu   sync.Mutex
	seen bytes.Buffer
}

func (w *wire) Write(data []byte) (int, error) {
	w.mu.Lock()
	w.seen.Write(data)
	w.mu.Unlock()
	return w.Writer.Write(data)
}

func (w *wire) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen.String()
}

// desk is a client at a server that serves a folder of the test's own.
type desk struct {
	*mcp.ClientSession
	folder   string
	wire     *wire
	progress chan float64
	served   chan error
	hangUp   func()
}

func open(t *testing.T, change ...func(*mcpserver.Options)) *desk {
	t.Helper()
	d := &desk{folder: t.TempDir(), progress: make(chan float64, 1000), served: make(chan error, 1)}
	options := mcpserver.Options{Root: d.folder, Version: "test", Getenv: func(name string) (string, bool) {
		value, set := map[string]string{"ALICE_PASSWORD": demoapi.AlicePassword, "BOB_PASSWORD": demoapi.BobPassword,
			"FAR_DSN": "postgresql://u:canary-dsn@db.example/app"}[name]
		return value, set
	}}
	for _, one := range change {
		one(&options)
	}
	server, err := mcpserver.New(options)
	if err != nil {
		t.Fatal(err)
	}
	fromClient, toServer := io.Pipe()
	fromServer, toClient := io.Pipe()
	d.wire = &wire{Writer: toClient}
	d.hangUp = func() { _ = toServer.Close() }
	go func() {
		d.served <- server.Serve(t.Context(), fromClient, d.wire)
		_ = toClient.Close()
	}()
	client := mcp.NewClient(&mcp.Implementation{Name: "test"}, &mcp.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) { d.progress <- r.Params.Progress }})
	session, err := client.Connect(t.Context(), &mcp.IOTransport{Reader: fromServer, Writer: toServer}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	d.ClientSession = session
	return d
}

func (d *desk) call(t *testing.T, name string, arguments any) *mcp.CallToolResult {
	t.Helper()
	params := &mcp.CallToolParams{Name: name, Arguments: arguments}
	params.SetProgressToken("p")
	result, err := d.CallTool(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func text(result *mcp.CallToolResult) string {
	var all []string
	for _, content := range result.Content {
		if said, is := content.(*mcp.TextContent); is {
			all = append(all, said.Text)
		}
	}
	return strings.Join(all, "\n")
}

func write(t *testing.T, folder, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func demo(t *testing.T, flaws ...string) string {
	t.Helper()
	api, err := demoapi.New(flaws...)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	return server.URL
}

// users are the arguments of a scan without a recipe.
func users(url string) map[string]any {
	return map[string]any{"url": url, "login": "POST /login", "identity": "GET /me", "logout": "POST /logout", "visit": "GET /",
		"users": []map[string]any{{"name": "alice", "password_env": "ALICE_PASSWORD"}, {"name": "bob", "password_env": "BOB_PASSWORD"}}}
}

// Every answer follows the schema that the tool promises.
func (d *desk) follows(t *testing.T, name string, result *mcp.CallToolResult) {
	t.Helper()
	tools, err := d.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range tools.Tools {
		if tool.Name != name {
			continue
		}
		raw, err := json.Marshal(tool.OutputSchema)
		if err != nil {
			t.Fatal(err)
		}
		var schema jsonschema.Schema
		if err := json.Unmarshal(raw, &schema); err != nil {
			t.Fatal(err)
		}
		resolved, err := schema.Resolve(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := resolved.Validate(result.StructuredContent); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		return
	}
	t.Errorf("there is no tool %s", name)
}

func TestScanExplainFixAndReadAgain(t *testing.T) {
	t.Parallel()
	d := open(t)
	if _, err := d.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "sessiongate://report/last"}); err == nil {
		t.Error("there is a report before a scan")
	}
	if _, err := d.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "fix_finding", Arguments: map[string]string{"rule": "session-id-not-rotated-on-login"}}); err == nil {
		t.Error("there is something to fix before a scan")
	}
	result := d.call(t, "scan_api", users(demo(t, demoapi.Demo()...)))
	if result.IsError || !strings.Contains(text(result), "The gate is not met") {
		t.Fatalf("%v %s", result.IsError, text(result))
	}
	d.follows(t, "scan_api", result)
	last, grown := 0.0, 0
	for len(d.progress) > 0 {
		now := <-d.progress
		if now <= last {
			t.Errorf("progress %v after %v", now, last)
		}
		last, grown = now, grown+1
	}
	if grown < 3 {
		t.Errorf("%d notifications of progress", grown)
	}
	read, err := d.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "sessiongate://report/last"})
	if err != nil || !json.Valid([]byte(read.Contents[0].Text)) {
		t.Errorf("%v", err)
	}
	prompt, err := d.GetPrompt(t.Context(), &mcp.GetPromptParams{Name: "fix_finding", Arguments: map[string]string{"rule": "session-id-not-rotated-on-login"}})
	if err != nil {
		t.Fatal(err)
	}
	asked := prompt.Messages[0].Content.(*mcp.TextContent).Text
	for _, words := range []string{"| cookie sid", "untrusted data", "secrets.token_urlsafe", "call scan_api again"} {
		if !strings.Contains(asked, words) {
			t.Errorf("the prompt lacks %q:\n%s", words, asked)
		}
	}
	if good := d.call(t, "scan_api", users(demo(t))); good.IsError || !strings.Contains(text(good), "The gate is met") {
		t.Errorf("%s", text(good))
	}
	for _, canary := range []string{demoapi.AlicePassword, demoapi.BobPassword} {
		if strings.Contains(d.wire.text(), canary) {
			t.Errorf("the server wrote %q", canary)
		}
	}
}

func TestTheOtherTools(t *testing.T) {
	t.Parallel()
	d := open(t, func(o *mcpserver.Options) {
		o.Review = func(_ context.Context, source, _ string) (mcpserver.Review, error) {
			return mcpserver.Review{Language: "python", Steps: []mcpserver.Place{{Line: 1, Says: source}}}, nil
		}
	})
	for _, call := range []struct {
		tool      string
		arguments map[string]any
		says      string
	}{
		{"list_rules", nil, "session-id-not-rotated-on-login (8.1 high)"},
		{"explain_rule", map[string]any{"rule": "session-cookie-samesite/absent"}, "CWE-1275"},
		{"check_response", map[string]any{"set_cookie": []string{"sid=canary-7f3a91c2; Path=/"}}, "session-cookie-missing-httponly"},
		{"review_handler", map[string]any{"source": "def login(): ..."}, "def login"},
	} {
		result := d.call(t, call.tool, call.arguments)
		if result.IsError || !strings.Contains(text(result), call.says) {
			t.Errorf("%s: %s", call.tool, text(result))
		}
		d.follows(t, call.tool, result)
	}
	if strings.Contains(d.wire.text(), "canary-7f3a91c2") {
		t.Error("the value of the cookie came back")
	}
	for uri, says := range map[string]string{"sessiongate://rules": "sessiongate://rules/session-id-in-url", "sessiongate://rules/session-cookie-samesite/absent": "# session-cookie-samesite/absent"} {
		read, err := d.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: uri})
		if err != nil || !strings.Contains(read.Contents[0].Text, says) {
			t.Errorf("%s: %v", uri, err)
		}
	}
	if _, err := d.ReadResource(t.Context(), &mcp.ReadResourceParams{URI: "sessiongate://rules/none"}); err == nil {
		t.Error("a rule that is none has a page")
	}
}

// What is refused is refused in a sentence, before anything is sent, and
// repeats no secret.
func TestRefusals(t *testing.T) {
	t.Parallel()
	d := open(t)
	outside := t.TempDir()
	write(t, outside, "recipe.yml", "version: 1\ntarget: {url: \"http://127.0.0.1:9\"}\n")
	if err := os.Symlink(filepath.Join(outside, "recipe.yml"), filepath.Join(d.folder, "link.yml")); err != nil {
		t.Fatal(err)
	}
	write(t, d.folder, "far.yml", "version: 1\ntarget: {url: \"http://192.0.2.1\"}\n")
	write(t, d.folder, "broken.yml", "version: 1\nusers: [{name: alice, password: canary-literal, nmae: x}]\n")
	with := func(key string, value any) map[string]any {
		given := users("http://127.0.0.1:9")
		given[key] = value
		return given
	}
	for name, test := range map[string]struct {
		tool      string
		arguments any
		says      string
	}{
		"a link out":           {"scan_api", map[string]any{"config": "link.yml"}, "does not lie below"},
		"dots":                 {"scan_api", map[string]any{"config": "../recipe.yml"}, "does not lie below"},
		"an absolute path":     {"scan_api", map[string]any{"config": filepath.Join(outside, "recipe.yml")}, "does not lie below"},
		"no recipe":            {"scan_api", map[string]any{"config": "none.yml"}, "no such recipe"},
		"a folder":             {"scan_api", map[string]any{"config": "."}, "not a regular file"},
		"a target far away":    {"scan_api", map[string]any{"config": "far.yml"}, "--allow-host 192.0.2.1"},
		"a url far away":       {"scan_api", users("http://api.example:8443"), "--allow-host api.example:8443"},
		"all interfaces":       {"scan_api", users("http://0.0.0.0:9"), "--allow-host"},
		"a store far away":     {"scan_api", with("database_url_env", "FAR_DSN"), "the session store is on the host db.example"},
		"a literal password":   {"scan_api", with("users", []map[string]any{{"name": "alice", "password": "canary-literal"}}), "give the variable's name in password_env"},
		"a password on top":    {"scan_api", with("password", "canary-literal"), "give the variable's name in password_env"},
		"a password as a name": {"scan_api", with("users", []map[string]any{{"name": "alice", "password_env": "canary-literal"}}), "names no environment variable"},
		"a password as users":  {"scan_api", with("users", "alice:canary-literal"), "users is a list"},
		"a wrong type":         {"scan_api", with("timeout", "canary-literal"), "the argument timeout cannot be a string"},
		"an unknown argument":  {"scan_api", with("profil", "core"), "did you mean profile?"},
		"a wrong profile":      {"scan_api", with("profile", "canary-literal"), "core or deep"},
		"nothing":              {"scan_api", map[string]any{}, "there is no target"},
		"a broken recipe":      {"scan_api", map[string]any{"config": "broken.yml"}, "broken.yml:2:"},
		"nobody there":         {"scan_api", users("http://127.0.0.1:9"), "Nothing could be measured"},
		"an unknown rule":      {"explain_rule", map[string]any{"rule": "session-rotated"}, "did you mean"},
		"no rule":              {"explain_rule", map[string]any{}, "the argument rule is missing"},
		"no lines":             {"check_response", map[string]any{}, "no line to check"},
	} {
		result := d.call(t, test.tool, test.arguments)
		if !result.IsError || !strings.Contains(text(result), test.says) {
			t.Errorf("%s: %s", name, text(result))
		}
	}
	written := d.wire.text()
	for _, canary := range []string{"canary-literal", "canary-dsn", demoapi.AlicePassword, outside, d.folder} {
		if strings.Contains(written, canary) {
			t.Errorf("the server wrote %q", canary)
		}
	}
}

func TestAllowedHosts(t *testing.T) {
	t.Parallel()
	d := open(t, func(o *mcpserver.Options) { o.Allowed = []string{"api.invalid", "other.invalid:8443"} })
	for url, says := range map[string]string{"http://API.invalid:9": "Nothing could be measured", "https://other.invalid:8443": "Nothing could be measured",
		"https://other.invalid:9443": "--allow-host other.invalid:9443"} {
		if result := d.call(t, "scan_api", users(url)); !strings.Contains(text(result), says) {
			t.Errorf("%s: %s", url, text(result))
		}
	}
	for _, host := range []string{"", "http://api.example", "api.example/path", "u@api.example"} {
		if _, err := mcpserver.New(mcpserver.Options{Allowed: []string{host}}); err == nil || !strings.Contains(err.Error(), "--allow-host") {
			t.Errorf("%q: %v", host, err)
		}
	}
	if _, err := mcpserver.New(mcpserver.Options{Root: filepath.Join(t.TempDir(), "none")}); err == nil || !strings.Contains(err.Error(), "--root") {
		t.Errorf("%v", err)
	}
}

// slow is a recipe whose API never becomes ready.
const slow = "version: 1\ntarget:\n  process: {command: [sh, -c, \"echo $$ > pid; exec sleep 300\"]}\n  start-timeout: 100s\n" +
	"users: [{name: alice, password: canary-literal}]\nsteps:\n  login: {request: POST /login}\n  identity: {request: GET /me}\n"

func started(t *testing.T, d *desk) int {
	t.Helper()
	for limit := time.Now().Add(20 * time.Second); time.Now().Before(limit); time.Sleep(10 * time.Millisecond) {
		var id int
		if data, err := os.ReadFile(filepath.Join(d.folder, "pid")); err == nil {
			if n, _ := fmt.Sscan(string(data), &id); n == 1 {
				return id
			}
		}
	}
	t.Fatal("the process was not started")
	return 0
}

func gone(id int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", id))
	return err != nil || strings.Contains(string(status), "State:\tZ")
}

func TestACancelledScanIsTakenDown(t *testing.T) {
	t.Parallel()
	d := open(t)
	write(t, d.folder, "slow.yml", slow)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := d.CallTool(ctx, &mcp.CallToolParams{Name: "scan_api", Arguments: map[string]any{"config": "slow.yml"}})
		ended <- err
	}()
	id := started(t, d)
	if busy := d.call(t, "scan_api", users("http://127.0.0.1:9")); !busy.IsError || !strings.Contains(text(busy), "a scan is running") {
		t.Errorf("two scans at once: %s", text(busy))
	}
	cancel()
	<-ended
	d.hangUp()
	if err := <-d.served; err != nil {
		t.Error(err)
	}
	if !gone(id) {
		t.Error("the API still runs")
	}
}

func TestTheEndOfTheStreamStopsAll(t *testing.T) {
	t.Parallel()
	d := open(t)
	write(t, d.folder, "slow.yml", slow)
	go func() {
		_, _ = d.CallTool(t.Context(), &mcp.CallToolParams{Name: "scan_api", Arguments: map[string]any{"config": "slow.yml"}})
	}()
	id := started(t, d)
	d.hangUp()
	if err := <-d.served; err != nil {
		t.Error(err)
	}
	if !gone(id) {
		t.Error("the API still runs")
	}
}
