// Sessiongate proves, by doing the attack, whether an HTTP API mishandles its
// sessions.
package main

import (
	"context"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/sessiongate/sessiongate/internal/cli"
)

func main() {
	log.SetOutput(io.Discard) // net/http writes a target's bytes there; our own words go to the streams
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, door(os.Args), cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: cli.Environment})
	stop()
	os.Exit(code)
}

// door is the command line, or that of the action where a workflow starts this
// process as one: without arguments, or as the file of its post-entrypoint.
func door(args []string) []string {
	switch {
	case filepath.Base(args[0]) == "sessiongate-clean":
		return []string{"clean"}
	case len(args) == 1 && os.Getenv("GITHUB_ACTIONS") == "true" && os.Getenv("INPUT_UPLOAD-SARIF") != "":
		return []string{"action"}
	}
	return args[1:]
}
