// Package launch brings a target and its database up and takes them down
// again: an API at a given URL, an API started as a process or in a container,
// a throw-away CockroachDB or PostgreSQL. It knows when a target answers and why
// it does not; what the answers mean is for others to say.
//
// A process it starts dies with its process group. A program that leaves its
// group on purpose (setsid, a daemon) is out of reach; a CI job's container ends
// it. Everything it makes in a container engine carries the label of its run.
package launch

import (
	"errors"
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

// life is what was started for a target: a process or a container.
type life interface {
	stop() error // may be called again, and after death
	ended() <-chan struct{}
	exitReason() string // "" while it lives
	printed() *output
}

// Target is an API that answered. URL targets have no process: their Logs and
// Output are empty, their Done never fires.
type Target struct {
	URL     string // scheme, host, port and base path, without a trailing slash
	running life
	relay   *Relay // between us and it; nil: none
}

// Close ends the API with everything in its process group, or its container. It
// may be called again and after death; the error says that something survived.
func (t *Target) Close() error {
	if t.relay != nil {
		t.relay.Close()
	}
	if t.running == nil {
		return nil
	}
	return t.running.stop()
}

// Done is closed when the API has died, by itself or by Close.
func (t *Target) Done() <-chan struct{} {
	if t.running == nil {
		return nil
	}
	return t.running.ended()
}

// ExitReason says how the API died: "ended with exit status 1". It is empty
// while it lives.
func (t *Target) ExitReason() string {
	if t.running == nil {
		return ""
	}
	return t.running.exitReason()
}

// Logs are the last lines the API printed (at most 200 of 2,000 bytes), without
// control characters and without the values of its environment.
func (t *Target) Logs() []string {
	if t.running == nil {
		return nil
	}
	return t.running.printed().lines()
}

// Output is what the API printed, unchanged, to be searched for session ids.
// Only the first 4 MiB are kept; complete is false when there was more.
func (t *Target) Output() (text secret.Text, complete bool) {
	if t.running == nil {
		return secret.Text{}, true
	}
	return t.running.printed().everything()
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
