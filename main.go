// Sessiongate proves, by doing the attack, whether an HTTP API mishandles its
// sessions.
package main

import (
	"context"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/sessiongate/sessiongate/internal/cli"
)

func main() {
	log.SetOutput(io.Discard) // net/http writes a target's bytes there; our own words go to the streams
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: cli.Environment})
	stop()
	os.Exit(code)
}
