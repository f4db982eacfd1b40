// Package interrupt_test stops the command at random moments of a scan and
// looks for what it left: processes, databases, directories.
package interrupt_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/testenv/demoapi"
)

const (
	moments  = 20
	kills    = 4
	together = 4 // scans at a time: they wait more than they work
	patience = 60 * time.Second
)

// TestMain lets the test binary be the API of the recipe's target.process.
func TestMain(m *testing.M) {
	if os.Getenv("SESSIONGATE_TEST_API") != "" {
		serve()
	}
	os.Exit(m.Run())
}

func serve() {
	api, err := demoapi.New()
	if err != nil {
		panic(err)
	}
	server := &http.Server{Addr: "127.0.0.1:" + os.Getenv("PORT"), Handler: api, ReadHeaderTimeout: time.Second}
	panic(server.ListenAndServe())
}

const recipe = `version: 1
target: {process: {command: [%q], environment: {SESSIONGATE_TEST_API: "1"}}}
database: {ephemeral: postgres}
users:
  - {name: alice, password: alice-demo-password}
  - {name: bob, password: bob-demo-password}
steps:
  visit: {request: GET /}
  login: {request: POST /login, json: {username: "{{username}}", password: "{{password}}"}}
  identity: {request: GET /me}
  logout: {request: POST /logout}
`

// sweeping is a scan that does nothing but begin.
const sweeping = `version: 1
target: {url: http://127.0.0.1:1, start-timeout: 1ms}
users: [{name: alice}]
steps: {login: {request: POST /login}, identity: {request: GET /me}}
`

// command is the built binary and what it scans.
type command struct{ program, scans, sweeps string }

func build(t *testing.T) command {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	made := command{filepath.Join(folder, "sessiongate"), filepath.Join(folder, "scan.yml"), filepath.Join(folder, "sweep.yml")}
	if said, err := exec.Command("go", "build", "-o", made.program, "../..").CombinedOutput(); err != nil {
		t.Fatalf("%s", said)
	}
	for path, text := range map[string]string{made.scans: fmt.Sprintf(recipe, self), made.sweeps: sweeping} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return made
}

// run is one scan with a directory for temporary files of its own, which marks
// everything that belongs to it.
type run struct {
	temporary string
	process   *exec.Cmd
	began     time.Time
	said      bytes.Buffer
	seen      map[int]bool // the ids of its processes, as far as they were seen
}

// begin starts a scan. A directory that others can enter: PostgreSQL refuses to
// run as root.
func (c command) begin(t *testing.T) *run {
	temporary, err := os.MkdirTemp("", "interrupt-")
	if err == nil {
		err = os.Chmod(temporary, 0o755)
	}
	r := &run{temporary: temporary, seen: map[int]bool{}}
	if err == nil {
		err = r.start(c.program, c.scans)
	}
	if err != nil {
		t.Error(err)
		return nil
	}
	t.Cleanup(func() { _ = os.RemoveAll(temporary) })
	return r
}

func (r *run) start(program, recipe string) error {
	r.process = exec.Command(program, "scan", "--no-color", "--config", recipe)
	r.process.Env = append(os.Environ(), "TMPDIR="+r.temporary)
	r.process.Stdout, r.process.Stderr = &r.said, &r.said
	r.began = time.Now()
	return r.process.Start()
}

// after is what has become of the process after a signal at a moment.
func (r *run) after(moment time.Duration, signal os.Signal) syscall.WaitStatus {
	timer := time.AfterFunc(moment, func() { _ = r.process.Process.Signal(signal) })
	defer timer.Stop()
	hung := time.AfterFunc(moment+patience, func() { _ = r.process.Process.Kill() })
	defer hung.Stop()
	done := make(chan error)
	go func() { done <- r.process.Wait() }()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return r.process.ProcessState.Sys().(syscall.WaitStatus)
		case <-tick.C:
			r.alive()
		}
	}
}

