package launch

import (
	"errors"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

func dieWithUs(attributes *syscall.SysProcAttr, signal syscall.Signal) { attributes.Pdeathsig = signal }

// reap calls before between the death of the process and the moment its number
// is free again: as long as it is a zombie, nobody else can have its group.
func reap(command *exec.Cmd, before func()) error {
	for {
		err := unix.Waitid(unix.P_PID, command.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	before()
	return command.Wait()
}
