package launch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	containers "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"
)

// ErrNoEngine is in the chain of errors about a container engine that cannot be
// used.
var ErrNoEngine = errors.New("no container engine")

const (
	hurriedLeave = 2 * time.Second  // for network and images of an interrupted run, after its containers
	usualLeave   = 20 * time.Second // of any other
	buildStep    = 300 * time.Millisecond
	mountedLines = 10_000 // of a list of mounts
)

// SiteOptions say whose containers they are.
type SiteOptions struct {
	// Run names the run in the label of all that is made, so that Clean finds it
	// from another process; empty: a name that nobody knows.
	Run string
}

// Site is where the containers of a run live: an engine, and a network that
// this process is on, too. Where the gate itself runs in a container on a
// network of its job, that is the one; otherwise one is made when it is first
// needed. It is safe for concurrent use.
type Site struct {
	engine *engine // nil: none
	marks  marks
	self   *self // nil: this process runs on the engine's machine

	joining sync.Once
	joined  error
	network string     // its name
	made    bool       // it is ours
	address netip.Addr // where its containers reach this process

	mu      sync.Mutex // guards what follows
	closed  bool
	members []*container
	built   bool // an image, or a part of one
	closing sync.Once
	left    error

	outer    context.Context // of Open
	ctx      context.Context // of what is fetched: Close ends it
	cancel   context.CancelFunc
	fetching sync.WaitGroup
}

// self is the container this process runs in.
type self struct {
	id     string // of the container whose network this is: seldom another one's
	image  string
	mode   string // the network it was started on
	mounts []containers.MountPoint
}

// Open looks for an engine and for this process's own container. Nothing is
// made yet. The error is one sentence that tells the causes apart, and wraps
// ErrNoEngine.
func Open(ctx context.Context, wanted SiteOptions) (*Site, error) {
	engine, reason := reach(ctx)
	if reason != "" {
		return nil, fail("containers cannot be started: "+reason+"; start the API yourself and give target.url, or use target.process", ErrNoEngine)
	}
	s := &Site{engine: engine, marks: newMarks(wanted.Run), outer: ctx}
	s.ctx, s.cancel = context.WithCancel(ctx)
	if s.self = engine.self(ctx); s.self != nil {
		s.marks.extra = s.self.labels(ctx, engine)
	}
	context.AfterFunc(ctx, func() { _ = s.Close() })
	return s, nil
}

// NoEngine is a site where nothing can be started. It knows whether this process
// is in a container from the files that engines leave there.
func NoEngine() *Site {
	s := &Site{cancel: func() {}}
	for _, mark := range []string{"/.dockerenv", "/run/.containerenv"} {
		if _, err := os.Stat(mark); err == nil {
			s.self = &self{}
		}
	}
	return s
}

// Contained reports whether this process runs in a container of the site's
// engine, where 127.0.0.1 is not the machine's.
func (s *Site) Contained() bool { return s.engine != nil && s.self != nil }

var (
	shortID  = regexp.MustCompile(`^[0-9a-f]{12}$`)
	hostname = regexp.MustCompile(`/containers/([0-9a-f]{64})/hostname$`)
	// instance is how the runner of GitHub Actions marks what is its own: before
	// the next job it removes what it finds.
	instance = regexp.MustCompile(`^[0-9a-f]{6}$`)
)

// self is nil where the process runs on the machine itself, as far as its
// network goes. An engine names a container after its id unless it was told
// otherwise; then its files tell.
func (e *engine) self(ctx context.Context) *self {
	limit, cancel := context.WithTimeout(ctx, engineTimeout)
	defer cancel()
	name, _ := os.Hostname()
	id := name
	seen, found := e.look(limit, id)
	if !shortID.MatchString(id) || !found {
		if id = mountedID(); id == "" {
			return nil
		}
		if seen, found = e.look(limit, id); !found {
			return nil
		}
	}
	mine := &self{id: seen.ID, image: seen.Image, mode: string(seen.HostConfig.NetworkMode), mounts: seen.Mounts}
	if of := seen.HostConfig.NetworkMode.ConnectedContainer(); of != "" {
		other, found := e.look(limit, of)
		if !found {
			return nil
		}
		mine.id, mine.mode = other.ID, string(other.HostConfig.NetworkMode)
	}
	return mine
}

