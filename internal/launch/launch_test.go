package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/secret"
)

func TestStartAndClose(t *testing.T) {
	t.Parallel()
	target := begin(t, playing(t, "serve"))
	response, err := http.Get(target.URL + "/any")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if target.ExitReason() != "" {
		t.Errorf("alive, but %q", target.ExitReason())
	}
	for range 2 {
		if err := target.Close(); err != nil {
			t.Error(err)
		}
	}
	<-target.Done()
	if got := target.ExitReason(); got != "was stopped by sessiongate" {
		t.Errorf("reason %q", got)
	}
	if response, err := http.Get(target.URL); err == nil {
		_ = response.Body.Close()
		t.Error("still answers after Close")
	}
}

func TestReadyPath(t *testing.T) {
	t.Parallel()
	p := playing(t, "warming")
	p.Ready = Ready{Path: "/health"}
	begin(t, p)

	p = playing(t, "broken")
	begin(t, p) // any answer will do when nothing was asked for

	p = playing(t, "broken")
	p.Ready, p.StartTimeout = Ready{"GET", "/health?key=hidden"}, 400*time.Millisecond
	_, err := Start(t.Context(), p)
	wantError(t, err, ErrUnreachable, "did not answer GET /health at 127.0.0.1:", "within 400ms", "status 500", "start-timeout")
	if strings.Contains(err.Error(), "hidden") {
		t.Errorf("shows the query: %v", err)
	}
}

func TestNeverReadyIsTakenDown(t *testing.T) {
	t.Parallel()
	p := playing(t, "silent")
	p.StartTimeout = 500 * time.Millisecond
	_, err := Start(t.Context(), p)
	wantError(t, err, ErrUnreachable, "did not answer GET /", "connection was refused", "${PORT}", "\n  silent ")
	_, text, _ := strings.Cut(err.Error(), "\n  silent ")
	pid, convErr := strconv.Atoi(text)
	if convErr != nil || running(pid) {
		t.Errorf("process %q still runs (%v)", text, convErr)
	}
}

func TestDiesBeforeReady(t *testing.T) {
	t.Parallel()
	began := time.Now()
	p := playing(t, "die")
	p.StartTimeout = time.Minute
	_, err := Start(t.Context(), p)
	wantError(t, err, ErrUnreachable, "child die) ended with exit status 7 before it answered GET /; its last lines:\n  line 15\n", "\n  line 29")
	if strings.Contains(err.Error(), "line 14\n") {
		t.Error("more than the last 15 lines")
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("waited %s for a dead process", took)
	}
}

func TestDiesLater(t *testing.T) {
	t.Parallel()
	target := begin(t, playing(t, "serve"))
	if response, err := http.Get(target.URL + "/die"); err == nil {
		_ = response.Body.Close()
	}
	<-target.Done()
	if got := target.ExitReason(); got != "ended with exit status 3" {
		t.Errorf("reason %q", got)
	}
	if err := target.Close(); err != nil {
		t.Errorf("Close after death: %v", err)
	}
	if got := target.ExitReason(); got != "ended with exit status 3" {
		t.Errorf("reason after Close %q", got)
	}
}

func TestKilledBySignal(t *testing.T) {
	t.Parallel()
	p := playing(t)
	p.Command = []string{"sh", "-c", "kill -9 $$"}
	_, err := Start(t.Context(), p)
	wantError(t, err, ErrUnreachable, "was killed by signal 9 (killed)", "it printed nothing")
}

func TestIgnoresSIGTERM(t *testing.T) {
	t.Parallel()
	target := begin(t, playing(t, "stubborn"))
	pid := target.running.(*process).leader()
	if err := target.Close(); err != nil {
		t.Fatal(err)
	}
	if running(pid) {
		t.Error("survived Close")
	}
}

func TestGroupDiesWithItsLeader(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*Target){
		"closed": func(target *Target) { _ = target.Close() },
		"leader died": func(target *Target) {
			if response, err := http.Get(target.URL + "/die"); err == nil {
				_ = response.Body.Close()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := begin(t, playing(t, "parent"))
			pid := printed(t, target.Logs, "grandchild")
			end(target)
			<-target.Done()
			eventually(t, "the grandchild is dead", func() bool { return !running(pid) })
		})
	}
}

func TestChattyOutputIsBounded(t *testing.T) {
	t.Parallel()
	target := begin(t, playing(t, "chatty"))
	lines := target.Logs()
	if len(lines) != keptLines {
		t.Fatalf("%d lines", len(lines))
	}
	if diff := cmp.Diff([]string{"[31mthe end", "unfinished"}, lines[keptLines-2:]); diff != "" {
		t.Error(diff)
	}
	if len(lines[0]) > lineBytes || !strings.HasSuffix(lines[0], "x…") {
		t.Errorf("%d bytes, ends %q", len(lines[0]), lines[0][len(lines[0])-5:])
	}
	text, complete := target.Output()
	if text.Len() != keptBytes || complete {
		t.Errorf("kept %d, complete %v", text.Len(), complete)
	}
}

