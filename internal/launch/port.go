package launch

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// The ports that are tried. They lie below those that a kernel gives to
// outgoing connections and to listeners that ask for any (on Linux from 32768
// on), which could take one between our look and the child's.
const (
	lowestPort  = 20_000
	highestPort = 31_999
	portLooks   = 200
)

// FreePort is a TCP port of 127.0.0.1 that nobody listened on a moment ago and
// that no other gate on this machine is given. A child that lost its port to
// another's API would have that one scanned in its place.
func FreePort() (int, error) {
	for range portLooks {
		port := lowestPort + rand.IntN(highestPort-lowestPort+1)
		if free(port) && claims.claim(port) {
			return port, nil
		}
	}
	return 0, fail(fmt.Sprintf("no free port on 127.0.0.1 among %d to %d", lowestPort, highestPort))
}

func free(port int) bool {
	for _, address := range []string{"127.0.0.1", "0.0.0.0"} {
		listener, err := net.Listen("tcp4", net.JoinHostPort(address, fmt.Sprint(port)))
		if err != nil {
			return false
		}
		_ = listener.Close()
	}
	return true
}

// mostClaims is far more than one scan needs, and bounds what a server that
// scans for days holds.
const mostClaims = 64

// claimed are the ports this process was given last, each held by something
// that ends with the process.
type claimed struct {
	mu   sync.Mutex
	held []net.Listener
}

var claims claimed

func (c *claimed) claim(port int) bool {
	listener, ok := mark(port)
	if !ok {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held = append(c.held, listener); len(c.held) > mostClaims {
		_ = c.held[0].Close()
		c.held = c.held[1:]
	}
	return true
}
