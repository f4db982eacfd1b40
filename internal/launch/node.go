package launch

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"

	containers "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// cockroachImage has its registry in front, for engines that know several.
const cockroachImage = "docker.io/cockroachdb/cockroach"

var (
	sqlPort = network.MustParsePort("26257/tcp")
	webPort = network.MustParsePort("8080/tcp")
)

// node is CockroachDB in a container: on a site's network, or, without one,
// behind ports of this machine's 127.0.0.1.
type node struct {
	*container
	site *Site // nil: published ports
}

// contained is CockroachDB in a container. Whatever keeps it from running is a
// reason to look further.
func (m machine) contained(wanted StoreOptions) source {
	image := cockroachImage + ":" + cmp.Or(wanted.Version, usualVersion)
	return func(ctx context.Context) (*Database, string, error) {
		where, reason := m.place(ctx, wanted)
		if reason != "" {
			return nil, reason, nil
		}
		if reason := where.engine.have(ctx, image, wanted.Local, wanted.Progress); reason != "" {
			return nil, reason, where.release()
		}
		return where.cockroach(ctx, image)
	}
}

// place is where a store's container goes, and what to let go of with it.
type place struct {
	engine  *engine
	marks   marks
	site    *Site // nil: published ports
	release func() error
}

func (m machine) place(ctx context.Context, wanted StoreOptions) (place, string) {
	if site := wanted.Site; site != nil {
		return place{site.engine, site.marks, site, func() error { return nil }}, ""
	}
	engine, reason := m.reach(ctx)
	if reason != "" {
		return place{}, reason
	}
	return place{engine, newMarks(wanted.Run), nil, func() error { engine.close(); return nil }}, ""
}

// cockroach starts a node and waits for it. The container is gone again, and
// the place let go, when there is no database.
func (p place) cockroach(ctx context.Context, image string) (*Database, string, error) {
	made := node{newContainer(p.engine, newOutput(&secret.Redactor{})), p.site}
	dsn, reason := made.serve(ctx, image, p.marks)
	down := func() error { return errors.Join(made.stop(), p.release()) }
	if reason != "" {
		return nil, "the container of " + image + " " + reason, down()
	}
	return &Database{DSN: dsn, Name: p.engine.standIn(ctx, image), down: down}, "", nil
}

// standIn is what an image says that it plays CockroachDB with; "" for a real one.
func (e *engine) standIn(ctx context.Context, image string) string {
	seen, err := e.api.ImageInspect(ctx, image)
	if err != nil || seen.Config == nil {
		return ""
	}
	return clause(errors.New(seen.Config.Labels[labelStandIn]))
}

func (n node) serve(ctx context.Context, image string, m marks) (dsn secret.Text, reason string) {
	sql, web, err := n.begin(ctx, image, m)
	if err != nil {
		return secret.Text{}, "cannot be started: " + clause(err)
	}
	reason = nodeReady(ctx, sql, web, n.gone)
	if reason == "" {
		return nodeDSN(sql), ""
	}
	select {
	case <-n.gone:
		reason = "ended before it took connections"
	default:
	}
	if lines := n.output.lines(); len(lines) > 0 {
		reason += ", with the last words " + clause(errors.New(lines[len(lines)-1]))
	}
	return secret.Text{}, reason
}

// begin gives the addresses of SQL and of the node's pages. It bypasses the
// image's own entrypoint: that one makes certificates for an insecure node,
// refuses most addresses and makes its user an administrator.
func (n node) begin(ctx context.Context, image string, m marks) (sql, web string, err error) {
	config := &containers.Config{Image: image, Entrypoint: []string{"/cockroach/cockroach"}, Cmd: nodeArguments(":26257", ":8080"),
		Env: []string{silentNode}, Labels: m.on("store")}
	host := &containers.HostConfig{}
	if n.site != nil {
		return n.beginOn(ctx, config, host)
	}
	// The ports are this machine's only, and chosen by the engine.
	here := []network.PortBinding{{HostIP: netip.AddrFrom4([4]byte{127, 0, 0, 1})}}
	config.ExposedPorts = network.PortSet{sqlPort: {}, webPort: {}}
	host.PortBindings = network.PortMap{sqlPort: here, webPort: here}
	if err := n.start(ctx, config, host); err != nil {
		return "", "", err
	}
	return n.published(ctx)
}

func (n node) beginOn(ctx context.Context, config *containers.Config, host *containers.HostConfig) (sql, web string, err error) {
	address, err := n.site.place(ctx, n.container, config, host)
	if err != nil {
		return "", "", err
	}
	return net.JoinHostPort(address.String(), sqlPort.Port()), net.JoinHostPort(address.String(), webPort.Port()), nil
}

func (n node) published(ctx context.Context) (sql, web string, err error) {
	seen, err := n.inspect(ctx)
	if err != nil {
		return "", "", err
	}
	for port, address := range map[network.Port]*string{sqlPort: &sql, webPort: &web} {
		if len(seen.Ports[port]) == 0 {
			return "", "", n.absent(ctx, "its port "+port.String()+" is not published")
		}
		*address = "127.0.0.1:" + seen.Ports[port][0].HostPort
	}
	return sql, web, nil
}
