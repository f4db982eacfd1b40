package launch

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"
)

// engineHere is the real engine of this machine, or the end of the test.
func engineHere(t *testing.T) *engine {
	t.Helper()
	found, reason := reach(t.Context())
	if reason != "" {
		t.Skip("no container is started: " + reason)
	}
	t.Cleanup(found.close)
	return found
}

// imported makes an image of CockroachDB's name that holds the fake, under a
// tag that nobody else uses, and takes it away again.
func imported(t *testing.T, e *engine, mode string) (version string) {
	t.Helper()
	program, err := fakeCockroach()
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	var layer bytes.Buffer
	packed := tar.NewWriter(&layer)
	for name, content := range map[string][]byte{"cockroach/cockroach": code, "cockroach/mode": []byte(mode)} {
		if err := packed.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := packed.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := packed.Close(); err != nil {
		t.Fatal(err)
	}
	version = "v0.0.0-fake-" + strings.ToLower(rand.Text())
	image := cockroachImage + ":" + version
	answer, err := e.api.ImageImport(t.Context(), client.ImageImportSource{Source: &layer, SourceName: "-"}, image, client.ImageImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	said, err := io.ReadAll(answer)
	if err != nil || strings.Contains(string(said), "error") {
		t.Fatal(string(said), err)
	}
	t.Cleanup(func() {
		if _, err := e.api.ImageRemove(context.Background(), image, client.ImageRemoveOptions{Force: true}); err != nil {
			t.Error(err)
		}
	})
	return version
}

// withEngine is a machine that has nothing but the real engine.
func withEngine(t *testing.T, mode string) (machine, *engine, StoreOptions) {
	e := engineHere(t)
	m := bare(t)
	m.reach = reach
	return m, e, StoreOptions{Version: imported(t, e, mode)}
}

// containersOf are the containers of an image, running or not.
func containersOf(t *testing.T, e *engine, version string) []string {
	t.Helper()
	found, err := e.api.ContainerList(context.Background(), client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", labelOurs)})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, one := range found.Items {
		if strings.HasSuffix(one.Image, ":"+version) {
			names = append(names, strings.TrimPrefix(one.Names[0], "/"))
		}
	}
	return names
}

func TestContainerUpAndDown(t *testing.T) {
	t.Parallel()
	m, e, wanted := withEngine(t, "")
	began := time.Now()
	database := up(t, m, wanted)
	t.Logf("up after %s", time.Since(began))
	if !listens(t, database) || database.Name != "" || database.Note != "" {
		t.Errorf("listens %v, name %q, note %q", listens(t, database), database.Name, database.Note)
	}
	names := containersOf(t, e, wanted.Version)
	if len(names) != 1 {
		t.Fatal(names)
	}
	seen, err := e.api.ContainerInspect(t.Context(), names[0], client.ContainerInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	marks := seen.Container.Config.Labels
	if marks[labelProcess] != fmt.Sprint(os.Getpid()) || marks[labelRun] == "" || marks[labelHost] == "" || marks[labelOurs] != "store" || orphaned(marks) {
		t.Errorf("labels %v, orphaned %v", marks, orphaned(marks))
	}
	for port, bindings := range seen.Container.NetworkSettings.Ports {
		for _, binding := range bindings {
			if !binding.HostIP.IsLoopback() {
				t.Errorf("port %s is open to %s", port, binding.HostIP)
			}
		}
	}
	sweepContainers()
	if !listens(t, database) {
		t.Error("swept the container of a living gate")
	}
	for range 2 {
		if err := database.Close(); err != nil {
			t.Error(err)
		}
	}
	if names := containersOf(t, e, wanted.Version); len(names) != 0 || listens(t, database) {
		t.Errorf("left behind: %v", names)
	}
}

func TestContainerCancel(t *testing.T) {
	t.Parallel()
	t.Run("while running", func(t *testing.T) {
		t.Parallel()
		m, e, wanted := withEngine(t, "")
		ctx, cancel := context.WithCancel(t.Context())
		database, err := m.store(ctx, wanted)
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := database.Close(); err != nil {
			t.Error(err)
		}
		if names := containersOf(t, e, wanted.Version); len(names) != 0 {
			t.Errorf("left behind: %v", names)
		}
	})
	// A request that is cut off is carried out all the same: whatever the
	// moment, nothing may be left.
	t.Run("while starting", func(t *testing.T) {
		t.Parallel()
		m, e, wanted := withEngine(t, "never")
		for moment := range 6 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(moment)*100*time.Millisecond)
			_, err := m.store(ctx, wanted)
			cancel()
			wantError(t, err, context.DeadlineExceeded, "interrupted")
			if names := containersOf(t, e, wanted.Version); len(names) != 0 {
				t.Errorf("after %d00 ms left behind: %v", moment, names)
			}
		}
	})
}

func TestContainerThatFails(t *testing.T) {
	t.Parallel()
	m, e, wanted := withEngine(t, "dies")
	m.path, m.packaged = os.Getenv("PATH"), packaged
	database := up(t, m, wanted)
	if !strings.HasSuffix(database.Name, "stand-in") || !strings.Contains(database.Note, "cannot allocate memory") || strings.Contains(database.Note, "\n") {
		t.Errorf("name %q, note %q", database.Name, database.Note)
	}
	if names := containersOf(t, e, wanted.Version); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
}

// A gate that was killed leaves its container; the next run takes it away.
func TestKilledGateLeavesAContainerToSweep(t *testing.T) {
	t.Parallel()
	_, e, wanted := withEngine(t, "")
	killed := exec.Command(os.Args[0], "child", "container", wanted.Version)
	killed.Env = append(os.Environ(), "TMPDIR="+parent(t), "COCKROACH_BINARY=")
	output, err := killed.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	killed.Stderr = os.Stderr
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(io.LimitReader(output, 1000)).ReadString('\n')
	if err != nil || line != "up\n" {
		t.Fatal(line, err)
	}
	sweepContainers()
	if names := containersOf(t, e, wanted.Version); len(names) != 1 {
		t.Errorf("of a living gate: %v", names)
	}
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait()
	if names := containersOf(t, e, wanted.Version); len(names) != 1 {
		t.Errorf("of a dead one: %v", names)
	}
	sweepContainers()
	if names := containersOf(t, e, wanted.Version); len(names) != 0 {
		t.Errorf("left behind: %v", names)
	}
}

func TestOrphaned(t *testing.T) {
	t.Parallel()
	over := exec.Command("true")
	if err := over.Run(); err != nil {
		t.Fatal(err)
	}
	mine := func(change map[string]string) map[string]string {
		made := newMarks("").on("store")
		for name, value := range change {
			made[name] = value
		}
		return made
	}
	for name, test := range map[string]struct {
		labels map[string]string
		want   bool
	}{
		"this run":                       {mine(nil), false},
		"a dead run":                     {mine(map[string]string{labelProcess: fmt.Sprint(over.Process.Pid)}), true},
		"its id came again":              {mine(map[string]string{labelBorn: "1"}), born(os.Getpid()) != ""},
		"an unknown start":               {mine(map[string]string{labelBorn: ""}), false},
		"a dead run of another system":   {mine(map[string]string{labelProcess: fmt.Sprint(over.Process.Pid), labelHost: "elsewhere"}), false},
		"a dead run that says no system": {mine(map[string]string{labelProcess: fmt.Sprint(over.Process.Pid), labelHost: ""}), false},
		"not a process":                  {mine(map[string]string{labelProcess: "0; rm"}), false},
		"no labels":                      {nil, false},
	} {
		if got := orphaned(test.labels); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// socket is a short path: a socket's has a limit.
func socket(t *testing.T) string { return filepath.Join(parent(t), "s") }

// speaking is an engine of our own making.
func speaking(t *testing.T, handle http.HandlerFunc) *engine {
	t.Helper()
	path := socket(t)
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handle)
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	api, err := client.New(client.WithHost("unix://" + path))
	if err != nil {
		t.Fatal(err)
	}
	return &engine{api}
}

func TestWhyThereIsNoEngine(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write(t, filepath.Join(folder, "file"), "", 0o600)
	for address, says := range map[string]string{
		"unix:///nowhere/docker.sock":             "no container engine listens at /nowhere/docker.sock",
		"unix://" + folder:                        "is a directory, not the socket",
		"unix://" + filepath.Join(folder, "file"): "is not the socket",
		"tcp://192.0.2.1:2375":                    "on another machine",
		"ssh://somebody@example.org":              "on another machine",
		"tcp://localhost:2375":                    "",
		"tcp://[::1]:2375":                        "",
		"\x00":                                    "no address",
	} {
		if got := usable(address); says == "" && got != "" || !strings.Contains(got, says) {
			t.Errorf("%q: %q", address, got)
		}
	}
	for says, err := range map[string]error{
		"at /s does not answer within 3s":   fmt.Errorf("ping: %w", context.DeadlineExceeded),
		"at /s refuses: API is [31mtoo old": errors.New("API is \x1b[31mtoo\nold."),
	} {
		if got := refused("unix:///s", err); !strings.HasSuffix(got, says) {
			t.Errorf("%q, want %q", got, says)
		}
	}
}

func TestReachTellsTheCausesApart(t *testing.T) {
	// DOCKER_HOST is the whole process's: not in parallel.
	path := socket(t)
	t.Setenv("DOCKER_HOST", "unix://"+path)
	if _, got := reach(t.Context()); got != "no container engine listens at "+path {
		t.Errorf("missing: %q", got)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, got := reach(short); !strings.Contains(got, "does not answer within") {
		t.Errorf("silent: %q", got)
	}
	_ = listener.Close()
	if _, got := reach(t.Context()); !strings.Contains(got, "nobody answers at the container engine's socket "+path) {
		t.Errorf("stale: %q", got)
	}
	t.Setenv("DOCKER_HOST", "nonsense")
	if _, got := reach(t.Context()); !strings.Contains(got, "DOCKER_HOST") {
		t.Errorf("nonsense: %q", got)
	}
	sweepContainers() // has nothing to do, and says nothing
}

// What an engine says when there is no image and none to be had.
func TestAPullThatFails(t *testing.T) {
	t.Parallel()
	for says, pull := range map[string]http.HandlerFunc{
		"no such host": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			_, _ = io.WriteString(w, `{"message": "lookup registry:\n no such host."}`)
		},
		"manifest unknown": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"status": "Pulling"}`+"\n"+`{"errorDetail": {"message": "manifest unknown"}}`)
		},
		"cannot be pulled": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"status": "Pul`) },
	} {
		t.Run(says, func(t *testing.T) {
			t.Parallel()
			e := speaking(t, func(w http.ResponseWriter, r *http.Request) {
				if strings.HasSuffix(r.URL.Path, "/images/create") {
					pull(w, r)
					return
				}
				w.WriteHeader(http.StatusNotFound)
			})
			m := bare(t)
			m.reach = func(context.Context) (*engine, string) { return e, "" }
			var heard []string
			_, err := m.store(t.Context(), StoreOptions{Progress: func(doing string) { heard = append(heard, doing) }})
			wantError(t, err, ErrNoDatabase, says, "no stand-in")
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("several lines: %v", err)
			}
			if want := "pulling docker.io/cockroachdb/cockroach:v26.2.5"; len(heard) != 1 || heard[0] != want {
				t.Errorf("progress %q", heard)
			}
			_, err = m.store(t.Context(), StoreOptions{Local: true, Progress: func(string) { t.Error("pulls") }})
			wantError(t, err, ErrNoDatabase, "the image docker.io/cockroachdb/cockroach:v26.2.5 is not here")
		})
	}
}

// A registry that hangs does not hold up an interrupted run.
func TestAPullThatHangs(t *testing.T) {
	t.Parallel()
	pulling := make(chan struct{})
	e := speaking(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/images/create") {
			close(pulling)
			<-r.Context().Done()
			return
		}
		w.WriteHeader(http.StatusNotFound)
	})
	m := bare(t)
	m.reach = func(context.Context) (*engine, string) { return e, "" }
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-pulling
		cancel()
	}()
	_, err := m.store(ctx, StoreOptions{})
	wantError(t, err, context.Canceled, "interrupted")
}
