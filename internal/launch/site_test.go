package launch

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	containers "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/sessiongate/sessiongate/internal/secret"
)

func TestGateways(t *testing.T) {
	t.Parallel()
	const routes = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	010011AC	0003	0	0	0	00000000	0	0	0
eth1	00000000	010012AC	0003	0	0	0	00000000	0	0	0
eth0	000011AC	00000000	0001	0	0	0	0000FFFF	0	0	0
eth2	00000000	00000000	0001	0	0	0	00000000	0	0	0
eth3	00000000	nonsense
`
	if got := gateways(strings.NewReader(routes)); !slices.Equal(got, []string{"172.17.0.1", "172.18.0.1"}) {
		t.Error(got)
	}
}

func TestOnlyPort(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		exposed []string
		want    int
	}{
		"none":          {nil, 8000},
		"one":           {[]string{"3000/tcp"}, 3000},
		"one of TCP":    {[]string{"53/udp", "3000/tcp"}, 3000},
		"without a tag": {[]string{"80"}, 80},
		"several":       {[]string{"80/tcp", "443/tcp"}, 0},
	} {
		got, err := onlyPort(test.exposed)
		if got != test.want || (err != nil) != (test.want == 0) {
			t.Errorf("%s: %d, %v", name, got, err)
		}
		if err != nil && !strings.Contains(err.Error(), "(80 443): write the API's own as target.container.port") {
			t.Error(err)
		}
	}
}

func TestBasesOf(t *testing.T) {
	t.Parallel()
	const dockerfile = `# syntax=docker/dockerfile:1
ARG V=3
FROM --platform=linux/amd64 golang:1.26 AS build
RUN true
from python:${V}
FROM scratch
COPY --from=build /a /a
FROM build
FROM alpine
`
	if got := basesOf(dockerfile); !slices.Equal(got, []string{"docker/dockerfile:1", "golang:1.26", "alpine"}) {
		t.Error(got)
	}
}

// packed are the names in a build's context.
func packed(t *testing.T, folder string) map[string]byte {
	t.Helper()
	var archive bytes.Buffer
	if err := pack(&archive, folder, "Dockerfile"); err != nil {
		t.Fatal(err)
	}
	found := map[string]byte{}
	for from := tar.NewReader(&archive); ; {
		header, err := from.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		found[header.Name] = header.Typeflag
	}
}

func TestPackLeavesOut(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, name := range []string{"app/main.py", "app/secret.env", "node_modules/a/b.js", "kept/only.txt", "kept/not.txt", "Dockerfile"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(folder, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(folder, name), "x", 0o600)
	}
	write(t, filepath.Join(folder, ".dockerignore"), "node_modules\n**/*.env\nDockerfile\nkept/*\n!kept/only.txt\n", 0o600)
	if err := errors.Join(syscall.Mkfifo(filepath.Join(folder, "pipe"), 0o600), os.Symlink("/etc/passwd", filepath.Join(folder, "link"))); err != nil {
		t.Fatal(err)
	}
	found := packed(t, folder)
	for name, kind := range map[string]byte{"app/": tar.TypeDir, "app/main.py": tar.TypeReg, "kept/only.txt": tar.TypeReg,
		"Dockerfile": tar.TypeReg, ".dockerignore": tar.TypeReg, "link": tar.TypeSymlink} {
		if found[name] != kind {
			t.Errorf("%s: %c", name, found[name])
		}
		delete(found, name)
	}
	delete(found, "kept/")
	if len(found) > 0 {
		t.Errorf("too much: %v", found)
	}
}

func TestBuildChecksItsPaths(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write(t, filepath.Join(folder, "Dockerfile"), "FROM scratch", 0o600)
	for says, wanted := range map[string]Build{
		"":                       {folder, "Dockerfile"},
		"does not exist":         {filepath.Join(folder, "no"), "Dockerfile"},
		"there is no Other":      {folder, "Other"},
		"lies outside of":        {folder, "../Dockerfile"},
		"outside of the context": {folder, "/etc/passwd"},
	} {
		_, err := wanted.check()
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%+v: %v", wanted, err)
		}
	}
}

// A container's paths are not the engine's.
func TestOutside(t *testing.T) {
	t.Parallel()
	s := &Site{self: &self{mounts: []containers.MountPoint{
		{Source: "/home/runner/jobs", Destination: "/github"},
		{Source: "/home/runner/jobs/repo/repo", Destination: "/github/workspace"},
		{Source: "/var/run/docker.sock", Destination: "/var/run/docker.sock"}}}}
	for path, want := range map[string]string{
		"/github/workspace":         "/home/runner/jobs/repo/repo",
		"/github/workspace/api/src": "/home/runner/jobs/repo/repo/api/src",
		"/github/workspaces":        "/home/runner/jobs/workspaces",
		"/etc/passwd":               "",
	} {
		got, ok := s.outside(path)
		if got != want || ok != (want != "") {
			t.Errorf("%s: %q, %v", path, got, ok)
		}
	}
	if got, ok := (&Site{}).outside("/srv/x"); got != "/srv/x" || !ok {
		t.Error("on the machine itself", got, ok)
	}
}

// echo answers each connection with what it said, once it has said all.
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = connection.Close() }()
				said, _ := io.ReadAll(connection)
				_, _ = connection.Write(said)
			}()
		}
	}()
	return listener.Addr().String()
}

func relaying(t *testing.T, to string) *Relay {
	t.Helper()
	relay, err := ListenRelay(t.Context(), "127.0.0.1:0", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(relay.Close)
	return relay
}

func TestRelayCopiesBothWays(t *testing.T) {
	t.Parallel()
	relay := relaying(t, echo(t))
	connection, err := net.Dial("tcp4", relay.Address())
	if err != nil {
		t.Fatal(err)
	}
	said := bytes.Repeat([]byte("planted"), 100_000)
	go func() {
		_, _ = connection.Write(said)
		_ = connection.(*net.TCPConn).CloseWrite() // the other way stays open
	}()
	heard, err := io.ReadAll(connection)
	if err != nil || !bytes.Equal(heard, said) {
		t.Errorf("%d bytes, %v", len(heard), err)
	}
}

func TestRelayToNobody(t *testing.T) {
	t.Parallel()
	port, err := FreePort()
	if err != nil {
		t.Fatal(err)
	}
	relay := relaying(t, onLoopback(port))
	if answers(t.Context(), relay.Address()) || !answers(t.Context(), relaying(t, echo(t)).Address()) {
		t.Error("a relay to nobody is not told from one to somebody")
	}
	if got := knock(t.Context(), 0, []string{onLoopback(port), relay.Address()}); got != "" {
		t.Errorf("answers: %s", got)
	}
}

func TestRelayCloses(t *testing.T) {
	t.Parallel()
	relay := relaying(t, echo(t))
	connection, err := net.Dial("tcp4", relay.Address())
	if err != nil {
		t.Fatal(err)
	}
	_, _ = connection.Write([]byte("half a"))
	eventually(t, "the connection is served", func() bool { return len(relay.slots) == 1 })
	relay.Close()
	relay.Close()
	_ = connection.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := connection.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("still open: %v", err)
	}
	if _, err := net.Dial("tcp4", relay.Address()); err == nil {
		t.Error("still listens")
	}
}

func TestNearbyHasNothingToDo(t *testing.T) {
	t.Parallel()
	inside := &Site{self: &self{mode: "bridge"}}
	for name, test := range map[string]struct {
		address string
		site    *Site
	}{
		"another host":   {"192.0.2.1:80", inside},
		"a name":         {"crdb:26257", inside},
		"not in any":     {"127.0.0.1:1", nil},
		"on the machine": {"127.0.0.1:1", &Site{}},
		"in its network": {"127.0.0.1:1", &Site{self: &self{mode: "host"}}},
		"it answers":     {echo(t), inside},
		"not an address": {"127.0.0.1", inside},
	} {
		if relay, reason := Nearby(t.Context(), test.address, time.Hour, test.site); relay != nil || reason != "" {
			t.Errorf("%s: %v, %q", name, relay, reason)
		}
	}
}

func TestNearbyWithoutAnEngine(t *testing.T) {
	t.Parallel()
	port, err := FreePort()
	if err != nil {
		t.Fatal(err)
	}
	site := &Site{self: &self{}, cancel: func() {}}
	_, err = URL(t.Context(), "http://"+onLoopback(port), Ready{}, 100*time.Millisecond, site)
	wantError(t, err, ErrUnreachable, "refused the connection", "localhost is the container itself", "without the container engine's socket", "--host 0.0.0.0")
	if err := site.Close(); err != nil {
		t.Error(err)
	}
}

// opened is a site on the real engine, under a name of its own.
func opened(t *testing.T) *Site {
	t.Helper()
	engineHere(t)
	site, err := Open(t.Context(), SiteOptions{Run: newName()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := site.Close(); err != nil {
			t.Error(err)
		}
	})
	return site
}

// labelled counts what carries the label of a run.
func labelled(t *testing.T, e *engine, run string) (containers, networks, images int) {
	t.Helper()
	ctx, only := context.Background(), client.Filters{}.Add("label", labelRun+"="+run)
	some, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: only})
	nets, err2 := e.api.NetworkList(ctx, client.NetworkListOptions{Filters: only})
	made, err3 := e.api.ImageList(ctx, client.ImageListOptions{Filters: only})
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
	return len(some.Items), len(nets.Items), len(made.Items)
}

// buildOf is a context with the static fake in it.
func buildOf(t *testing.T, dockerfile string) Build {
	t.Helper()
	program, err := fakeCockroach()
	if err != nil {
		t.Fatal(err)
	}
	code, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	write(t, filepath.Join(folder, "cockroach"), string(code), 0o755)
	write(t, filepath.Join(folder, "Dockerfile"), dockerfile, 0o600)
	return Build{folder, "Dockerfile"}
}

// The fake node answers HTTP on its second port: an API like any other.
const fakeAPI = `FROM scratch
COPY cockroach /cockroach
EXPOSE 8080
ENV ` + silentNode + `
CMD ["/cockroach", "start-single-node", "--insecure", "--store=type=mem,size=640MiB", "--cache=64MiB", "--max-sql-memory=128MiB", "--listen-addr=:26257", "--http-addr=:8080"]
`

func TestAPIInAContainer(t *testing.T) {
	t.Parallel()
	site := opened(t)
	var told []string
	wanted := Container{Build: new(buildOf(t, fakeAPI)), Environment: map[string]secret.Text{"WORD": secret.New("canary-word")}}
	image := site.Fetch(wanted, func(what string) { told = append(told, what) })
	target, err := site.Run(t.Context(), image, wanted)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(target.URL, "http://127.0.0.1:") || target.ExitReason() != "" || !slices.Equal(told, []string{"building the API's image"}) {
		t.Errorf("url %s, exit %q, told %q", target.URL, target.ExitReason(), told)
	}
	if containers, networks, images := labelled(t, site.engine, site.marks.run); containers != 1 || networks != 1 || images != 1 {
		t.Errorf("%d containers, %d networks, %d images", containers, networks, images)
	}
	for range 2 {
		if err := errors.Join(target.Close(), site.Close()); err != nil {
			t.Error(err)
		}
	}
	<-target.Done()
	if containers, networks, images := labelled(t, engineHere(t), site.marks.run); containers+networks+images > 0 || target.ExitReason() != stoppedByUs {
		t.Errorf("left %d containers, %d networks, %d images; %q", containers, networks, images, target.ExitReason())
	}
}

func TestAPIThatEndsInItsContainer(t *testing.T) {
	t.Parallel()
	site := opened(t)
	wanted := Container{Build: new(buildOf(t, "FROM scratch\nCOPY cockroach /cockroach\nCMD [\"/cockroach\", \"canary\"]"))}
	_, err := site.Run(t.Context(), site.Fetch(wanted, nil), wanted)
	wantError(t, err, ErrUnreachable, "ended with exit status 1 before it answered GET /", `unknown command ["canary"]`)
	wanted.Command = []string{"/missing"}
	_, err = site.Run(t.Context(), site.Fetch(wanted, nil), wanted)
	wantError(t, err, ErrUnreachable, "cannot be started", "/missing", "target.container")
}

// What the classic builder does not understand goes to the other one.
func TestBuildKit(t *testing.T) {
	t.Parallel()
	site := opened(t)
	dockerfile := strings.Replace(fakeAPI, "EXPOSE", "RUN --mount=type=cache,target=/c [\"/cockroach\", \"version\", \"--build-tag\"]\nEXPOSE", 1)
	wanted := Container{Build: new(buildOf(t, dockerfile))}
	target, err := site.Run(t.Context(), site.Fetch(wanted, nil), wanted)
	if err != nil {
		t.Fatal(err)
	}
	if err := target.Close(); err != nil {
		t.Error(err)
	}
}

func TestImageThatCannotBeHad(t *testing.T) {
	t.Parallel()
	site := opened(t)
	wanted := Container{Image: "registry.invalid/acme/api:1"}
	_, err := site.Run(t.Context(), site.Fetch(wanted, nil), wanted)
	wantError(t, err, ErrUnreachable, "the image registry.invalid/acme/api:1 is not here and cannot be pulled", "target.container.image")
}

// The images of API and store come at the same time: this registry answers
// nobody before it was asked for both.
func TestBothImagesArePulledAtOnce(t *testing.T) {
	t.Parallel()
	var asked sync.WaitGroup
	asked.Add(2)
	e := speaking(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/images/create") {
			asked.Done()
			asked.Wait()
		}
		w.WriteHeader(http.StatusNotFound)
	})
	site := &Site{engine: e, marks: newMarks(""), outer: t.Context(), ctx: t.Context(), cancel: func() {}}
	image := site.Fetch(Container{Image: "api"}, nil)
	m := bare(t)
	_, err := m.store(t.Context(), StoreOptions{Site: site})
	wantError(t, err, ErrNoDatabase, "cannot be pulled")
	_, err = site.Run(t.Context(), image, Container{Image: "api"})
	wantError(t, err, ErrUnreachable, "cannot be pulled")
}

// Close ends what is fetched, and nothing begins after it.
func TestCloseEndsAPull(t *testing.T) {
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
	site := &Site{engine: e, marks: newMarks(""), outer: t.Context()}
	site.ctx, site.cancel = context.WithCancel(t.Context())
	wanted := Container{Image: "api"}
	image := site.Fetch(wanted, nil)
	<-pulling
	if err := site.Close(); err != nil {
		t.Error(err)
	}
	<-image.ready
	_, err := site.Run(t.Context(), site.Fetch(wanted, nil), wanted)
	wantError(t, err, context.Canceled, "interrupted")
}

// A container that is stopped while it is being made is not made after all.
func TestStopWhileStarting(t *testing.T) {
	t.Parallel()
	creating, goOn := make(chan struct{}), make(chan struct{})
	var mu sync.Mutex
	made := 0
	e := speaking(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case strings.HasSuffix(r.URL.Path, "/containers/create"):
			close(creating)
			<-goOn
			made++
			_, _ = io.WriteString(w, `{"Id": "x"}`)
		case r.Method == http.MethodDelete && made > 0:
			made--
		default:
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"message": "not there"}`)
		}
	})
	c := newContainer(e, newOutput(&secret.Redactor{}))
	stopped := make(chan error, 1)
	go func() {
		<-creating
		close(goOn)
		stopped <- c.stop()
	}()
	if err := c.start(t.Context(), &containers.Config{Image: "x"}, &containers.HostConfig{}); err == nil {
		t.Error("started")
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if made != 0 {
		t.Error("left behind")
	}
	if err := c.start(t.Context(), &containers.Config{Image: "x"}, &containers.HostConfig{}); !errors.Is(err, context.Canceled) {
		t.Errorf("started after its end: %v", err)
	}
}

