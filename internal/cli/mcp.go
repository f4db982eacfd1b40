package cli

import (
	"errors"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/sessiongate/sessiongate/internal/mcpserver"
)

func mcpCommand(streams Streams) *cobra.Command {
	options := mcpserver.Options{Version: version(), Getenv: streams.Getenv, Review: review}
	cmd := &cobra.Command{
		Use:   "mcp",
		Short: "Serve coding assistants over the Model Context Protocol on standard input and output",
		Long: `Let an assistant scan an API, read what a finding means and check its own fix.

It reaches what you name here and nothing else: recipes below --root, which
may start processes, and targets on this machine or on an --allow-host.
Passwords are read from the environment of this server, by name.`,
		Example: `  sessiongate mcp --root /home/me/project
  sessiongate mcp --allow-host staging.internal:8443`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if streams.In == nil {
				return errors.New("there is no standard input to serve")
			}
			// A client that is gone shall not kill the server before it has stopped what it started.
			signal.Ignore(syscall.SIGPIPE)
			server, err := mcpserver.New(options)
			if err != nil {
				return err
			}
			return server.Serve(cmd.Context(), streams.In, streams.Out)
		},
	}
	cmd.Flags().StringVar(&options.Root, "root", "", "`DIR` that recipes must lie below (default: the working directory)")
	cmd.Flags().StringArrayVar(&options.Allowed, "allow-host", nil, "`HOST` that may be scanned beside this machine, with a port or without; repeatable")
	return cmd
}
