package launch

import (
	"context"
	"net"
	"net/netip"

	"github.com/moby/moby/client"
)

// Neighbour reports whether a host is another container on a network this
// process is on, such as a service of the job: it lives on this machine and
// ends with the job. Without an engine to ask, nobody is known to be one.
func (s *Site) Neighbour(ctx context.Context, host string) bool {
	if !s.Contained() {
		return false
	}
	limit, cancel := context.WithTimeout(ctx, engineTimeout)
	defer cancel()
	found, err := net.DefaultResolver.LookupNetIP(limit, "ip", host)
	if err != nil || len(found) == 0 {
		return false
	}
	seen, there := s.engine.look(limit, s.self.id)
	if !there || seen.NetworkSettings == nil {
		return false
	}
	beside := map[netip.Addr]bool{}
	for _, attached := range seen.NetworkSettings.Networks {
		if attached == nil {
			continue
		}
		network, err := s.engine.api.NetworkInspect(limit, attached.NetworkID, client.NetworkInspectOptions{})
		if err != nil {
			continue
		}
		for _, container := range network.Network.Containers {
			beside[container.IPv4Address.Addr()], beside[container.IPv6Address.Addr()] = true, true
		}
	}
	for _, address := range found { // a name may lead to several
		if !beside[address.Unmap()] {
			return false
		}
	}
	return true
}
