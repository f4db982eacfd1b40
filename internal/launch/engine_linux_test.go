package launch

import (
	"net"
	"os"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A socket for root and its group, as engines make them, and a user who is
// neither.
func TestASocketThatIsForbidden(t *testing.T) {
	t.Parallel()
	path := socket(t)
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if got := closed(path); got != "" {
		t.Errorf("open: %q", got)
	}
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	said := make(chan string)
	go func() {
		// This thread's alone, and it ends with the goroutine that never unlocks it.
		runtime.LockOSThread()
		_, _ = unix.SetfsuidRetUid(65534)
		said <- closed(path)
	}()
	if got := <-said; !strings.HasPrefix(got, "this user may not use the container engine's socket ") {
		t.Errorf("forbidden: %q", got)
	}
}
