// Package containers_test scans an API in a container, from the machine and
// from a container beside it as GitHub's runner starts one, and looks for what
// is left of the scan.
package containers_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/sessiongate/sessiongate/testenv/demoapi"
	"github.com/sessiongate/sessiongate/testenv/standin"
)

// room is a folder with the program, the API and their recipes, and the images
// of both.
type room struct {
	folder string
	engine *client.Client
	image  string // of the program
	store  string // image of the session store; its tag is for database.version
}

var (
	prepared = sync.OnceValues(prepare)
	cleared  = func() {} // what prepare made
)

func enter(t *testing.T) room {
	t.Helper()
	engine, err := client.New(client.FromEnv)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := engine.Ping(t.Context(), client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		t.Skip("no container is started: no engine answers")
	}
	if _, err := exec.LookPath("docker"); err != nil {
		t.Skip("no container is started: there is no docker command")
	}
	made, err := prepared()
	if err != nil {
		t.Fatal(err)
	}
	return made
}

const recipe = `version: 1
target:
  container: {%s, environment: {MOOD: %s}}
  start-timeout: 30s
database: {ephemeral: cockroachdb, version: %s, environment-variable: DATABASE_URL, schema: schema.sql}
users:
  - {name: alice, password: alice-demo-password}
  - {name: bob, password: bob-demo-password}
steps:
  visit: {request: GET /}
  login: {request: POST /login, json: {username: "{{username}}", password: "{{password}}"}}
  identity: {request: GET /me}
  logout: {request: POST /logout}
`

const build = "build: {context: api}"

func prepare() (room, error) {
	ctx := context.Background()
	store, err := standin.Image(ctx)
	if err != nil {
		return room{}, err
	}
	engine, err := client.New(client.FromEnv)
	if err != nil {
		return room{}, err
	}
	folder, err := os.MkdirTemp("", "sessiongate-containers-")
	if err != nil {
		return room{}, err
	}
	cleared = func() { _ = os.RemoveAll(folder) }
	if err := os.Chmod(folder, 0o755); err != nil { // the gate may be another user in its container
		return room{}, err
	}
	made := room{folder, engine, "sessiongate-test/gate:" + strings.ToLower(rand.Text()), store}
	version := store[strings.LastIndexByte(store, ':')+1:]
	files := map[string]string{
		"schema.sql":      "CREATE TABLE IF NOT EXISTS sessions (session_id TEXT PRIMARY KEY, username TEXT);",
		"gate/Dockerfile": "FROM scratch\nCOPY sessiongate /sessiongate\nENTRYPOINT [\"/sessiongate\"]\n",
		"api/Dockerfile":  "FROM scratch\nCOPY api /api\nEXPOSE 9000\nUSER 1000\nCMD [\"/api\"]\n", "api/.dockerignore": "*\n!api\n", "api/unneeded": "x",
		"chatty.yml":      fmt.Sprintf(recipe, build, "chatty", version),
		"leaves.yml":      fmt.Sprintf(recipe, build, "leaves", version),
		"process.yml":     strings.Replace(fmt.Sprintf(recipe, build, "vulnerable", "x"), "cockroachdb, version: x", "postgres", 1),
		"base/Dockerfile": "FROM scratch\nCOPY Dockerfile /\n",
		"mounted.yml":     fmt.Sprintf(recipe, `build: {context: base}, mount: {api: /src}, command: ["./api"]`, "vulnerable", version),
		"bad/Dockerfile":  "FROM scratch\nCOPY nothing /\n",
		"vulnerable.yml":  fmt.Sprintf(recipe, build, "vulnerable", version), "hardened.yml": fmt.Sprintf(recipe, build, "hardened", version),
		"dies.yml":   fmt.Sprintf(recipe, build, "dies", version),
		"bad.yml":    fmt.Sprintf(recipe, "build: {context: bad}", "vulnerable", version),
		"port.yml":   fmt.Sprintf(recipe, build+", port: 9001, command: [/api]", "vulnerable, PORT: '9000'", version),
		"socket.yml": fmt.Sprintf(recipe, build+", mount: {/var/run: /x}", "vulnerable", version),
	}
	for name, text := range files {
		path := filepath.Join(folder, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			return room{}, err
		}
	}
	for program, source := range map[string]string{"gate/sessiongate": "../..", "api/api": "./api"} {
		command := exec.Command("go", "build", "-o", filepath.Join(folder, program), source)
		command.Env = append(os.Environ(), "CGO_ENABLED=0")
		if said, err := command.CombinedOutput(); err != nil {
			return room{}, errors.New(string(said))
		}
	}
	cleared = func() {
		_, _ = engine.ImageRemove(ctx, made.image, client.ImageRemoveOptions{Force: true, PruneChildren: true})
		_ = os.RemoveAll(folder)
	}
	said, err := exec.Command("docker", "build", "-q", "-t", made.image, filepath.Join(folder, "gate")).CombinedOutput()
	if err != nil {
		return room{}, errors.New(string(said))
	}
	return made, nil
}

