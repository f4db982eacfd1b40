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
Passwords are read from the environment of this server, by name: by any name
but those that begin like the machine's own credentials (ACTIONS_, GITHUB_,
INPUT_, AWS_, AZURE_, GOOGLE_, SSH_, NPM_), or with --allow-env by those alone.

It ends when its client closes standard input (exit code 0), or when it is
interrupted (130), and has then stopped what it started.`,
		Example: `  sessiongate mcp --root /home/me/project
  sessiongate mcp --allow-host staging.internal:8443
  sessiongate mcp --allow-env ALICE_PASSWORD --allow-env BOB_PASSWORD`,
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
			if err := server.Serve(cmd.Context(), streams.In, streams.Out); err != nil {
				return err
			}
			return cmd.Context().Err() // nil where the client hung up
		},
	}
	cmd.Flags().StringVar(&options.Root, "root", "", "`DIR` that recipes must lie below (default: the working directory)")
	cmd.Flags().StringArrayVar(&options.Allowed, "allow-host", nil, "`HOST` that may be scanned beside this machine, with a port or without; repeatable")
	cmd.Flags().StringArrayVar(&options.Variables, "allow-env", nil, "`NAME` of an environment variable that scans may read, and no others; repeatable")
	return cmd
}
