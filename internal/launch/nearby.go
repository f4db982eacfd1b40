package launch

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	containers "github.com/moby/moby/api/types/container"

	"github.com/sessiongate/sessiongate/internal/secret"
)

const (
	knockTimeout = time.Second            // for a port to accept
	knockSilence = 200 * time.Millisecond // after which an accepted connection counts as kept
	knockPause   = 100 * time.Millisecond
	siblingStart = 10 * time.Second // for a relay's container to say where it listens
	relayExtent  = 64 << 20         // bytes of memory of that container
)

// usualBridge is the machine's address on the network that engines of Docker's
// kind make by themselves.
const usualBridge = "172.17.0.1"

// Nearby makes an address of localhost answer where this process runs in a
// container, and what listens there does so on the machine outside, such as an
// API that a step before started on the runner. It tries, for patience in all,
// the address as it is, the machine's own addresses, and a container of our own
// image in the machine's network, and relays what it found to the address as
// it is. There is no relay, and no reason, where none is needed: another host,
// or a process that is in no container. Otherwise reason says in a clause what
// was tried in vain. The relay lives until Close or the end of ctx.
func Nearby(ctx context.Context, address string, patience time.Duration, site *Site) (relay *Relay, reason string) {
	host, port, err := net.SplitHostPort(address)
	if err != nil || !isLocalhost(host) || site == nil || site.onHost() {
		return nil, ""
	}
	outside := machines()
	ways := []string{address}
	for _, machine := range outside {
		ways = append(ways, net.JoinHostPort(machine, port))
	}
	found := knock(ctx, patience/2, ways)
	if found == address {
		return nil, ""
	}
	tried := address + " " + refusal(ctx, address) + "; in a container localhost is the container itself, and port " + port + " of " + strings.Join(outside, " and ") + ", the machine outside, does not answer either"
	if found == "" {
		if found, reason = site.besides(ctx, address, outside, patience-patience/2); reason != "" {
			return nil, tried + "; " + reason
		}
	}
	relay, err = ListenRelay(ctx, address, found)
	if err != nil {
		return nil, err.Error()
	}
	return relay, ""
}

// besides finds what listens on the machine's own 127.0.0.1 with a relay in
// the machine's network, which listens on the machine's side of ours.
func (s *Site) besides(ctx context.Context, address string, outside []string, patience time.Duration) (found, reason string) {
	switch {
	case s.engine == nil:
		return "", "without the container engine's socket the machine's own localhost cannot be looked at"
	case len(outside) == 0:
		return "", "this container has no way to the machine outside"
	}
	program, err := os.Executable()
	if err != nil {
		return "", "this program cannot be found: " + leaf(err)
	}
	made := newContainer(s.engine, newOutput(&secret.Redactor{}))
	processes := int64(64)
	err = s.begin(ctx, made, &containers.Config{Image: s.self.image, Entrypoint: []string{program}, Labels: s.marks.on("relay"),
		Cmd: []string{"relay", "--listen", net.JoinHostPort(outside[0], "0"), "--to", address}},
		&containers.HostConfig{NetworkMode: "host", ReadonlyRootfs: true, CapDrop: []string{"ALL"}, SecurityOpt: []string{"no-new-privileges"},
			Resources: containers.Resources{PidsLimit: &processes, Memory: relayExtent}})
	if err == nil {
		found, err = made.says(ctx, relayListens, siblingStart)
	}
	if err != nil {
		_ = made.stop()
		return "", "the machine's own localhost cannot be looked at: " + clause(err)
	}
	if knock(ctx, patience, []string{found}) == "" {
		_ = made.stop()
		return "", "nothing listens on the machine's own localhost there"
	}
	return found, ""
}

// says waits for a line that begins so, and gives the rest of it.
func (c *container) says(ctx context.Context, begins string, patience time.Duration) (string, error) {
	limit, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		for _, line := range c.output.lines() {
			if rest, found := strings.CutPrefix(line, begins); found {
				return rest, nil
			}
		}
		select {
		case <-c.output.grew:
		case <-c.gone:
			return "", fmt.Errorf("the relay %s%s", c.exitReason(), c.output.tail(3))
		case <-limit.Done():
			return "", limit.Err()
		}
	}
}

// relayListens begins the line in which a relay says where it listens.
const relayListens = "listening on "

// ServeRelay relays until ctx ends, and first prints where it listens.
func ServeRelay(ctx context.Context, listen, to string, out io.Writer) error {
	relay, err := ListenRelay(ctx, listen, to)
	if err != nil {
		return err
	}
	defer relay.Close()
	if _, err := fmt.Fprintln(out, relayListens+relay.Address()); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// knock asks the ways in turn until one answers; "" if none did in time. Each
// is asked at least once.
func knock(ctx context.Context, patience time.Duration, ways []string) string {
	limit, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		if i := slices.IndexFunc(ways, func(way string) bool { return answers(ctx, way) }); i >= 0 {
			return ways[i]
		}
		select {
		case <-time.After(knockPause):
		case <-limit.Done():
			return ""
		}
	}
}

// answers reports whether a port takes connections and keeps them: a relay
// takes one before it knows whether there is anybody.
func answers(ctx context.Context, address string) bool {
	dialer := net.Dialer{Timeout: knockTimeout}
	connection, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	defer func() { _ = connection.Close() }()
	_ = connection.SetReadDeadline(time.Now().Add(knockSilence))
	_, err = connection.Read(make([]byte, 1))
	timeout, ok := err.(net.Error)
	return err == nil || ok && timeout.Timeout()
}

// refusal says in a clause what a port that does not answer does.
func refusal(ctx context.Context, address string) string {
	dialer := net.Dialer{Timeout: knockTimeout}
	connection, err := dialer.DialContext(ctx, "tcp", address)
	switch {
	case err == nil:
		_ = connection.Close()
		return "hangs up"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused the connection"
	}
	return "cannot be reached"
}

func isLocalhost(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// machines are the addresses of the machine outside: this container's gateway,
// and the usual one.
func machines() []string {
	found := []string{}
	if file, err := os.Open("/proc/net/route"); err == nil {
		found = append(found, gateways(io.LimitReader(file, 1<<20))...)
		_ = file.Close()
	}
	if !slices.Contains(found, usualBridge) {
		found = append(found, usualBridge)
	}
	return found
}

// gateways reads the default routes of proc_net(5), whose addresses are
// hexadecimal in the machine's order of bytes, which is little-endian wherever
// Actions has runners.
func gateways(routes io.Reader) []string {
	var found []string
	for lines := bufio.NewScanner(routes); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 3 || fields[1] != "00000000" {
			continue
		}
		raw, err := hex.DecodeString(fields[2])
		if err != nil || len(raw) != 4 {
			continue
		}
		slices.Reverse(raw)
		if gateway := netip.AddrFrom4([4]byte(raw)); !gateway.IsUnspecified() {
			found = append(found, gateway.String())
		}
	}
	return found
}

// hostPort is a URL's address, with the port its scheme stands for.
func hostPort(of *url.URL, ports map[string]string) string {
	port := of.Port()
	if port == "" {
		port = ports[of.Scheme]
	}
	return net.JoinHostPort(of.Hostname(), port)
}
