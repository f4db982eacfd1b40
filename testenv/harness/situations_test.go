package harness_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/testenv/demoapi"
)

// services are what the runner starts before the steps of a job that has some:
// containers on a network of the job, known there by their names.
func (r *runner) services(containers map[string][]string) {
	r.t.Helper()
	r.network = fmt.Sprintf("github_network_%d", time.Now().UnixNano())
	if _, err := docker(r.t.Context(), "network", "create", "--label", "c0ffee", r.network); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _, _ = docker(context.WithoutCancel(r.t.Context()), "network", "rm", r.network) })
	for name, args := range containers {
		id, err := docker(r.t.Context(), append([]string{"run", "--detach", "--label", "c0ffee", "--network", r.network, "--network-alias", name}, args...)...)
		if err != nil {
			r.t.Fatal(err)
		}
		r.t.Cleanup(func() { _, _ = docker(context.WithoutCancel(r.t.Context()), "rm", "--force", "--volumes", id) })
	}
}

// The store is a service of the job: nothing but the API is started.
func TestTheStoreIsAService(t *testing.T) {
	t.Parallel()
	needsEngine(t)
	r := job(t, "testenv/fastapi")
	r.services(map[string][]string{"crdb": {"--env", "COCKROACH_ARGS=start-single-node --insecure", store}})
	got := r.step(inputs("vulnerable", "database-url", "postgresql://root@crdb:26257/defaultdb?sslmode=disable"))
	r.nothingLeft()
	if got.code != 1 || !strings.Contains(got.summary, "INSERT INTO sessions") {
		t.Errorf("exit code %d, %v\n%s", got.code, got.outputs, got.log)
	}
}