func TestCleanTakesOneRunOnly(t *testing.T) {
	t.Parallel()
	e := engineHere(t)
	mine, other := newName(), newName()
	for _, run := range []string{mine, other} {
		if _, err := e.api.NetworkCreate(t.Context(), newName(), client.NetworkCreateOptions{Labels: newMarks(run).on("network")}); err != nil {
			t.Fatal(err)
		}
		if _, err := e.api.VolumeCreate(t.Context(), client.VolumeCreateOptions{Name: newName(), Labels: newMarks(run).on("volume")}); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { _ = Clean(context.Background(), other) })
	for _, run := range []string{mine, mine, ""} {
		if err := Clean(t.Context(), run); err != nil {
			t.Fatal(err)
		}
	}
	_, left, _ := labelled(t, e, mine)
	_, kept, _ := labelled(t, e, other)
	if left != 0 || kept != 1 {
		t.Errorf("%d of mine left, %d of the other kept", left, kept)
	}
}

// A killed gate's network and image go with the next scan.
func TestSweepTakesNetworks(t *testing.T) {
	t.Parallel()
	e := engineHere(t)
	over := exec.Command("true")
	if err := over.Run(); err != nil {
		t.Fatal(err)
	}
	run := newName()
	labels := newMarks(run).on("network")
	labels[labelProcess] = fmt.Sprint(over.Process.Pid)
	if _, err := e.api.NetworkCreate(t.Context(), newName(), client.NetworkCreateOptions{Labels: labels}); err != nil {
		t.Fatal(err)
	}
	sweepContainers()
	if _, left, _ := labelled(t, e, run); left != 0 {
		t.Error("left behind")
	}
}