func TestMain(m *testing.M) {
	code := m.Run()
	cleared()
	os.Exit(code)
}

// gate is one way to run the program on a recipe of the room.
type gate func(run string, arguments ...string) *exec.Cmd

// onMachine runs it as a person does.
func (r room) onMachine(run string, arguments ...string) *exec.Cmd {
	command := exec.Command(filepath.Join(r.folder, "gate/sessiongate"), arguments...)
	command.Dir = r.folder
	command.Env = append(os.Environ(), "SESSIONGATE_RUN="+run, "COCKROACH_BINARY=")
	return command
}

// inContainer runs it as GitHub's runner does, with more options of docker run.
func (r room) inContainer(options ...string) gate {
	return func(run string, arguments ...string) *exec.Cmd {
		words := append([]string{"run", "--rm", "--name", "gate-" + run, "--label", "abc123", "--workdir", "/github/workspace",
			"-e", "SESSIONGATE_RUN=" + run, "-e", "GITHUB_TOKEN=ghs_canary", "-e", "ACTIONS_RUNTIME_TOKEN=actions-canary", "-e", "INPUT_TOKEN=input-canary",
			"-v", r.folder + ":/github/workspace"}, options...)
		return exec.Command("docker", append(append(words, r.image), arguments...)...)
	}
}

const socket = "/var/run/docker.sock:/var/run/docker.sock"

func newRun() string { return "test-" + strings.ToLower(rand.Text()) }

// finish waits for a command and gives its words and exit code.
func finish(t *testing.T, command *exec.Cmd) (string, int) {
	t.Helper()
	said, err := command.CombinedOutput()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return strings.Join(strings.Fields(string(said)), " "), command.ProcessState.ExitCode()
}

// left is what carries a run's label.
func (r room) left(t *testing.T, run string) []string {
	t.Helper()
	ctx := context.Background()
	labelled := client.Filters{}.Add("label", "org.sessiongate.run="+run)
	var found []string
	containers, err := r.engine.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: labelled})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range containers.Items {
		found = append(found, "container "+one.Labels["org.sessiongate"])
	}
	networks, err := r.engine.NetworkList(ctx, client.NetworkListOptions{Filters: labelled})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range networks.Items {
		found = append(found, "network "+one.Name)
	}
	volumes, err := r.engine.VolumeList(ctx, client.VolumeListOptions{Filters: labelled})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range volumes.Items {
		found = append(found, "volume "+one.Name)
	}
	images, err := r.engine.ImageList(ctx, client.ImageListOptions{Filters: labelled})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range images.Items {
		found = append(found, fmt.Sprint("image ", one.RepoTags))
	}
	return found
}

func (r room) nothingLeft(t *testing.T, run string) {
	t.Helper()
	if found := r.left(t, run); len(found) > 0 {
		t.Errorf("left behind: %q", found)
	}
}

// jobNetwork is one as the runner makes it for a job with services.
func (r room) jobNetwork(t *testing.T) string {
	t.Helper()
	name := "github_network_" + strings.ToLower(rand.Text())
	if _, err := r.engine.NetworkCreate(t.Context(), name, client.NetworkCreateOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := r.engine.NetworkRemove(context.Background(), name, client.NetworkRemoveOptions{}); err != nil {
			t.Error(err)
		}
	})
	return name
}

func TestScanOfAContainer(t *testing.T) {
	t.Parallel()
	r := enter(t)
	for name, how := range map[string]func(*testing.T) gate{
		"from the machine":     func(*testing.T) gate { return r.onMachine },
		"on the usual network": func(*testing.T) gate { return r.inContainer("-v", socket) },
		"on a job's network":   func(t *testing.T) gate { return r.inContainer("-v", socket, "--network", r.jobNetwork(t)) },
		// Its id is then in its files only.
		"under another name": func(*testing.T) gate { return r.inContainer("-v", socket, "--hostname", "runner") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := how(t)
			run := newRun()
			said, code := finish(t, start(run, "scan", "--config", "vulnerable.yml"))
			if code != 1 {
				t.Fatalf("exit code %d: %s", code, said)
			}
			for _, want := range []string{"session-id-not-rotated-on-login, cookie sid", "store UPDATE sessions SET username = $1 WHERE session_id = $2 with $2 =", "row of sessions: session_id holds"} {
				if !strings.Contains(said, want) {
					t.Errorf("the report does not say %q", want)
				}
			}
			if strings.HasSuffix(r.store, ":stand-in") && !strings.Contains(said, "stand-in") {
				t.Error("the report does not name the stand-in")
			}
			r.nothingLeft(t, run)
			run = newRun()
			said, code = finish(t, start(run, "scan", "--config", "hardened.yml"))
			if strings.Contains(said, "session-id-not-rotated-on-login, cookie") || code > 1 {
				t.Errorf("the hardened API: exit code %d: %s", code, said)
			}
			r.nothingLeft(t, run)
		})
	}
}

