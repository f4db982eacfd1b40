//go:build !linux

package launch

import (
	"os/exec"
	"syscall"
)

// dieWithUs does nothing: only Linux can tie a child to its parent's death.
func dieWithUs(*syscall.SysProcAttr, syscall.Signal) {}

// reap waits first, since there is no portable way to see a death without
// taking the number away. The output pipe is closed by then.
func reap(command *exec.Cmd, before func()) error {
	defer before()
	return command.Wait()
}

// freeMemory does nothing: the lock file is read on Linux only.
func freeMemory(string) {}
