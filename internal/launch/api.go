package launch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	containers "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// usualPort is what an API is told to listen on when neither the recipe nor its
// image says where it does.
const usualPort = 8000

// Bounds of the API's container. The code in it is somebody's pull request:
// it may not take the machine from the gate and the store.
const (
	apiProcesses = 1_024
	apiShares    = 512 // of the processor when there is a rush; the others have 1,024
	memoryShare  = 2   // one half of the engine's memory
)

// Container is an API to run in a container.
type Container struct {
	Image       string   // pulled if it is not there
	Build       *Build   // instead of Image
	Command     []string // what the image's entrypoint gets; empty: the image's own
	Directory   string   // where it runs inside; empty: the image's own, or the one mount's
	Port        int      // where the API listens inside; 0: the image's one port, or 8000
	Mounts      []Mount
	Environment map[string]secret.Text
	Ready       Ready
	// StartTimeout is how long it may take to be ready, once its image is there;
	// zero: 60 seconds.
	StartTimeout time.Duration
}

// Mount shows a path of this process inside the container, to be read only.
type Mount struct {
	Source string
	Target string // absolute
}

// Image is on its way: pulled or built while other things are started.
type Image struct {
	ready chan struct{} // closed once the rest is set
	ref   string
	err   error
}

// Fetch begins to pull or build the image of a container, until that is done or
// the site is closed. Progress is told before what may take minutes; nil:
// nobody is.
func (s *Site) Fetch(wanted Container, progress func(string)) *Image {
	image := &Image{ready: make(chan struct{})}
	if progress == nil {
		progress = func(string) {}
	}
	fetch := func() {
		defer close(image.ready)
		if wanted.Build != nil {
			image.ref, image.err = s.build(s.ctx, *wanted.Build, progress)
			return
		}
		image.ref = wanted.Image
		if reason := s.engine.have(s.ctx, wanted.Image, false, progress); reason != "" {
			image.err = fail("the API cannot be started: "+reason+"; correct target.container.image, or log in to its registry and pull it in a step before", ErrUnreachable)
		}
	}
	if !s.enlist(func() { s.fetching.Go(fetch) }) {
		image.err = fail("the start of the API's container was interrupted", context.Canceled)
		close(image.ready)
	}
	return image
}

// Run starts the API from the image fetched for it and waits until it is ready. It is reached
// on a port of 127.0.0.1 that belongs to this process alone; the container
// publishes none. It lives until Close or the end of the site. Errors about an
// API that did not come up wrap ErrUnreachable.
func (s *Site) Run(ctx context.Context, image *Image, wanted Container) (*Target, error) {
	select {
	case <-image.ready:
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		return nil, fail("the start of the API's container was interrupted", ctx.Err())
	}
	if image.err != nil {
		return nil, image.err
	}
	return apiStart{wanted, s, image.ref}.run(ctx)
}

// apiStart is one start of an API in a container.
type apiStart struct {
	Container
	site  *Site
	image string
}

