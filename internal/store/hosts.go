package store

import (
	"net"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// Hosts are the hosts that Open would connect to, each once: names, addresses
// or the folder of a socket. Its error is about a DSN that cannot be read.
func Hosts(dsn secret.Text) ([]string, error) {
	config, err := parse(dsn.Reveal())
	if err != nil {
		return nil, err
	}
	hosts := []string{config.Host}
	for _, other := range config.Fallbacks {
		if !slices.Contains(hosts, other.Host) {
			hosts = append(hosts, other.Host)
		}
	}
	return hosts, nil
}

// Local reports whether a host is this machine: the folder of a socket or a
// loopback address.
func Local(host string) bool {
	return strings.HasPrefix(host, "/") || host == "localhost" || net.ParseIP(host).IsLoopback()
}
