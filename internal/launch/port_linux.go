package launch

import (
	"fmt"
	"net"
)

// mark holds a name in the abstract namespace of sockets, which is the same for
// all who share these ports and forgets its names with their processes.
func mark(port int) (net.Listener, bool) {
	listener, err := net.Listen("unix", fmt.Sprintf("@sessiongate-port-%d", port))
	return listener, err == nil
}
