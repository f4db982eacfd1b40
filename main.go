// Sessiongate proves, by doing the attack, whether an HTTP API mishandles its
// sessions.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/sessiongate/sessiongate/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, os.Args[1:], cli.Streams{Out: os.Stdout, Err: os.Stderr, Getenv: cli.Environment})
	stop()
	os.Exit(code)
}
