package launch

import (
	"errors"
	"fmt"
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

// newFolder makes such a directory below parent.
func newFolder(parent string) (string, error) {
	folder, err := os.MkdirTemp(parent, fmt.Sprintf("sessiongate-%d-", os.Getpid()))
	if err != nil {
		return "", fail("no directory for the database: "+leaf(err)+"; set TMPDIR to a directory that can be written", err)
	}
	return folder, nil
}

// Sweep removes what earlier runs left behind because they were killed:
// directories, and containers where an engine answers. It does what it can and
// says nothing.
func Sweep() {
	sweep(os.TempDir())
	sweepContainers()
}

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
		if dead(number(match[1])) {
			folder := filepath.Join(parent, entry.Name())
			freeMemory(folder)
			_ = os.RemoveAll(folder)
		}
	}
}

// number reads digits that a pattern has bounded.
func number(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}

func dead(pid int) bool { return pid > 0 && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// remove deletes the directory of a server that was ended, and frees the memory
// it forgot. After a SIGKILL the server's helpers, which are
// outside its group, may write for another moment.
func remove(folder string) error {
	freeMemory(folder)
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
