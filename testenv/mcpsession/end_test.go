package mcpsession_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// waiting is a recipe whose API never answers. Its child is what a careless end
// would leave.
const waiting = "version: 1\ntarget:\n  process: {command: [sh, -c, \"sleep 300 & echo $! > pid; wait\"]}\n  start-timeout: 100s\n" +
	"users: [{name: alice, password: of-no-use}]\nsteps:\n  login: {request: POST /login}\n  identity: {request: GET /me}\n"

// asked are the lines of a client up to the scan.
const asked = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}
{"jsonrpc":"2.0","method":"notifications/initialized"}
{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"scan_api","arguments":{}}}
`

// However the server is ended while it scans, it stops what it started.
func TestTheEndDuringAScan(t *testing.T) {
	t.Parallel()
	binary := filepath.Join(t.TempDir(), "sessiongate")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../..").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, test := range map[string]struct {
		end  func(*os.Process, io.Closer) error
		code int
	}{
		"the client hangs up": {func(_ *os.Process, in io.Closer) error { return in.Close() }, 0},
		"an interrupt":        {func(p *os.Process, _ io.Closer) error { return p.Signal(os.Interrupt) }, 130},
		"a termination":       {func(p *os.Process, _ io.Closer) error { return p.Signal(syscall.SIGTERM) }, 130},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder, temporary := t.TempDir(), t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, ".sessiongate.yml"), []byte(waiting), 0o600); err != nil {
				t.Fatal(err)
			}
			var out, said bytes.Buffer
			server := exec.Command(binary, "mcp", "--root", folder)
			server.Env, server.Stdout, server.Stderr = append(os.Environ(), "TMPDIR="+temporary), &out, &said
			in, err := server.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := server.Start(); err != nil {
				t.Fatal(err)
			}
			hung := time.AfterFunc(time.Minute, func() { _ = server.Process.Kill() })
			defer hung.Stop()
			if _, err := io.WriteString(in, asked); err != nil {
				t.Fatal(err)
			}
			child := childOf(t, folder)
			if err := test.end(server.Process, in); err != nil {
				t.Fatal(err)
			}
			var ended *exec.ExitError
			if err := server.Wait(); err != nil && !errors.As(err, &ended) {
				t.Fatal(err)
			}
			if got := server.ProcessState.ExitCode(); got != test.code {
				t.Errorf("exit code %d, want %d: %s", got, test.code, said.String())
			}
			if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", child)); err == nil && !strings.Contains(string(status), "State:\tZ") {
				t.Error("the API's child still runs")
			}
			if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
				t.Errorf("%v is left of it: %v", left, err)
			}
			if strings.Contains(out.String(), "of-no-use") {
				t.Error("the password crossed the wire")
			}
		})
	}
}

// childOf waits until the API runs.
func childOf(t *testing.T, folder string) int {
	t.Helper()
	for limit := time.Now().Add(30 * time.Second); time.Now().Before(limit); time.Sleep(10 * time.Millisecond) {
		var id int
		if data, err := os.ReadFile(filepath.Join(folder, "pid")); err == nil {
			if n, _ := fmt.Sscan(string(data), &id); n == 1 {
				return id
			}
		}
	}
	t.Fatal("the API was not started")
	return 0
}
