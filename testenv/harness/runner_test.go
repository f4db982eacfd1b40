package harness_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/sessiongate/sessiongate/testenv/gate"
)

// runner does for one job what GitHub's does: the folders it mounts and the
// docker command it issues (actions/runner, DockerCommandManager.cs and
// ContainerActionHandler.cs).
type runner struct {
	t         *testing.T
	temp      string // of the job, on this machine
	workspace string // the checkout
	network   string // of the job's services; "" without any
	socket    string // that is mounted as the engine's
	run       string // id of the workflow run, in whose name containers are labelled
	env       map[string]string
	name      string
	command   *exec.Cmd
	log       *buffer
	done      <-chan struct{}
}

// job begins a job whose workspace holds these folders of the repository.
func job(t *testing.T, folders ...string) *runner {
	t.Helper()
	base := t.TempDir()
	r := &runner{t: t, temp: filepath.Join(base, "_temp"), workspace: filepath.Join(base, "shop", "shop"), socket: "/var/run/docker.sock", run: fmt.Sprint(time.Now().UnixNano())}
	for _, folder := range []string{"_github_home", "_github_workflow", "_runner_file_commands"} {
		if err := os.MkdirAll(filepath.Join(r.temp, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, folder := range folders {
		r.checkout(folder)
	}
	// The real image is taken by itself; what stands in for it has to be named.
	_, version, _ := strings.Cut(store, ":")
	r.place(".sessiongate.yml", "version: 1\ndatabase: {ephemeral: cockroachdb, version: "+version+"}\n")
	r.write("_github_workflow/event.json", `{"repository": {"default_branch": "main"}}`)
	return r
}

// checkout copies what git knows of a folder.
func (r *runner) checkout(folder string) {
	r.t.Helper()
	list := exec.CommandContext(r.t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", folder)
	list.Dir = root
	names, err := list.Output()
	if err != nil {
		r.t.Fatal(err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names), "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			r.t.Fatal(err)
		}
		r.place(name, string(text))
	}
}

// place writes a file of the workspace.
func (r *runner) place(name, text string) {
	r.t.Helper()
	at := filepath.Join(r.workspace, name)
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r *runner) write(name, text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.temp, name), []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r *runner) read(name string) string {
	data, _ := os.ReadFile(filepath.Join(r.temp, "_runner_file_commands", name))
	return string(data)
}

// start issues the runner's docker run for an entrypoint of the action.
func (r *runner) start(ctx context.Context, entrypoint string, inputs map[string]string) {
	r.t.Helper()
	r.name = fmt.Sprintf("sessiongatetest_%d", time.Now().UnixNano())
	for _, file := range []string{"set_output_x", "step_summary_x", "add_path_x", "set_env_x", "save_state_x"} {
		r.write("_runner_file_commands/"+file, "")
	}
	r.env = map[string]string{
		"GITHUB_ACTIONS": "true", "CI": "true", "HOME": "/github/home", "GITHUB_WORKSPACE": "/github/workspace", "RUNNER_TEMP": "/github/runner_temp",
		"GITHUB_OUTPUT": "/github/file_commands/set_output_x", "GITHUB_STEP_SUMMARY": "/github/file_commands/step_summary_x",
		"GITHUB_ENV": "/github/file_commands/set_env_x", "GITHUB_PATH": "/github/file_commands/add_path_x", "GITHUB_STATE": "/github/file_commands/save_state_x",
		"GITHUB_EVENT_PATH": "/github/workflow/event.json", "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main",
		"GITHUB_SHA": strings.Repeat("0123", 10), "GITHUB_REPOSITORY": "acme/shop", "GITHUB_API_URL": "https://127.0.0.1:1", "GITHUB_ACTOR": "octocat",
		"GITHUB_RUN_ID": r.run, "GITHUB_RUN_ATTEMPT": "1", "GITHUB_JOB": "gate", "RUNNER_NAME": "harness", "RUNNER_OS": "Linux",
		"RUNNER_WORKSPACE":      filepath.Dir(r.workspace), // not translated, and the parent
		"ACTIONS_RUNTIME_TOKEN": canary, "ACTIONS_RUNTIME_URL": "https://127.0.0.1:1/", "HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9",
	}
	for name, value := range defaults(r.t) {
		r.env["INPUT_"+strings.ToUpper(name)] = value
	}
	for name, value := range inputs {
		if !strings.HasPrefix(name, "GITHUB_") && name != "SSL_CERT_FILE" {
			name = "INPUT_" + strings.ToUpper(name)
		}
		r.env[name] = value
	}
	args := []string{"run", "--name", r.name, "--label", "c0ffee", "--workdir", "/github/workspace", "--rm"}
	r.command = exec.CommandContext(ctx, "docker")
	r.command.Env = os.Environ()
	for name, value := range r.env {
		args = append(args, "-e", name) // the value comes from the client's own environment
		r.command.Env = append(r.command.Env, name+"="+value)
	}
	args = append(args, "--entrypoint", entrypoint)
	if r.network != "" {
		args = append(args, "--network", r.network)
	}
	for _, mount := range [][2]string{
		{r.socket, "/var/run/docker.sock"}, {r.temp, "/github/runner_temp"}, {r.temp + "/_github_home", "/github/home"},
		{r.temp + "/_github_workflow", "/github/workflow"}, {r.temp + "/_runner_file_commands", "/github/file_commands"}, {r.workspace, "/github/workspace"},
	} {
		args = append(args, "-v", mount[0]+":"+mount[1])
	}
	r.command.Args = append([]string{"docker"}, append(args, actionImage)...)
	r.log = &buffer{}
	r.command.Stdout, r.command.Stderr = r.log, r.log
	if err := r.command.Start(); err != nil {
		r.t.Fatal(err)
	}
	done := make(chan struct{})
	r.done = done
	go func(command *exec.Cmd) {
		_ = command.Wait()
		close(done)
	}(r.command)
}

// defaults of the action's inputs, which the runner exports as if they had been
// written.
func defaults(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var metadata struct {
		Inputs map[string]struct{ Default string }
	}
	if err := yaml.Unmarshal(text, &metadata); err != nil || len(metadata.Inputs) == 0 {
		t.Fatalf("action.yml: %v, %d inputs", err, len(metadata.Inputs))
	}
	found := map[string]string{}
	for name, input := range metadata.Inputs {
		found[name] = strings.ReplaceAll(input.Default, "${{ github.token }}", canary)
	}
	return found
}

// wait returns the exit code of what was started.
func (r *runner) wait() int {
	<-r.ended()
	return r.command.ProcessState.ExitCode()
}

// ended is closed once docker's client has ended.
func (r *runner) ended() <-chan struct{} { return r.done }

// step runs the action and its post step, as a job that is let run does.
func (r *runner) step(inputs map[string]string) ran {
	r.t.Helper()
	r.start(r.t.Context(), "/sessiongate", inputs)
	made := ran{code: r.wait(), log: r.log.String(), summary: r.read("step_summary_x"), outputs: gate.Outputs(r.read("set_output_x"))}
	r.post(inputs)
	return made
}

func (r *runner) post(inputs map[string]string) {
	r.t.Helper()
	r.start(context.WithoutCancel(r.t.Context()), "/sessiongate-clean", inputs)
	if code := r.wait(); code != 0 {
		r.t.Errorf("the post step ended with %d\n%s", code, r.log.String())
	}
}

// until waits for something to stand in the log.
func (r *runner) until(holds func(log string) bool) {
	r.t.Helper()
	for !holds(r.log.String()) {
		select {
		case <-r.ended():
			r.t.Fatalf("it ended by itself\n%s", r.log.String())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// cancel is what the runner does when a workflow is cancelled: SIGINT, SIGTERM
// after 7.5 s, and after another 2.5 s it is killed (ProcessInvoker.cs).
func (r *runner) cancel() (took time.Duration) {
	began := time.Now()
	for _, next := range []struct {
		signal os.Signal
		wait   time.Duration
	}{{syscall.SIGINT, 7500 * time.Millisecond}, {syscall.SIGTERM, 2500 * time.Millisecond}, {syscall.SIGKILL, time.Minute}} {
		_ = r.command.Process.Signal(next.signal)
		select {
		case <-r.ended():
			return time.Since(began)
		case <-time.After(next.wait):
		}
	}
	r.t.Fatal("docker's client does not end")
	return 0
}

// ran is what a step left.
type ran struct {
	code         int
	log, summary string
	outputs      map[string]string
}

// buffer is written by docker's client and read while it runs.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(chunk []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(chunk)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