// The container's log is read, and its end is seen.
func TestWhatAContainerSays(t *testing.T) {
	t.Parallel()
	r := enter(t)
	for file, test := range map[string]struct {
		code int
		says string
	}{
		"chatty.yml": {1, "session-id-in-logs, "},
		"leaves.yml": {3, "the API ended during the scan (ended with exit status 7); its last lines: out of patience, giving up"},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			run := newRun()
			said, code := finish(t, r.onMachine(run, "scan", "--config", file))
			if code != test.code || !strings.Contains(said, test.says) {
				t.Errorf("exit code %d: %s", code, said)
			}
			r.nothingLeft(t, run)
		})
	}
}

// A store that is a process of this machine is reached from the container, too.
func TestAProcessIsTheStore(t *testing.T) {
	t.Parallel()
	r := enter(t)
	run := newRun()
	said, code := finish(t, r.onMachine(run, "scan", "--config", "process.yml"))
	if code != 1 || !strings.Contains(said, "row of sessions: session_id holds") {
		t.Errorf("exit code %d: %s", code, said)
	}
	r.nothingLeft(t, run)
}

// An image that only holds the language works in the repository it is shown.
func TestAMountedWorkspace(t *testing.T) {
	t.Parallel()
	r := enter(t)
	for name, start := range map[string]gate{"from the machine": r.onMachine, "from a container": r.inContainer("-v", socket)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := newRun()
			said, code := finish(t, start(run, "scan", "--config", "mounted.yml"))
			if code != 1 || !strings.Contains(said, "row of sessions: session_id holds") {
				t.Errorf("exit code %d: %s", code, said)
			}
			r.nothingLeft(t, run)
		})
	}
}

// service starts a session store as the runner starts those of a job.
func (r room) service(t *testing.T, options ...string) {
	t.Helper()
	words := append([]string{"run", "-d", "--rm"}, options...)
	said, err := exec.Command("docker", append(words, r.store, "start-single-node", "--insecure")...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s", said)
	}
	id := strings.TrimSpace(string(said))
	t.Cleanup(func() {
		if _, err := r.engine.ContainerRemove(context.Background(), id, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true}); err != nil {
			t.Error(err)
		}
	})
	until(t, "the service is ready", func() bool {
		seen, err := r.engine.ContainerInspect(t.Context(), id, client.ContainerInspectOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, there := range seen.Container.NetworkSettings.Networks {
			answer, err := http.Get("http://" + there.IPAddress.String() + ":8080/health?ready=1")
			if err == nil && answer.Body.Close() == nil && answer.StatusCode == http.StatusOK {
				return true
			}
		}
		return false
	})
}