func TestOutputIsUnchanged(t *testing.T) {
	t.Parallel()
	p := playing(t, "print", "session=$TOKEN")
	p.Environment["TOKEN"] = secret.New("canary-of-the-output")
	target := begin(t, p)
	text, complete := target.Output()
	if !complete || !text.Contains(secret.New("session=canary-of-the-output\n")) {
		t.Errorf("complete %v, %d bytes", complete, text.Len())
	}
}

func TestEnvironmentValuesAreHidden(t *testing.T) {
	t.Parallel()
	p := playing(t, "print", "url $DATABASE_URL", "other spelling postgres://api:pass-canary@db", "key part-one-canary", "plain text")
	p.Command = append(p.Command, "argument-canary")
	p.Environment = map[string]secret.Text{
		"DATABASE_URL": secret.New("postgresql://api:pass-canary@127.0.0.1/db"),
		"KEY":          secret.New("-----BEGIN-----\npart-one-canary\n"),
		"ARGUMENT":     secret.New("argument-canary"),
	}
	target := begin(t, p)
	logs := strings.Join(target.Logs(), "\n")
	if strings.Contains(logs, "canary") || !strings.Contains(logs, "plain text") {
		t.Errorf("logs:\n%s", logs)
	}
	if strings.Contains(p.name(), "canary") {
		t.Errorf("name: %s", p.name())
	}
	p.Command[2], p.Port = "die", target.processPort(t)
	_, err := Start(t.Context(), p)
	wantError(t, err, ErrPortInUse)
	if strings.Contains(err.Error(), "canary") {
		t.Errorf("error: %v", err)
	}
}

func (t *Target) processPort(tb testing.TB) int {
	_, text, _ := strings.Cut(strings.TrimPrefix(t.URL, "http://"), ":")
	port, err := strconv.Atoi(text)
	if err != nil {
		tb.Fatal(err)
	}
	return port
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port

	p := playing(t, "serve")
	p.Port = port
	_, err = Start(t.Context(), p)
	wantError(t, err, ErrPortInUse, "was not started", fmt.Sprintf("127.0.0.1:%d", port), "in use")

	_, err = Start(t.Context(), playing(t, "fixed", strconv.Itoa(port)))
	wantError(t, err, ErrPortInUse, "ended with exit status 1 because a port it wants is already in use", "${PORT}", "cannot listen")
	if !errors.Is(err, ErrUnreachable) {
		t.Error("does not wrap ErrUnreachable")
	}
}

func TestEnvironmentIsAllowListed(t *testing.T) { // not parallel: it sets variables
	t.Setenv("SESSIONGATE_CANARY", "must not be inherited")
	t.Setenv("GITHUB_TOKEN", "must not be inherited")
	t.Setenv("LANG", "C.UTF-8")
	t.Setenv("HOME", "/")
	p := playing(t, "environment")
	p.Environment["LOG_LEVEL"], p.Environment["PORT"], p.Environment["HOME"] = secret.New("x"), secret.New("1"), secret.New("/tmp")
	target := begin(t, p)
	got := map[string]bool{}
	for _, line := range target.Logs() {
		name, _, _ := strings.Cut(line, "=")
		got[name] = true
	}
	want := map[string]bool{"PATH": true, "HOME": true, "LANG": true, "LOG_LEVEL": true, "PORT": true}
	if _, set := os.LookupEnv("TMPDIR"); set {
		want["TMPDIR"] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	logs := strings.Join(target.Logs(), "\n") + "\n"
	if !strings.Contains(logs, fmt.Sprintf("PORT=%d\n", p.Port)) || !strings.Contains(logs, "HOME=/tmp\n") {
		t.Errorf("environment:\n%s", logs)
	}
}

func TestCancelLeavesNoProcess(t *testing.T) {
	t.Parallel()
	t.Run("after start", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		target, err := Start(ctx, playing(t, "parent"))
		if err != nil {
			t.Fatal(err)
		}
		leader, child := target.running.(*process).leader(), printed(t, target.Logs, "grandchild")
		cancel()
		<-target.Done()
		eventually(t, "both are dead", func() bool { return !running(leader) && !running(child) })
	})
	t.Run("while starting", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		p := playing(t)
		pidFile := filepath.Join(t.TempDir(), "pid")
		p.Command = []string{"sh", "-c", "echo $$ > '" + pidFile + ".new'; mv '" + pidFile + ".new' '" + pidFile + "'; exec sleep 600"}
		done := make(chan error)
		go func() { _, err := Start(ctx, p); done <- err }()
		var pid int
		eventually(t, "the process wrote its id", func() bool {
			text, err := os.ReadFile(pidFile)
			pid, _ = strconv.Atoi(strings.TrimSpace(string(text)))
			return err == nil && pid != 0
		})
		cancel()
		err := <-done
		wantError(t, err, context.Canceled, "interrupted")
		if running(pid) {
			t.Error("still runs")
		}
	})
	t.Run("before start", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := Start(ctx, playing(t, "serve"))
		wantError(t, err, context.Canceled, "interrupted")
	})
}

