//go:build !linux

package launch

import (
	"fmt"
	"net"
)

// mark holds the neighbour of a port, far above: there are no names here that
// end with their process.
func mark(port int) (net.Listener, bool) {
	const above = 33_000
	listener, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port+above))
	return listener, err == nil
}
