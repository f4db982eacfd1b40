package launch

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"
)

// ours is the name of a directory this package makes, with the id of the
// process that made it.
var ours = regexp.MustCompile(`^sessiongate-([0-9]{1,9})-[0-9]+$`)

// Sweep removes what earlier runs left behind because they were killed. It
// does what it can and says nothing.
func Sweep() { sweep(os.TempDir()) }

func sweep(parent string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, entry := range entries {
		match := ours.FindStringSubmatch(entry.Name())
		if match == nil || !entry.IsDir() {
			continue
		}
		if pid, err := strconv.Atoi(match[1]); err == nil && dead(pid) {
			_ = os.RemoveAll(filepath.Join(parent, entry.Name()))
		}
	}
}

func dead(pid int) bool { return pid > 0 && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// remove deletes a directory. After a SIGKILL the server's helpers, which are
// outside its group, may write for another moment.
func remove(folder string) error {
	deadline := time.NewTimer(2 * time.Second)
	defer deadline.Stop()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		err := os.RemoveAll(folder)
		if err == nil {
			return nil
		}
		select {
		case <-again.C:
		case <-deadline.C:
			return fail("the directory "+filepath.Base(folder)+" for temporary files cannot be removed: "+leaf(err)+"; remove it by hand", err)
		}
	}
}