func TestCannotStart(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	plain := filepath.Join(folder, "plain")
	write(t, plain, "no program", 0o644)
	nonsense := filepath.Join(folder, "nonsense")
	write(t, nonsense, "\x00\x01", 0o755)
	for name, test := range map[string]struct {
		change func(*Process)
		want   string
	}{
		"no command":      {func(p *Process) { p.Command = nil }, "target.process.command is empty"},
		"no port":         {func(p *Process) { p.Port = 0 }, "there is no port 0"},
		"unknown program": {func(p *Process) { p.Command = []string{"uvicorn-of-nobody"} }, "uvicorn-of-nobody was not found"},
		"not executable":  {func(p *Process) { p.Command = []string{plain} }, "is not executable"},
		"no binary":       {func(p *Process) { p.Command = []string{nonsense} }, "exec format error"},
		"no directory":    {func(p *Process) { p.Directory = "nowhere" }, "the directory nowhere of target.process.directory does not exist"},
		"ready path":      {func(p *Process) { p.Ready.Path = "health" }, "must begin with /"},
		"ready method":    {func(p *Process) { p.Ready.Method = "G ET" }, "such as GET /health"},
		"variable name":   {func(p *Process) { p.Environment["A=B"] = secret.Text{} }, `"A=B" cannot be a variable`},
		"NUL in variable": {func(p *Process) { p.Environment["A"] = secret.New("canary\x00") }, `"A" cannot be a variable`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := playing(t, "serve")
			test.change(&p)
			_, err := Start(t.Context(), p)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "canary") {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestProgramIsFoundWhereTheChildLooks(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write(t, filepath.Join(folder, "bin", "api"), "#!/bin/sh\nexec "+os.Args[0]+" child serve\n", 0o755)
	for name, change := range map[string]func(*Process){
		"relative path": func(p *Process) { p.Command = []string{"bin/api"} },
		"own PATH": func(p *Process) {
			p.Command, p.Environment["PATH"] = []string{"api"}, secret.New("bin"+string(os.PathListSeparator)+os.Getenv("PATH"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := playing(t)
			p.Directory = folder
			change(&p)
			begin(t, p)
		})
	}
}

func TestURL(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/base/health" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer server.Close()
	target, err := URL(t.Context(), server.URL+"/base/", Ready{Path: "/health"}, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if target.URL != server.URL+"/base" {
		t.Errorf("URL %s", target.URL)
	}
	output, complete := target.Output()
	if target.Close() != nil || target.Done() != nil || target.Logs() != nil || target.ExitReason() != "" || !output.IsZero() || !complete {
		t.Error("a URL target pretends to have a process")
	}
	if _, err := URL(t.Context(), server.URL, Ready{}, 0, nil); err != nil {
		t.Errorf("any answer should do: %v", err)
	}
	_, err = URL(t.Context(), server.URL, Ready{Path: "/health"}, 300*time.Millisecond, nil)
	wantError(t, err, ErrUnreachable, "status 500")
}

func TestURLIgnoresTheProxy(t *testing.T) { // not parallel: it sets variables
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	t.Setenv("HTTP_PROXY", server.URL)
	t.Setenv("http_proxy", server.URL)
	_, err := URL(t.Context(), "http://api.invalid", Ready{}, 300*time.Millisecond, nil)
	wantError(t, err, ErrUnreachable)
}

func TestURLUnreachable(t *testing.T) {
	t.Parallel()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	port, err := FreePort()
	if err != nil {
		t.Fatal(err)
	}
	mute, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	_, err = URL(t.Context(), fmt.Sprintf("http://127.0.0.1:%d", port), Ready{}, 100*time.Millisecond, nil)
	wantError(t, err, ErrUnreachable, "does not answer GET /", "connection was refused", "start it first")
	_, err = URL(t.Context(), "http://"+mute.Addr().String(), Ready{}, 100*time.Millisecond, nil)
	wantError(t, err, ErrUnreachable, "does not answer GET /")
	// These two do not heal, so nobody waits for them.
	_, err = URL(t.Context(), secure.URL, Ready{}, time.Hour, nil)
	wantError(t, err, ErrUnreachable, "certificate is not trusted")
	_, err = URL(t.Context(), "https://"+plain.Listener.Addr().String(), Ready{}, time.Hour, nil)
	wantError(t, err, ErrUnreachable, "plain http")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = URL(ctx, plain.URL, Ready{}, time.Hour, nil)
	wantError(t, err, context.Canceled, "interrupted")
}

func TestURLRefused(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"", "canary", "ftp://canary/", "127.0.0.1:8000", "http://", "http://canary:x", "http://api:canary@h/",
		"http://h/?canary", "http://h/#canary", "http://h:99999999999/%zzcanary"} {
		_, err := URL(t.Context(), raw, Ready{}, 100*time.Millisecond, nil)
		if err == nil || errors.Is(err, ErrUnreachable) || !strings.HasPrefix(err.Error(), "target.url must ") || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", raw, err)
		}
	}
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, err, is error, parts ...string) {
	t.Helper()
	if !errors.Is(err, is) {
		t.Fatalf("%v is not %v", err, is)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in: %v", part, err)
		}
	}
}