// A CockroachDB among the job's services is reached by its name, or on the
// runner's localhost where its port is published.
func TestAServiceIsTheStore(t *testing.T) {
	t.Parallel()
	r := enter(t)
	network := r.jobNetwork(t)
	r.service(t, "--network", network, "--network-alias", "crdb")
	free, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	published := free.Addr().String()
	_ = free.Close()
	r.service(t, "-p", published+":26257")
	for name, test := range map[string]struct {
		address string
		options []string
	}{
		"by its name":          {"crdb:26257", []string{"-v", socket, "--network", network}},
		"on the runner's":      {published, []string{"-v", socket}},
		"on the machine's own": {published, []string{"-v", socket, "--network", "host"}},
	} {
		t.Run(name, func(t *testing.T) {
			config := strings.ReplaceAll(strings.Fields(name)[2], "'", "") + ".yml"
			text := strings.Replace(fmt.Sprintf(recipe, build, "vulnerable", "x"), "ephemeral: cockroachdb, version: x",
				`url: "postgresql://root@`+test.address+`/defaultdb?sslmode=disable"`, 1)
			if err := os.WriteFile(filepath.Join(r.folder, config), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			run := newRun()
			said, code := finish(t, r.inContainer(test.options...)(run, "scan", "--config", config, "--i-own-this-database"))
			if code != 1 || !strings.Contains(said, "row of sessions: session_id holds") {
				t.Errorf("exit code %d: %s", code, said)
			}
			r.nothingLeft(t, run)
		})
	}
}

// What goes wrong is one sentence, and leaves nothing either.
func TestContainersThatFail(t *testing.T) {
	t.Parallel()
	r := enter(t)
	for file, wants := range map[string][]string{
		"dies.yml":   {"container built from Dockerfile) ended with exit status 7", "there is no configuration"},
		"bad.yml":    {"image cannot be built", "nothing"},
		"port.yml":   {"did not answer GET / on its port 9001", "listen on 0.0.0.0"},
		"socket.yml": {"holds the container engine's socket"},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			for _, start := range []gate{r.onMachine, r.inContainer("-v", socket)} {
				run := newRun()
				config := file
				if file == "port.yml" {
					config = r.impatient(t)
				}
				said, code := finish(t, start(run, "scan", "--config", config))
				for _, want := range wants {
					if !strings.Contains(said, want) {
						t.Errorf("does not say %q: %s", want, said)
					}
				}
				if code != 3 || strings.Contains(said, "canary") {
					t.Errorf("exit code %d: %s", code, said)
				}
				r.nothingLeft(t, run)
			}
		})
	}
}

// impatient is port.yml with a short start-timeout.
func (r room) impatient(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.folder, "port.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(r.folder, "impatient.yml"), bytes.Replace(text, []byte("30s"), []byte("2s"), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	return "impatient.yml"
}

// until polls, since an engine tells nobody what it made.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	limit := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-limit:
			t.Fatalf("never came true: %s", what)
		}
	}
}

// The runner gives a cancelled job seven and a half seconds after SIGINT.
func TestCancelledScans(t *testing.T) {
	t.Parallel()
	r := enter(t)
	for name, start := range map[string]gate{"from the machine": r.onMachine, "from a container": r.inContainer("-v", socket)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for moment := range 5 {
				run := newRun()
				command := start(run, "scan", "--config", "vulnerable.yml", "--quiet")
				if err := command.Start(); err != nil {
					t.Fatal(err)
				}
				until(t, "something is made", func() bool { return len(r.left(t, run)) > min(moment, 3) })
				began := time.Now()
				_ = command.Process.Signal(os.Interrupt)
				_ = command.Wait()
				if took := time.Since(began); took > 7*time.Second {
					t.Errorf("moment %d: ended after %s", moment, took)
				}
				r.nothingLeft(t, run)
			}
		})
	}
}

// After a SIGKILL the step after the job finds everything by its name.
func TestKilledScans(t *testing.T) {
	t.Parallel()
	r := enter(t)
	for name, start := range map[string]gate{"from the machine": r.onMachine, "from a container": r.inContainer("-v", socket)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := newRun()
			command := start(run, "scan", "--config", "vulnerable.yml", "--quiet")
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			until(t, "all is made", func() bool { return slices.Contains(r.left(t, run), "container api") })
			if name == "from a container" {
				if _, err := r.engine.ContainerKill(t.Context(), "gate-"+run, client.ContainerKillOptions{Signal: "KILL"}); err != nil {
					t.Fatal(err)
				}
			} else if err := command.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = command.Wait()
			if found := r.left(t, run); len(found) < 4 {
				t.Errorf("of a killed scan only %q is left: the test tests nothing", found)
			}
			until(t, "the container of the killed scan is gone", func() bool {
				_, err := r.engine.ContainerInspect(t.Context(), "gate-"+run, client.ContainerInspectOptions{})
				return err != nil
			})
			if said, code := finish(t, start(run, "clean")); code != 0 || said != "" {
				t.Errorf("clean: exit code %d: %s", code, said)
			}
			r.nothingLeft(t, run)
			if said, code := finish(t, start(run, "clean")); code != 0 || said != "" {
				t.Errorf("clean again: exit code %d: %s", code, said)
			}
		})
	}
}

const byURL = `version: 1
target: {url: "http://127.0.0.1:%d", start-timeout: 4s}
users:
  - {name: alice, password: alice-demo-password}
  - {name: bob, password: bob-demo-password}
steps:
  visit: {request: GET /}
  login: {request: POST /login, json: {username: "{{username}}", password: "{{password}}"}}
  identity: {request: GET /me}
  logout: {request: POST /logout}
`

// serveDemo is an API that a step before started on the runner.
func (r room) serveDemo(t *testing.T, host string) (config string) {
	t.Helper()
	handler, err := demoapi.New()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp4", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Second}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return r.recipeFor(t, listener.Addr().(*net.TCPAddr).Port)
}

