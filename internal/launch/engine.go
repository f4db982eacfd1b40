package launch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/moby/moby/client"

	"github.com/sessiongate/sessiongate/internal/secret"
)

const (
	engineTimeout = 3 * time.Second  // for an engine to say that it is there
	pullTimeout   = 5 * time.Minute  // for a whole image
	pullSilence   = 30 * time.Second // between two words of progress
)

// engine is a container engine on this machine that answered.
type engine struct{ api *client.Client }

// reach finds the engine of DOCKER_HOST, or the usual one. Where there is none
// to use, it says why in a clause that tells the causes apart.
func reach(ctx context.Context) (*engine, string) {
	api, err := client.New(client.FromEnv)
	if err != nil {
		return nil, "DOCKER_HOST or its companions cannot be read: " + clause(err)
	}
	if reason := usable(api.DaemonHost()); reason != "" {
		_ = api.Close()
		return nil, reason
	}
	limit, cancel := context.WithTimeout(ctx, engineTimeout)
	defer cancel()
	if _, err := api.Ping(limit, client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		_ = api.Close()
		return nil, refused(api.DaemonHost(), err)
	}
	return &engine{api}, ""
}

func (e *engine) close() { _ = e.api.Close() }

// usable looks at an engine's address before anything is sent there. Ports are
// published on the engine's own 127.0.0.1, so it must be this machine's.
func usable(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return "DOCKER_HOST is no address"
	}
	switch parsed.Scheme {
	case "unix":
		return closed(parsed.Path)
	case "npipe":
		return ""
	case "tcp", "http", "https":
		if host := net.ParseIP(parsed.Hostname()); host.IsLoopback() || parsed.Hostname() == "localhost" {
			return ""
		}
	}
	return "the container engine of DOCKER_HOST is on another machine, where a published port cannot be reached"
}

// closed says why a socket does not let us in. The client's own error tells
// neither a refused permission nor a socket that nobody listens on.
func closed(path string) string {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "no container engine listens at " + path
	case err == nil && info.IsDir():
		// What an engine makes of a mount whose source is missing.
		return path + " is a directory, not the socket of a container engine"
	case err == nil && info.Mode()&fs.ModeSocket == 0:
		return path + " is not the socket of a container engine"
	}
	connection, err := net.DialTimeout("unix", path, engineTimeout)
	switch {
	case err == nil:
		_ = connection.Close()
		return ""
	case errors.Is(err, fs.ErrPermission):
		return "this user may not use the container engine's socket " + path
	}
	return "nobody answers at the container engine's socket " + path + ": " + leaf(err)
}

func refused(address string, err error) string {
	where := strings.TrimPrefix(address, "unix://")
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return fmt.Sprintf("the container engine at %s does not answer within %s", where, engineTimeout)
	}
	return "the container engine at " + where + " refuses: " + clause(err)
}

// clause is what an engine said, fit to be shown inside a sentence.
func clause(err error) string {
	text := newOutput(&secret.Redactor{}).readable([]byte(strings.Join(strings.Fields(err.Error()), " ")))
	if runes := []rune(text); len(runes) > 200 {
		text = string(runes[:199]) + "…"
	}
	return strings.TrimRight(text, ".")
}

// have sees to it that the image is there. Only a missing one is pulled, so
// that a run needs no network when it had one before.
func (e *engine) have(ctx context.Context, image string, local bool, progress func(string)) (reason string) {
	if _, err := e.api.ImageInspect(ctx, image); err == nil {
		return ""
	}
	if local {
		return "the image " + image + " is not here"
	}
	if progress != nil {
		progress("pulling " + image)
	}
	if err := e.pull(ctx, image); err != nil {
		return "the image " + image + " is not here and cannot be pulled: " + clause(err)
	}
	return ""
}

// pull gives up on a registry that falls silent as well as on one that is slow.
func (e *engine) pull(ctx context.Context, image string) error {
	limit, cancel := context.WithTimeoutCause(ctx, pullTimeout, fmt.Errorf("it took more than %s", pullTimeout))
	defer cancel()
	silent, quit := context.WithCancelCause(limit)
	defer quit(nil)
	watch := time.AfterFunc(pullSilence, func() { quit(fmt.Errorf("the registry was silent for %s", pullSilence)) })
	defer watch.Stop()
	err := e.follow(silent, image, func() { watch.Reset(pullSilence) })
	if err != nil && silent.Err() != nil {
		return context.Cause(silent)
	}
	return err
}

func (e *engine) follow(ctx context.Context, image string, heard func()) error {
	answer, err := e.api.ImagePull(ctx, image, client.ImagePullOptions{})
	if err != nil {
		return err
	}
	defer answer.Close()
	for message, err := range answer.JSONMessages(ctx) {
		switch {
		case err != nil:
			return err
		case message.Error != nil:
			return message.Error
		}
		heard()
	}
	return ctx.Err()
}
