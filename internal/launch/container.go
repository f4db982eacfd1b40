package launch

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	containers "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// cockroachImage has its registry in front, for engines that know several.
const cockroachImage = "docker.io/cockroachdb/cockroach"

const (
	createTimeout = 30 * time.Second // for a container to be made and started
	removeTimeout = 5 * time.Second  // a cancelled job has little more than that
	removePause   = 100 * time.Millisecond
)

var (
	sqlPort = network.MustParsePort("26257/tcp")
	webPort = network.MustParsePort("8080/tcp")
)

// ourRun is the value of the run's label: its process id, something random.
var ourRun = regexp.MustCompile(`^([0-9]{1,9})-[A-Z2-7]+$`)

// container is one of ours.
type container struct {
	engine *engine
	name   string
	output *output
	gone   chan struct{} // closed once it has ended and its output is complete
}

// contained is CockroachDB in a container. Whatever keeps it from running is a
// reason to look further.
func (m machine) contained(wanted StoreOptions) source {
	image := cockroachImage + ":" + cmp.Or(wanted.Version, usualVersion)
	return func(ctx context.Context) (*Database, string, error) {
		engine, reason := m.reach(ctx)
		if reason != "" {
			return nil, reason, nil
		}
		if reason := engine.have(ctx, image, wanted); reason != "" {
			engine.close()
			return nil, reason, nil
		}
		return engine.cockroach(ctx, image)
	}
}

// cockroach starts a node and waits for it. The container is gone again, and
// the engine let go, when there is no database.
func (e *engine) cockroach(ctx context.Context, image string) (*Database, string, error) {
	made := &container{engine: e, output: newOutput(&secret.Redactor{}), gone: make(chan struct{})}
	dsn, reason := made.serve(ctx, image)
	if reason != "" {
		return nil, "the container of " + image + " " + reason, made.remove()
	}
	return &Database{DSN: dsn, container: made}, "", nil
}

func (c *container) serve(ctx context.Context, image string) (dsn secret.Text, reason string) {
	sql, web, err := c.start(ctx, image)
	if err != nil {
		return secret.Text{}, "cannot be started: " + clause(err)
	}
	reason = nodeReady(ctx, sql, web, c.gone)
	if reason == "" {
		return nodeDSN(sql), ""
	}
	select {
	case <-c.gone:
		reason = "ended before it took connections"
	default:
	}
	if lines := c.output.lines(); len(lines) > 0 {
		reason += ", with the last words " + clause(errors.New(lines[len(lines)-1]))
	}
	return secret.Text{}, reason
}

// start gives the addresses on this machine of SQL and of the node's pages.
func (c *container) start(ctx context.Context, image string) (sql, web string, err error) {
	// A request that is cut off may still be carried out. So these are waited
	// for, and what they made is removed by name if ctx ended meanwhile.
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), createTimeout)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return "", "", err
	}
	run := fmt.Sprintf("%d-%s", os.Getpid(), rand.Text())
	c.name = "sessiongate-" + strings.ToLower(run)
	if _, err := c.engine.api.ContainerCreate(limit, c.wanted(image, run)); err != nil {
		return "", "", err
	}
	attached, err := c.engine.api.ContainerAttach(limit, c.name, client.ContainerAttachOptions{Stream: true, Stdout: true, Stderr: true})
	if err != nil {
		return "", "", err
	}
	go func() {
		defer close(c.gone)
		defer attached.Close()
		_, _ = stdcopy.StdCopy(c.output, c.output, attached.Reader)
	}()
	if _, err := c.engine.api.ContainerStart(limit, c.name, client.ContainerStartOptions{}); err != nil {
		return "", "", err
	}
	return c.addresses(limit)
}

// wanted bypasses the image's own entrypoint: that one makes certificates for
// an insecure node, refuses most addresses and makes its user an administrator.
// The ports are this machine's only, and chosen by the engine. AutoRemove lets
// the engine clean up what it finds dead when it starts again.
func (c *container) wanted(image, run string) client.ContainerCreateOptions {
	here := []network.PortBinding{{HostIP: netip.AddrFrom4([4]byte{127, 0, 0, 1})}}
	return client.ContainerCreateOptions{
		Name: c.name,
		Config: &containers.Config{
			Image: image, Entrypoint: []string{"/cockroach/cockroach"}, Cmd: nodeArguments(":26257", ":8080"),
			Env: []string{silentNode}, Labels: labels(run),
			ExposedPorts: network.PortSet{sqlPort: {}, webPort: {}},
		},
		HostConfig: &containers.HostConfig{
			AutoRemove:   true,
			PortBindings: network.PortMap{sqlPort: here, webPort: here},
		},
	}
}

func (c *container) addresses(ctx context.Context) (sql, web string, err error) {
	seen, err := c.engine.api.ContainerInspect(ctx, c.name, client.ContainerInspectOptions{})
	if err != nil && !errdefs.IsNotFound(err) {
		return "", "", err
	}
	var published network.PortMap
	if err == nil && seen.Container.NetworkSettings != nil {
		published = seen.Container.NetworkSettings.Ports
	}
	for port, address := range map[network.Port]*string{sqlPort: &sql, webPort: &web} {
		if len(published[port]) == 0 {
			return "", "", c.unpublished(ctx, port)
		}
		*address = "127.0.0.1:" + published[port][0].HostPort
	}
	return sql, web, nil
}

// unpublished is the error about a port that is not there: mostly because the
// container has ended already.
func (c *container) unpublished(ctx context.Context, port network.Port) error {
	limit, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	select {
	case <-c.gone:
		return errors.New("it ended at once" + c.output.tail(3))
	case <-limit.Done():
		return fmt.Errorf("its port %s is not published", port)
	}
}

// remove ends the container and takes it away, however far it came.
func (c *container) remove() error {
	defer c.engine.close()
	if c.name == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), removeTimeout)
	defer cancel()
	if err := c.engine.remove(ctx, c.name); err != nil {
		return fail("the container "+c.name+" cannot be removed: "+clause(err)+"; remove it with docker rm -f", err)
	}
	return nil
}

// remove returns when the container is gone. Another removal may be under way,
// ours or the engine's own; then it waits for that one.
func (e *engine) remove(ctx context.Context, name string) error {
	again := time.NewTicker(removePause)
	defer again.Stop()
	for {
		_, err := e.api.ContainerRemove(ctx, name, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		switch {
		case errdefs.IsNotFound(err):
			return nil
		case err != nil && !errdefs.IsConflict(err):
			return err
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}
