package app

import (
	"fmt"
	"net/url"
	"slices"

	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/store"
)

// Hosts are the hosts that a scan of the recipe would connect to and that it
// does not start itself: the target's, with the port where one is written, and
// the session store's. A door that answers to somebody else than the user asks
// before a scan. Its error is about an address that cannot be read.
func Hosts(r *recipe.Recipe) ([]string, error) {
	var hosts []string
	if !r.Target.URL.IsZero() {
		address, err := r.Target.URL.Expand(nothing)
		if err != nil {
			return nil, fmt.Errorf("target.url: %w", err)
		}
		parsed, err := url.Parse(address.Reveal())
		if err != nil || parsed.Host == "" {
			return nil, r.ErrorAt(r.Target.Pos, "the target's url is not an address such as http://127.0.0.1:8000")
		}
		hosts = append(hosts, parsed.Host)
	}
	if r.Database == nil || r.Database.URL.IsZero() {
		return hosts, nil
	}
	stores, err := store.Hosts(r.Database.URL)
	return slices.Concat(hosts, stores), err
}
