package app

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/store"
)

// Host is a machine that a scan would connect to.
type Host struct {
	Of   string // "the target", "the session store"
	Name string // with the port where one is written; the folder of a socket
}

// Local reports whether it is this machine.
func (h Host) Local() bool {
	name := strings.ToLower(h.Name)
	if bare, _, err := net.SplitHostPort(name); err == nil {
		name = bare
	}
	return store.Local(strings.Trim(name, "[]"))
}

// Hosts are those that a scan of the recipe would connect to and does not start
// itself. A door that answers to somebody else than the user asks before a
// scan. Its error is about an address that cannot be read.
func Hosts(r *recipe.Recipe) ([]Host, error) {
	var hosts []Host
	if !r.Target.URL.IsZero() {
		address, err := r.Target.URL.Expand(nothing)
		if err != nil {
			return nil, fmt.Errorf("target.url: %w", err)
		}
		parsed, err := url.Parse(address.Reveal())
		if err != nil || parsed.Host == "" {
			return nil, r.ErrorAt(r.Target.Pos, "the target's url is not an address such as http://127.0.0.1:8000")
		}
		hosts = append(hosts, Host{"the target", parsed.Host})
	}
	if r.Database == nil || r.Database.URL.IsZero() {
		return hosts, nil
	}
	stores, err := store.Hosts(r.Database.URL)
	for _, name := range stores {
		hosts = append(hosts, Host{"the session store", name})
	}
	return hosts, err
}
