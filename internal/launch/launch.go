// Package launch brings a target and its database up and takes them down
// again: an API at a given URL, an API started as a process, a throw-away
// CockroachDB or PostgreSQL. It knows when a target answers and why it does not; what the
// answers mean is for others to say.
//
// What it starts dies with its process group. A program that leaves its group
// on purpose (setsid, a daemon) is out of reach; a CI job's container ends it.
package launch

import (
	"errors"
	"net"
	"strings"

	"github.com/sessiongate/sessiongate/internal/secret"
)

var (
	// ErrUnreachable is in the chain of every error about a target that does
	// not answer.
	ErrUnreachable = errors.New("the target cannot be reached")
	// ErrNoDatabase is in the chain of errors about a database that could not
	// be started.
	ErrNoDatabase = errors.New("no database to start")
	// ErrPortInUse is in the chain when a started target lost its port to
	// somebody else.
	ErrPortInUse = errors.New("port in use")
)

// failure is a sentence for the user with a cause for the program: the
// sentences here name the target first, so a sentinel cannot stand in front.
type failure struct {
	sentence string
	cause    []error
}

func fail(sentence string, cause ...error) error { return &failure{sentence, cause} }

func (f *failure) Error() string   { return f.sentence }
func (f *failure) Unwrap() []error { return f.cause }

// Target is an API that answered. URL targets have no process: their Logs and
// Output are empty, their Done never fires.
type Target struct {
	URL     string // scheme, host, port and base path, without a trailing slash
	process *process
}

// Close ends the process and everything in its group. It may be called again
// and after death; the error says that something survived SIGKILL.
func (t *Target) Close() error {
	if t.process == nil {
		return nil
	}
	return t.process.stop()
}

// Done is closed when the process has died, by itself or by Close.
func (t *Target) Done() <-chan struct{} {
	if t.process == nil {
		return nil
	}
	return t.process.gone
}

// ExitReason says how the process died: "ended with exit status 1". It is
// empty while the process lives.
func (t *Target) ExitReason() string {
	if t.process == nil {
		return ""
	}
	return t.process.exitReason()
}

// Logs are the last lines the process printed (at most 200 of 2,000 bytes),
// without control characters and without the values of its environment.
func (t *Target) Logs() []string {
	if t.process == nil {
		return nil
	}
	return t.process.output.lines()
}

// Output is what the process printed, unchanged, to be searched for session
// ids. Only the first 4 MiB are kept; complete is false when there was more.
func (t *Target) Output() (text secret.Text, complete bool) {
	if t.process == nil {
		return secret.Text{}, true
	}
	return t.process.output.everything()
}

// FreePort is a TCP port nobody listened on a moment ago, on 127.0.0.1.
func FreePort() (int, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 0, fail("no free port on 127.0.0.1: "+leaf(err), err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// leaf is the innermost text of an error: the layers above repeat addresses
// and whole URLs.
func leaf(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return strings.TrimSpace(err.Error())
		}
		err = inner
	}
}