func (r room) recipeFor(t *testing.T, port int) string {
	t.Helper()
	config := fmt.Sprintf("url-%d.yml", port)
	if err := os.WriteFile(filepath.Join(r.folder, config), fmt.Appendf(nil, byURL, port), 0o644); err != nil {
		t.Fatal(err)
	}
	return config
}

func TestTheRunnersLocalhost(t *testing.T) {
	t.Parallel()
	r := enter(t)
	everywhere, inside := r.serveDemo(t, "0.0.0.0"), r.serveDemo(t, "127.0.0.1")
	shut, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = shut.Close()
	nobody := r.recipeFor(t, shut.Addr().(*net.TCPAddr).Port)
	for name, test := range map[string]struct {
		config  string
		options []string
		code    int
		says    string
	}{
		"on all addresses":            {everywhere, []string{"-v", socket}, 0, "GATE MET"},
		"on all, without a socket":    {everywhere, nil, 0, "GATE MET"},
		"on localhost":                {inside, []string{"-v", socket}, 0, "GATE MET"},
		"on localhost, a job's":       {inside, []string{"-v", socket, "--network", r.jobNetwork(t)}, 0, "GATE MET"},
		"on localhost without socket": {inside, nil, 3, "without the container engine's socket"},
		"nowhere":                     {nobody, []string{"-v", socket}, 3, "--host 0.0.0.0"},
		"in the machine's network":    {inside, []string{"--network", "host", "-v", socket}, 0, "GATE MET"},
	} {
		t.Run(name, func(t *testing.T) {
			run := newRun()
			said, code := finish(t, r.inContainer(test.options...)(run, "scan", "--config", test.config))
			if code != test.code || !strings.Contains(strings.ToUpper(said), strings.ToUpper(test.says)) {
				t.Errorf("exit code %d: %s", code, said)
			}
			r.nothingLeft(t, run)
		})
	}
}

// Each way not to have an engine has its own words.
func TestNoEngine(t *testing.T) {
	t.Parallel()
	r := enter(t)
	empty := t.TempDir()
	for name, test := range map[string]struct {
		options []string
		says    string
	}{
		"none":        {nil, "no container engine listens at /var/run/docker.sock"},
		"a directory": {[]string{"-v", empty + ":/var/run/docker.sock"}, "is a directory, not the socket"},
		"not ours":    {[]string{"-v", socket, "--user", "1000:1000"}, "this user may not use"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := newRun()
			said, code := finish(t, r.inContainer(test.options...)(run, "scan", "--config", "vulnerable.yml"))
			if code != 3 || !strings.Contains(said, test.says) || !strings.Contains(said, "target.url") {
				t.Errorf("exit code %d: %s", code, said)
			}
			if said, code := finish(t, r.inContainer(test.options...)(run, "clean")); code != 0 || said != "" {
				t.Errorf("clean: exit code %d: %s", code, said)
			}
		})
	}
}

// The containers hold no more than they need: nothing of the gate's own
// environment, no privilege, no port of the machine, and the runner's label.
func TestWhatAContainerMayDo(t *testing.T) {
	t.Parallel()
	r := enter(t)
	run := newRun()
	command := r.inContainer("-v", socket)(run, "scan", "--config", "vulnerable.yml", "--quiet")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	labelled := client.Filters{}.Add("label", "org.sessiongate.run="+run).Add("label", "org.sessiongate=api")
	var id string
	until(t, "the API's container is there", func() bool {
		found, err := r.engine.ContainerList(t.Context(), client.ContainerListOptions{Filters: labelled})
		if err == nil && len(found.Items) == 1 {
			id = found.Items[0].ID
		}
		return id != ""
	})
	seen, err := r.engine.ContainerInspect(t.Context(), id, client.ContainerInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_ = command.Process.Signal(os.Interrupt)
	_ = command.Wait()
	made := seen.Container
	text, err := json.Marshal(made)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"canary", "docker.sock"} {
		if bytes.Contains(text, []byte(bad)) {
			t.Errorf("the container has %s", bad)
		}
	}
	_, marked := made.Config.Labels["abc123"]
	if made.HostConfig.Privileged || made.HostConfig.PidsLimit == nil || made.HostConfig.Memory == 0 || !marked ||
		fmt.Sprint(made.HostConfig.SecurityOpt) != "[no-new-privileges]" || len(made.HostConfig.PortBindings) > 0 {
		t.Errorf("labels %v, host config %+v", made.Config.Labels, made.HostConfig)
	}
}