// alive are the processes of this run: by the directory in their environment,
// or the one they work in. A zombie has neither.
func (r *run) alive() []string {
	all, _ := filepath.Glob("/proc/[0-9]*")
	var found []string
	for _, one := range all {
		environment, err := os.ReadFile(filepath.Join(one, "environ"))
		where, _ := os.Readlink(filepath.Join(one, "cwd"))
		if err == nil && bytes.Contains(environment, []byte("TMPDIR="+r.temporary+"\x00")) || strings.HasPrefix(where, r.temporary) {
			line, _ := os.ReadFile(filepath.Join(one, "cmdline"))
			pid, _ := strconv.Atoi(filepath.Base(one))
			r.seen[pid] = true
			found = append(found, filepath.Base(one)+" "+strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}

func (r *run) files() []string {
	var found []string
	_ = filepath.WalkDir(r.temporary, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && path != r.temporary && len(found) < 5 {
			found = append(found, path)
		}
		return nil
	})
	return found
}

// memory are the shared segments that one of its processes made: a database's,
// which the kernel keeps when nobody frees them.
func (r *run) memory(t *testing.T) []string {
	segments, err := os.ReadFile("/proc/sysvipc/shm")
	if err != nil {
		t.Error(err)
	}
	var found []string
	for line := range strings.Lines(string(segments)) {
		fields := strings.Fields(line) // key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime …
		if len(fields) < 14 {
			continue
		}
		creator, pidErr := strconv.Atoi(fields[4])
		made, timeErr := strconv.ParseInt(fields[13], 10, 64)
		// Numbers of processes are given again, and others leave memory, too.
		if pidErr == nil && timeErr == nil && r.seen[creator] && made >= r.began.Unix() {
			found = append(found, "memory "+fields[1])
		}
	}
	return found
}

// left is all that a scan must not leave.
func (r *run) left(t *testing.T) []string {
	return slices.Concat(r.alive(), r.files(), r.memory(t))
}

// whole is how long a scan takes that nobody stops, while nothing else runs.
func whole(t *testing.T, c command) time.Duration {
	t.Helper()
	began := time.Now()
	r := c.begin(t)
	if r == nil {
		t.FailNow()
	}
	status := r.after(patience, syscall.SIGKILL)
	took := time.Since(began)
	if left := r.left(t); status.ExitStatus() != 0 || len(r.seen) < 3 || len(left) > 0 {
		t.Fatalf("exit code %d, saw %d processes, left %v\n%s", status.ExitStatus(), len(r.seen), left, r.said.String())
	}
	return took
}

// sideBySide runs a function n times, a few at a time.
func sideBySide(n int, do func(i int)) {
	places := make(chan struct{}, together)
	var all sync.WaitGroup
	for i := range n {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			do(i)
		})
	}
	all.Wait()
}

func TestInterruptsLeaveNothing(t *testing.T) {
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("processes are looked for in /proc, which is not here")
	}
	c := build(t)
	life := whole(t, c)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, a whole scan takes %s", seed, life.Round(time.Millisecond))
	dice := rand.New(rand.NewPCG(seed, 0))
	at := make([]time.Duration, moments+kills)
	for i := range at {
		at[i] = time.Duration(dice.Int64N(int64(life)))
	}
	at[moments] = life / 2 // when there is something to leave
	var swept atomic.Int32
	sideBySide(len(at), func(i int) {
		if i < moments {
			interrupt(t, c, at[i], []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}[i%2])
			return
		}
		if kill(t, c, at[i]) {
			swept.Add(1)
		}
	})
	if swept.Load() == 0 {
		t.Error("no killed scan left anything: its directories are not seen")
	}
}

// interrupt stops a scan politely. One that was over by then is stopped earlier.
func interrupt(t *testing.T, c command, moment time.Duration, signal syscall.Signal) {
	r := c.begin(t)
	if r == nil {
		return
	}
	status := r.after(moment, signal)
	if left := r.left(t); len(left) > 0 {
		t.Errorf("%s after %s left %v", signal, moment, left)
	}
	switch {
	case status.ExitStatus() == 0:
		interrupt(t, c, moment/2, signal)
	case status.Signaled() && status.Signal() == signal && r.said.Len() == 0:
		// Before the first line of our own code: the system's way of 130.
	case status.ExitStatus() != 130:
		t.Errorf("%s after %s: exit code %d, signal %d\n%s", signal, moment, status.ExitStatus(), status.Signal(), r.said.String())
	}
}

// kill gives the scan no chance. Its children die with it; its directory is the
// next run's to remove. It reports whether there was one.
func kill(t *testing.T, c command, moment time.Duration) (left bool) {
	r := c.begin(t)
	if r == nil {
		return false
	}
	r.after(moment, syscall.SIGKILL)
	r.settle()
	if alive := r.alive(); len(alive) > 0 {
		t.Errorf("SIGKILL after %s left %v", moment, alive)
	}
	left = len(r.files()) > 0
	if err := r.start(c.program, c.sweeps); err != nil {
		t.Error(err)
		return left
	}
	var failed *exec.ExitError
	if err := r.process.Wait(); err != nil && !errors.As(err, &failed) {
		t.Error(err)
	}
	if left := r.left(t); len(left) > 0 {
		t.Errorf("SIGKILL after %s: the next run left %v", moment, left)
	}
	return left
}

// settle waits until nothing is alive. The kernel tells nobody when a process
// that is not our child has gone.
func (r *run) settle() {
	limit := time.After(10 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for len(r.alive()) > 0 {
		select {
		case <-tick.C:
		case <-limit:
			return
		}
	}
}
