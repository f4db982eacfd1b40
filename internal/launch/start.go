package launch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// inherited are the only variables a child gets from us: a CI job's
// environment holds tokens that a pull request's API must not see.
var inherited = []string{"PATH", "HOME", "LANG", "TMPDIR"}

// Process is an API to start on this machine.
type Process struct {
	Command     []string // the program and its arguments, PORT already put in
	Directory   string   // where it runs; empty: here
	Environment map[string]secret.Text
	Ready       Ready
	// StartTimeout is how long it may take to be ready; zero: 60 seconds.
	StartTimeout time.Duration
	// Port comes from FreePort. The child finds it in PORT and must listen
	// there on 127.0.0.1.
	Port int
}

// Start runs the API and waits until it is ready. It lives until Close or the
// end of ctx. Errors about an API that did not come up wrap ErrUnreachable.
func Start(ctx context.Context, p Process) (*Target, error) {
	base := "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(p.Port))
	ask, err := newCheck(base, p.Ready)
	if err != nil {
		return nil, err
	}
	program, err := p.program()
	if err != nil {
		return nil, err
	}
	if p.someoneListens(ctx) {
		return nil, fail(fmt.Sprintf("%s was not started: another program listens on 127.0.0.1:%d, so the port is in use; end that program or try again",
			p.name(), p.Port), ErrUnreachable, ErrPortInUse)
	}
	if ctx.Err() != nil {
		return nil, p.interrupted(ctx)
	}
	running, err := run(program, newOutput(hide(p.Environment)))
	if err != nil {
		return nil, fail(fmt.Sprintf("%s cannot be started: %s; look at target.process.command", p.name(), leaf(err)), ErrUnreachable, err)
	}
	go func() {
		select {
		case <-ctx.Done():
			_ = running.stop()
		case <-running.gone:
		}
	}()
	if err := p.await(ctx, ask, running); err != nil {
		return nil, errors.Join(err, running.stop())
	}
	return &Target{URL: base, running: running}, nil
}

func (p Process) await(ctx context.Context, ask *check, running *process) error {
	limit, cancel := context.WithTimeout(ctx, p.startTimeout())
	defer cancel()
	// A request in flight must not outlive the process it was sent to.
	go func() {
		select {
		case <-running.gone:
			cancel()
		case <-limit.Done():
		}
	}()
	why := ask.wait(limit, running.gone)
	if ctx.Err() != nil {
		return p.interrupted(ctx)
	}
	select {
	case <-running.gone:
		return p.ended(ctx, running, why == "")
	default:
	}
	if why == "" {
		return nil
	}
	return fail(fmt.Sprintf("%s did not answer %s at 127.0.0.1:%d within %s (%s); let it listen on 127.0.0.1 and port ${PORT}, "+
		"or raise target.start-timeout%s", p.name(), p.Ready, p.Port, p.startTimeout(), why, running.output.tail(15)), ErrUnreachable)
}

// ended is the error about a process that died too early. When somebody
// answers all the same, the port is theirs.
func (p Process) ended(ctx context.Context, running *process, answered bool) error {
	tail := running.output.tail(15)
	if portTaken(tail) || p.someoneListens(ctx) {
		return fail(fmt.Sprintf("%s %s because a port it wants is already in use (it was given PORT=%d); use ${PORT} in "+
			"target.process.command, or end the other program%s", p.name(), running.exitReason(), p.Port, tail), ErrUnreachable, ErrPortInUse)
	}
	moment := "before"
	if answered {
		moment = "right after"
	}
	return fail(fmt.Sprintf("%s %s %s it answered %s%s", p.name(), running.exitReason(), moment, p.Ready, tail), ErrUnreachable)
}

func portTaken(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "address already in use") || strings.Contains(text, "eaddrinuse") || strings.Contains(text, "address in use")
}

func (p Process) interrupted(ctx context.Context) error {
	return fail("the start of "+p.name()+" was interrupted", ctx.Err())
}

func (p Process) startTimeout() time.Duration {
	if p.StartTimeout <= 0 {
		return time.Minute
	}
	return p.StartTimeout
}

// name is how the user knows the process. Arguments may hold secrets of the
// environment, too.
func (p Process) name() string {
	shown := newOutput(hide(p.Environment)).readable([]byte(strings.Join(p.Command, " ")))
	if runes := []rune(shown); len(runes) > 80 {
		shown = string(runes[:79]) + "…"
	}
	return "the API (" + shown + ")"
}

// someoneListens sees a server that would answer in the API's place.
func (p Process) someoneListens(ctx context.Context) bool {
	dialer := net.Dialer{Timeout: time.Second}
	connection, err := dialer.DialContext(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(p.Port)))
	if err != nil {
		return false
	}
	_ = connection.Close()
	return true
}

func (p Process) program() (program, error) {
	if len(p.Command) == 0 || p.Command[0] == "" {
		return program{}, fail("target.process.command is empty; give the program and its arguments")
	}
	if p.Port < 1 || p.Port > 65535 {
		return program{}, fail(fmt.Sprintf("there is no port %d to give to %s", p.Port, p.name()))
	}
	if p.Directory != "" {
		if info, err := os.Stat(p.Directory); err != nil || !info.IsDir() {
			return program{}, fail(fmt.Sprintf("the directory %s of target.process.directory does not exist; it is read from the folder of the recipe", p.Directory))
		}
	}
	environment, err := p.environment()
	if err != nil {
		return program{}, err
	}
	path, err := p.find()
	if err != nil {
		return program{}, err
	}
	return program{path: path, arguments: p.Command[1:], directory: p.Directory, environment: environment,
		polite: syscall.SIGTERM, orphaned: syscall.SIGKILL}, nil
}

func (p Process) environment() ([]string, error) {
	var environment []string
	for _, name := range inherited {
		if value, set := os.LookupEnv(name); set {
			environment = append(environment, name+"="+value)
		}
	}
	for name, value := range p.Environment {
		if !variable(name, value) {
			return nil, fail(fmt.Sprintf("target.process.environment: %q cannot be a variable: a name has no =, and nothing holds a NUL byte", name))
		}
		environment = append(environment, name+"="+value.Reveal())
	}
	return append(environment, "PORT="+strconv.Itoa(p.Port)), nil
}

// variable reports whether a name and a value can stand in an environment.
func variable(name string, value secret.Text) bool {
	return name != "" && !strings.ContainsAny(name, "=\x00") && !strings.Contains(value.Reveal(), "\x00")
}

// find looks where the child would: in the PATH it gets, from the directory it
// runs in. That is what makes PATH: .venv/bin work.
func (p Process) find() (string, error) {
	name := p.Command[0]
	list := os.Getenv("PATH")
	if own, given := p.Environment["PATH"]; given {
		list = own.Reveal()
	}
	folders := filepath.SplitList(list)
	if strings.ContainsRune(name, filepath.Separator) {
		folders = []string{""}
	}
	for _, folder := range folders {
		path := filepath.Join(folder, name)
		if !filepath.IsAbs(path) {
			path = filepath.Join(p.Directory, path)
		}
		path, err := filepath.Abs(path)
		if err != nil {
			continue
		}
		if executable, err := exec.LookPath(path); err == nil {
			return executable, nil
		} else if errors.Is(err, fs.ErrPermission) && len(folders) == 1 {
			return "", fail(fmt.Sprintf("%s cannot be started: %s is not executable; use chmod +x", p.name(), name), ErrUnreachable)
		}
	}
	return "", fail(fmt.Sprintf("%s cannot be started: %s was not found; install it, or give its path in target.process.command", p.name(), name), ErrUnreachable)
}