// Where the engine's socket is not there, all that needs no container works.
func TestNoSocket(t *testing.T) {
	t.Parallel()
	needsEngine(t)
	missing, file := filepath.Join(t.TempDir(), "missing"), filepath.Join(t.TempDir(), "file")
	if err := os.Mkdir(missing, 0o755); err != nil { // as an engine makes of a source that is missing
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(t.TempDir(), "dead")
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", dead)
	if err != nil {
		t.Fatal(err)
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	for socket, says := range map[string]string{missing: "is a directory", file: "is not the socket", dead: "nobody answers"} {
		r := job(t, "testenv/fastapi")
		r.socket = socket
		got := r.step(inputs("vulnerable"))
		if got.code != 3 || !strings.Contains(got.log, says) || got.outputs["passed"] != "false" {
			t.Errorf("exit code %d; the log does not say %q:\n%s", got.code, says, got.log)
		}
	}
	r := job(t)
	r.socket = missing
	api, err := demoapi.New()
	if err != nil {
		t.Fatal(err)
	}
	r.services(map[string][]string{"crdb": {"--env", "COCKROACH_ARGS=start-single-node --insecure", store}})
	address := r.listen(api, gateway(t, r.network))
	got := r.step(map[string]string{"url": address, "database-url": "postgresql://root@crdb:26257/defaultdb?sslmode=disable",
		"login": "POST /login", "identity": "GET /me", "logout": "POST /logout", "users": "alice=alice-demo-password\nbob=bob-demo-password", "upload-sarif": "never"})
	if got.code != 0 || got.outputs["passed"] != "true" || !strings.Contains(got.summary, "store:") {
		t.Errorf("url and database-url: exit code %d\n%s", got.code, got.log)
	}
}

func gateway(t *testing.T, network string) string {
	t.Helper()
	address, err := docker(t.Context(), "network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", network)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// listen serves an API on an address of this machine, as an earlier step of the
// job would have left one.
func (r *runner) listen(api http.Handler, host string) string {
	r.t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(r.t.Context(), "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		r.t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: api, ReadHeaderTimeout: time.Minute}}
	server.Start()
	r.t.Cleanup(server.Close)
	return server.URL
}

// A step before started the API on the runner: on all addresses or only on
// its own localhost, as uvicorn does by itself, and the workflow says localhost.
func TestTheRunnersLocalhost(t *testing.T) {
	t.Parallel()
	needsEngine(t)
	for name, host := range map[string]string{"all addresses": "0.0.0.0", "localhost alone": "127.0.0.1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := job(t)
			api, err := demoapi.New(demoapi.Demo()...)
			if err != nil {
				t.Fatal(err)
			}
			address, err := url.Parse(r.listen(api, host))
			if err != nil {
				t.Fatal(err)
			}
			got := r.step(map[string]string{"url": "http://localhost:" + address.Port(), "ephemeral-database": "none", "login": "POST /login", "identity": "GET /me",
				"logout": "POST /logout", "users": "alice=alice-demo-password\nbob=bob-demo-password", "upload-sarif": "never"})
			r.nothingLeft()
			if got.code != 1 || got.outputs["grade"] != "F" {
				t.Errorf("exit code %d\n%s", got.code, got.log)
			}
		})
	}
	r := job(t)
	got := r.step(map[string]string{"url": "http://localhost:9", "login": "POST /login", "identity": "GET /me", "users": "alice=x", "ephemeral-database": "none"})
	if got.code != 3 || !strings.Contains(got.log, "--host 0.0.0.0") {
		t.Errorf("nobody listens: exit code %d\n%s", got.code, got.log)
	}
}

// The workspace is shown to an image of its language, and a command starts the
// API in it.
func TestAnImageAndACommand(t *testing.T) {
	t.Parallel()
	needsEngine(t)
	r := job(t, "testenv/fastapi")
	got := r.step(inputs("hardened", "context", "", "image", pythonImage,
		"command", "cd testenv/fastapi && exec uvicorn --host 0.0.0.0 --port 8000 --no-access-log hardened.app:app"))
	r.nothingLeft()
	if got.code != 0 {
		t.Errorf("exit code %d\n%s", got.code, got.log)
	}
}

// An API that does not come up says why, in the log and in one sentence.
func TestAnAPIThatDoesNotStart(t *testing.T) {
	t.Parallel()
	needsEngine(t)
	for command, says := range map[string]string{
		"echo the settings are missing >&2; exit 7": "the settings are missing",
		"exec uvicorn nowhere:app":                  "nowhere",
	} {
		r := job(t, "testenv/fastapi")
		got := r.step(inputs("hardened", "context", "", "image", pythonImage, "command", command))
		r.nothingLeft()
		if got.code != 3 || !strings.Contains(got.log, says) || !strings.Contains(got.log, "::error title=sessiongate%3A could not measure::") {
			t.Errorf("%s: exit code %d\n%s", command, got.code, got.log)
		}
	}
}

// Ten cancelled runs, each at another moment, leave nothing, without any help
// from the post step, and are over before the runner loses its patience.
func TestCancelledRunsLeaveNothing(t *testing.T) {
	t.Parallel()
	needsEngine(t)
	const patience = 7500 * time.Millisecond
	for i := range 10 {
		r := job(t, "testenv/fastapi")
		r.start(context.WithoutCancel(t.Context()), "/sessiongate", inputs("vulnerable"))
		r.until(func(log string) bool { return log != "" }) // before, docker's client has not started it
		wait := time.Duration(rand.Int64N(int64(12 * time.Second)))
		select {
		case <-r.ended():
		case <-time.After(wait): // a random moment is what is tested
		}
		took := r.cancel()
		t.Logf("run %d, cancelled after %s: over in %s with exit code %d", i, wait.Round(time.Millisecond), took.Round(time.Millisecond), r.command.ProcessState.ExitCode())
		if took > patience {
			t.Errorf("cancelled after %s it took %s", wait, took)
		}
		r.nothingLeft()
	}
}

// A killed run cleans nothing up; the post step does.
func TestAKilledRunIsCleanedUpByThePostStep(t *testing.T) {
	t.Parallel()
	needsEngine(t)
	r := job(t, "testenv/fastapi")
	began := time.Now()
	r.start(context.WithoutCancel(t.Context()), "/sessiongate", inputs("vulnerable"))
	r.until(func(log string) bool { return strings.Contains(log, " of ") }) // the attacks are counted
	t.Logf("first probe %s after docker run, the API's image built in between", time.Since(began).Round(10*time.Millisecond))
	if _, err := docker(t.Context(), "kill", "--signal", "KILL", r.name); err != nil {
		t.Fatal(err)
	}
	<-r.ended()
	left, err := docker(t.Context(), "ps", "--quiet", "--filter", "label=org.sessiongate.run=acme/shop "+r.run+" 1 gate harness")
	if err != nil || left == "" {
		t.Errorf("nothing was left to clean up: %q, %v", left, err)
	}
	r.post(inputs("vulnerable"))
	r.nothingLeft()
}
