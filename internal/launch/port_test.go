package launch

import (
	"fmt"
	"net"
	"sync"
	"testing"
)

// Many at once get many ports, each free, and none that a kernel hands out.
func TestFreePortsAreNobodyElses(t *testing.T) {
	t.Parallel()
	const many = 20
	var mu sync.Mutex
	given := map[int]bool{}
	var wait sync.WaitGroup
	for range many {
		wait.Go(func() {
			port, err := FreePort()
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			if given[port] || port < lowestPort || port > highestPort {
				t.Errorf("port %d, again: %t", port, given[port])
			}
			given[port] = true
		})
	}
	wait.Wait()
	for port := range given {
		if _, again := mark(port); again {
			t.Errorf("another gate could be given port %d", port)
		}
		listener, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			t.Error(err)
			continue
		}
		if free(port) {
			t.Errorf("port %d is taken and called free", port)
		}
		_ = listener.Close()
	}
}

// A process that hands out ports for days holds a bounded number of them.
func TestClaimsAreBounded(t *testing.T) {
	t.Parallel()
	var c claimed
	for port := 1; port <= mostClaims+5; port++ {
		if !c.claim(port) {
			t.Fatalf("port %d cannot be claimed", port)
		}
	}
	if len(c.held) != mostClaims {
		t.Errorf("%d are held", len(c.held))
	}
	for _, one := range c.held {
		_ = one.Close()
	}
}