func (a apiStart) run(ctx context.Context) (*Target, error) {
	config, host, err := a.configure(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := newCheck("http://127.0.0.1", a.Ready); err != nil {
		return nil, err
	}
	made := newContainer(a.site.engine, newOutput(hide(a.Environment)))
	address, err := a.site.place(ctx, made, config, host)
	if err != nil {
		return nil, errors.Join(a.notStarted(ctx, made, err), made.stop())
	}
	relay, err := ListenRelay(ctx, "127.0.0.1:0", net.JoinHostPort(address.String(), strconv.Itoa(a.Port)))
	if err != nil {
		return nil, errors.Join(err, made.stop())
	}
	target := &Target{URL: "http://" + relay.Address(), running: made, relay: relay}
	if err := a.await(ctx, target); err != nil {
		return nil, errors.Join(err, target.Close())
	}
	return target, nil
}

// name is how the user knows the API. What was built has no name of hers.
func (a apiStart) name() string {
	if a.Build != nil {
		return "the API (container built from " + a.Build.Dockerfile + ")"
	}
	return "the API (container of " + a.image + ")"
}

func (a apiStart) notStarted(ctx context.Context, made *container, err error) error {
	switch {
	case ctx.Err() != nil:
		return fail("the start of the API's container was interrupted", ctx.Err())
	case errors.Is(err, errEnded):
		return a.ended(made)
	}
	said := newOutput(hide(a.Environment)).readable([]byte(err.Error()))
	return fail(a.name()+" cannot be started: "+strings.TrimSpace(said)+"; look at target.container", ErrUnreachable, err)
}

// ended is the error about an API that died too early.
func (a apiStart) ended(was life) error {
	return fail(fmt.Sprintf("%s %s before it answered %s%s", a.name(), was.exitReason(), a.Ready, was.printed().tail(15)), ErrUnreachable)
}

// configure settles the port and says how the container is run: with nothing
// of our own environment, no more privileges than it begins with, and neither
// raw sockets nor device files.
func (a *apiStart) configure(ctx context.Context) (*containers.Config, *containers.HostConfig, error) {
	seen, err := a.site.engine.api.ImageInspect(ctx, a.image)
	if err != nil {
		return nil, nil, fail("the image of "+a.name()+" cannot be read: "+clause(err), ErrUnreachable, err)
	}
	var exposed []string
	folder := ""
	if seen.Config != nil {
		for port := range seen.Config.ExposedPorts {
			exposed = append(exposed, port)
		}
		folder = seen.Config.WorkingDir
	}
	if a.Port == 0 {
		if a.Port, err = onlyPort(exposed); err != nil {
			return nil, nil, err
		}
	}
	environment, err := a.variables()
	if err != nil {
		return nil, nil, err
	}
	config := &containers.Config{Image: a.image, Cmd: a.Command, Env: environment, Labels: a.site.marks.on("api")}
	host := &containers.HostConfig{SecurityOpt: []string{"no-new-privileges"}, CapDrop: []string{"NET_RAW", "MKNOD"},
		Resources: a.site.engine.bounds(ctx)}
	for _, one := range a.Mounts {
		bound, err := a.site.bind(one)
		if err != nil {
			return nil, nil, err
		}
		host.Mounts = append(host.Mounts, bound)
	}
	// An image without a place of its own, such as that of a language, works
	// in what it is shown.
	config.WorkingDir = a.Directory
	if config.WorkingDir == "" && (folder == "" || folder == "/") && len(a.Mounts) == 1 {
		config.WorkingDir = a.Mounts[0].Target
	}
	return config, host, nil
}

// bounds keep one container from taking the whole machine. An engine that
// does not say how much there is gets no limit of memory.
func (e *engine) bounds(ctx context.Context) containers.Resources {
	processes := int64(apiProcesses)
	limit := containers.Resources{PidsLimit: &processes, CPUShares: apiShares}
	if seen, err := e.api.Info(ctx, client.InfoOptions{}); err == nil {
		limit.Memory = seen.Info.MemTotal / memoryShare
	}
	return limit
}

// onlyPort is the TCP port an image declares, and the usual one if there is none.
func onlyPort(exposed []string) (int, error) {
	var ports []int
	for _, one := range exposed {
		number, protocol, _ := strings.Cut(one, "/")
		if port, err := strconv.Atoi(number); err == nil && cmp.Or(protocol, "tcp") == "tcp" {
			ports = append(ports, port)
		}
	}
	slices.Sort(ports)
	switch {
	case len(ports) == 0:
		return usualPort, nil
	case len(ports) == 1:
		return ports[0], nil
	}
	return 0, fail(fmt.Sprintf("the API's image declares several ports (%s): write the API's own as target.container.port",
		strings.Trim(fmt.Sprint(ports[:min(len(ports), 10)]), "[]")))
}

func (a apiStart) variables() ([]string, error) {
	var made []string
	for name, value := range a.Environment {
		if !variable(name, value) {
			return nil, fail(fmt.Sprintf("target.container.environment: %q cannot be a variable: a name has no =, and nothing holds a NUL byte", name))
		}
		made = append(made, name+"="+value.Reveal())
	}
	if _, own := a.Environment["PORT"]; !own {
		made = append(made, "PORT="+strconv.Itoa(a.Port))
	}
	slices.Sort(made)
	return made, nil
}

func (a apiStart) await(ctx context.Context, target *Target) error {
	ask, err := newCheck(target.URL, a.Ready)
	if err != nil {
		return err
	}
	patience := a.StartTimeout
	if patience <= 0 {
		patience = time.Minute
	}
	limit, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	why := ask.wait(limit, target.Done())
	if ctx.Err() != nil {
		return fail("the start of the API's container was interrupted", ctx.Err())
	}
	select {
	case <-target.Done():
		return a.ended(target.running)
	default:
	}
	if why == "" {
		return nil
	}
	return fail(fmt.Sprintf("%s did not answer %s on its port %d within %s (%s); let it listen on 0.0.0.0 and that port, as with --host 0.0.0.0 --port %d, "+
		"give target.container.port if it is another, or raise target.start-timeout%s", a.name(), a.Ready, a.Port, patience, why, a.Port,
		target.running.printed().tail(15)), ErrUnreachable)
}