func (e *engine) look(ctx context.Context, id string) (containers.InspectResponse, bool) {
	seen, err := e.api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	return seen.Container, err == nil && strings.HasPrefix(seen.Container.ID, id) && seen.Container.HostConfig != nil
}

// mountedID reads the id from the files an engine gives every container.
func mountedID() string {
	file, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(io.LimitReader(file, 4<<20))
	for n := 0; lines.Scan() && n < mountedLines; n++ {
		// proc(5): the fourth field is the path on the other side.
		fields := strings.Fields(lines.Text())
		if len(fields) < 5 || fields[4] != "/etc/hostname" {
			continue
		}
		if match := hostname.FindStringSubmatch(fields[3]); match != nil {
			return match[1]
		}
	}
	return ""
}

// labels are those of the runner, so that its own cleaning finds our containers.
func (m *self) labels(ctx context.Context, e *engine) map[string]string {
	seen, found := e.look(ctx, m.id)
	if !found || seen.Config == nil {
		return nil
	}
	ours := map[string]string{}
	for name, value := range seen.Config.Labels {
		if instance.MatchString(name) {
			ours[name] = value
		}
	}
	return ours
}

// onHost reports that the process has the machine's own network.
func (s *Site) onHost() bool { return s.self == nil || s.self.mode == "host" }

// Address is where the site's containers reach this process: a listener that
// they are to use belongs there.
func (s *Site) Address(ctx context.Context) (netip.Addr, error) {
	s.joining.Do(func() {
		// As with containers: what was begun is waited for, and then removed.
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), createTimeout)
		defer cancel()
		if err := s.join(limit); err != nil {
			s.joined = fail("no network for the containers: "+clause(err), ErrNoEngine, err)
		}
	})
	return s.address, s.joined
}

func (s *Site) join(ctx context.Context) (err error) {
	if s.self != nil && containers.NetworkMode(s.self.mode).IsUserDefined() {
		s.network = s.self.mode
		s.network, s.address, err = s.own(ctx)
		return err
	}
	s.network, s.made = newName(), true
	if _, err := s.engine.api.NetworkCreate(ctx, s.network, client.NetworkCreateOptions{Driver: "bridge", Labels: s.marks.on("network")}); err != nil {
		return err
	}
	if s.onHost() {
		return s.beGateway(ctx)
	}
	if _, err := s.engine.api.NetworkConnect(ctx, s.network, client.NetworkConnectOptions{Container: s.self.id}); err != nil {
		return err
	}
	_, s.address, err = s.own(ctx)
	return err
}

// beGateway takes the machine's own address on our network. It is not ours in a
// container that the engine does not know, or where the engine has a virtual
// machine to itself.
func (s *Site) beGateway(ctx context.Context) error {
	address, err := s.engine.gateway(ctx, s.network)
	if err != nil {
		return err
	}
	listener, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(address, 0)))
	if err != nil {
		return errors.New("this process is not on the engine's machine: it runs in a container the engine does not know, or the engine runs in a virtual machine")
	}
	s.address = address
	return listener.Close()
}

// own is this process's address on the network, and the network's name in case
// it was known by its id.
func (s *Site) own(ctx context.Context) (string, netip.Addr, error) {
	seen, found := s.engine.look(ctx, s.self.id)
	if found && seen.NetworkSettings != nil {
		for name, there := range seen.NetworkSettings.Networks {
			if there != nil && (name == s.network || there.NetworkID == s.network) && there.IPAddress.IsValid() {
				return name, there.IPAddress, nil
			}
		}
	}
	return "", netip.Addr{}, fmt.Errorf("this container has no address on the network %s", s.network)
}

// gateway is the machine's own address on a bridge.
func (e *engine) gateway(ctx context.Context, network string) (netip.Addr, error) {
	seen, err := e.api.NetworkInspect(ctx, network, client.NetworkInspectOptions{})
	if err != nil {
		return netip.Addr{}, err
	}
	for _, one := range seen.Network.IPAM.Config {
		if one.Gateway.Is4() {
			return one.Gateway, nil
		}
	}
	return netip.Addr{}, errors.New("the network has no gateway")
}

// place starts a container on the site's network and gives its address there.
func (s *Site) place(ctx context.Context, c *container, config *containers.Config, host *containers.HostConfig) (netip.Addr, error) {
	if _, err := s.Address(ctx); err != nil {
		return netip.Addr{}, err
	}
	host.NetworkMode = containers.NetworkMode(s.network)
	if err := s.begin(ctx, c, config, host); err != nil {
		return netip.Addr{}, err
	}
	return c.at(ctx, s.network)
}

