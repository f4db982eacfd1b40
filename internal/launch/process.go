package launch

import (
	"fmt"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const (
	grace     = 3 * time.Second        // between the polite signal and SIGKILL
	lastWait  = 5 * time.Second        // for the kernel to take a killed process away
	pipeGrace = 500 * time.Millisecond // for an escaped child that still holds the output pipe
)

// endedWell is the exit reason of a program that did what it was asked to.
const endedWell = "ended with exit status 0"

// stoppedByUs is that of one that did not end by itself.
const stoppedByUs = "was stopped by sessiongate"

// program is what to run and how to end it.
type program struct {
	path        string // absolute, or relative to directory
	arguments   []string
	directory   string
	environment []string
	user        *syscall.Credential // nil: ours
	polite      syscall.Signal      // the signal that asks it to end
	orphaned    syscall.Signal      // what Linux sends it when we die first
}

// process is a running program and its group.
type process struct {
	output *output
	gone   chan struct{} // closed once it is dead and its output complete
	polite syscall.Signal

	ending  sync.Once
	mu      sync.Mutex // guards what follows
	group   int        // 0 once the leader is dead: the number may be somebody else's then
	stopped bool
	reason  string
}

func run(p program, to *output) (*process, error) {
	command := &exec.Cmd{Path: p.path, Args: append([]string{p.path}, p.arguments...), Dir: p.directory, Env: p.environment,
		Stdout: to, Stderr: to, WaitDelay: pipeGrace,
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true, Credential: p.user}}
	dieWithUs(command.SysProcAttr, p.orphaned)
	running := &process{output: to, gone: make(chan struct{}), polite: p.polite}
	started := make(chan error)
	go running.live(command, started)
	if err := <-started; err != nil {
		return nil, err
	}
	return running, nil
}

// live starts the program and sees it die. Both happen on one locked thread:
// the parent whose death kills the child is that thread, not the process.
func (p *process) live(command *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := command.Start(); err != nil {
		started <- err
		return
	}
	p.group = command.Process.Pid
	started <- nil
	_ = reap(command, p.killRest)
	p.mu.Lock()
	p.reason = describe(command)
	if p.stopped {
		p.reason = stoppedByUs
	}
	p.mu.Unlock()
	close(p.gone)
}

// killRest ends what the leader left behind in its group.
func (p *process) killRest() {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = syscall.Kill(-p.group, syscall.SIGKILL)
	p.group = 0
}

func describe(command *exec.Cmd) string {
	status, ok := command.ProcessState.Sys().(syscall.WaitStatus)
	if ok && status.Signaled() {
		return fmt.Sprintf("was killed by signal %d (%s)", status.Signal(), status.Signal())
	}
	return fmt.Sprintf("ended with exit status %d", command.ProcessState.ExitCode())
}

func (p *process) exitReason() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reason
}

func (p *process) ended() <-chan struct{} { return p.gone }
func (p *process) printed() *output       { return p.output }

func (p *process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.group != 0 {
		p.stopped = true
		_ = syscall.Kill(-p.group, s)
	}
}

// stop asks, waits, kills. It returns when the process is gone, also when
// somebody else is stopping it already.
func (p *process) stop() error {
	p.ending.Do(func() {
		p.signal(p.polite)
		if !p.goneWithin(grace) {
			p.signal(syscall.SIGKILL)
		}
	})
	if p.goneWithin(lastWait) {
		return nil
	}
	return fail("a process did not end after SIGKILL; look for it with ps and end it by hand")
}

func (p *process) goneWithin(limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-p.gone:
		return true
	case <-timer.C:
		return false
	}
}
