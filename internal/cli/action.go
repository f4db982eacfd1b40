package cli

import (
	"github.com/spf13/cobra"

	"github.com/sessiongate/sessiongate/internal/action"
	"github.com/sessiongate/sessiongate/internal/audit"
)

func actionCommand(streams Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "action",
		Short: "Do the job of a step in a GitHub workflow",
		Long: `Entry point inside the GitHub Action: reads the step's inputs from the
environment as the runner sets it, scans, and writes outputs, a job summary,
annotations and an analysis for code scanning. A workflow starts it with

  - uses: sessiongate/sessiongate@v0
    with: {context: api, login: POST /login, identity: GET /me}`,
		Example: `  INPUT_URL=http://127.0.0.1:8000 INPUT_LOGIN="POST /login" INPUT_IDENTITY="GET /me" \
      INPUT_USERS="alice=$ALICE_PASSWORD" sessiongate action`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			get := func(name string) string { value, _ := streams.Getenv(name); return value }
			if code := (action.Step{Getenv: get, Out: streams.Out, Version: version()}).Run(cmd.Context()); code != audit.ExitMet {
				return failure{code: code} // it is said
			}
			return nil
		},
	}
}