// begin starts a container that goes with the site.
func (s *Site) begin(ctx context.Context, c *container, config *containers.Config, host *containers.HostConfig) error {
	if !s.enlist(func() { s.members = append(s.members, c) }) {
		return errors.New("it was interrupted")
	}
	return c.start(ctx, config, host)
}

// enlist notes what Close has to remove; false once it is too late.
func (s *Site) enlist(note func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		note()
	}
	return !s.closed
}

// Close removes the containers that are left, the network and the images made
// here. It may be called again, and is by the end of the context of Open.
func (s *Site) Close() error {
	if s.engine == nil {
		return nil
	}
	s.closing.Do(func() {
		s.cancel()
		s.mu.Lock()
		s.closed = true
		members, built := s.members, s.built
		s.mu.Unlock()
		ended := make([]error, len(members))
		var all sync.WaitGroup
		for i, member := range members {
			all.Go(func() { ended[i] = member.stop() })
		}
		all.Go(s.fetching.Wait)
		all.Wait()
		s.left = errors.Join(errors.Join(ended...), s.leave(built))
		s.engine.close()
	})
	return s.left
}

// leave removes what the containers needed.
func (s *Site) leave(built bool) error {
	patience := usualLeave
	if s.outer.Err() != nil {
		patience = hurriedLeave
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var problems []error
	s.joining.Do(func() { s.joined = errors.New("closed") }) // or wait for it
	if s.made {
		if err := s.engine.removeNetwork(ctx, s.network); err != nil {
			problems = append(problems, fail("the network "+s.network+" cannot be removed: "+clause(err)+"; remove it with docker network rm", err))
		}
	}
	if built {
		if err := s.unbuild(ctx); err != nil {
			problems = append(problems, fail("the API's image cannot be removed: "+clause(err)+"; remove it with docker image prune", err))
		}
	}
	return errors.Join(problems...)
}

// unbuild removes what was built. An engine finishes the step it is at when
// its client leaves, so it takes another look until there is nothing.
func (s *Site) unbuild(ctx context.Context) error {
	everything := func(map[string]string) bool { return true }
	labelled := client.Filters{}.Add("label", labelRun+"="+s.marks.run)
	for {
		found, err := s.engine.images().clear(ctx, labelled, everything)
		if err != nil || found == 0 {
			return err
		}
		select {
		case <-time.After(buildStep):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// bind shows a path of this process inside a container, to be read only: the
// code under test has no business in the repository. In a container the
// path is the engine's, which is another one than ours.
func (s *Site) bind(m Mount) (mount.Mount, error) {
	wanted := fmt.Sprintf("target.container.mount: %s", m.Source)
	path, err := filepath.Abs(m.Source)
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return mount.Mount{}, fail(wanted + " does not exist; it is read from the folder of the recipe")
	}
	socket := strings.TrimPrefix(s.engine.api.DaemonHost(), "unix://")
	if real, err := filepath.EvalSymlinks(socket); err == nil {
		socket = real
	}
	if within(path, socket) {
		return mount.Mount{}, fail(wanted + " holds the container engine's socket, which is nothing for the API under test")
	}
	source, ok := s.outside(path)
	if !ok {
		return mount.Mount{}, fail(wanted + " is only inside the gate's own container; mount something below the workspace")
	}
	return mount.Mount{Type: mount.TypeBind, Source: source, Target: m.Target, ReadOnly: true}, nil
}

// outside is a path as the engine knows it.
func (s *Site) outside(path string) (string, bool) {
	if s.self == nil {
		return path, true
	}
	best := containers.MountPoint{}
	for _, one := range s.self.mounts {
		if within(one.Destination, path) && len(one.Destination) > len(best.Destination) {
			best = one
		}
	}
	if best.Source == "" {
		return "", false
	}
	relative, err := filepath.Rel(best.Destination, path)
	if err != nil {
		return "", false
	}
	return filepath.Join(best.Source, relative), true
}

// within reports whether a path lies in a folder, or is it.
func within(folder, path string) bool {
	relative, err := filepath.Rel(folder, path)
	return err == nil && relative != ".." && !strings.HasPrefix(relative, "../")
}
