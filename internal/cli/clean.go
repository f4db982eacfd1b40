package cli

import (
	"github.com/spf13/cobra"

	"github.com/sessiongate/sessiongate/internal/app"
)

func cleanCommand(streams Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "clean",
		Short: "Remove what killed scans left behind",
		Long: `Remove the containers, networks, volumes and images of this job's scan, also of
one that is not over, and what earlier scans left on this machine because they
were killed. In GitHub Actions the job is known by its environment; elsewhere
SESSIONGATE_RUN names the run, for the scan and for clean alike. Where no
container engine answers there is nothing to remove.`,
		Example: `  sessiongate clean
  SESSIONGATE_RUN=nightly sessiongate clean   # after SESSIONGATE_RUN=nightly sessiongate scan`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := app.Clean(cmd.Context(), app.RunName(streams.Getenv)); err != nil {
				return failure{1, err.Error()}
			}
			return nil
		},
	}
}

// relayCommand is what a scan in a container starts in the runner's network to
// reach an API on the runner's localhost. It is for nobody else.
func relayCommand(streams Streams) *cobra.Command {
	var listen, to string
	cmd := &cobra.Command{Use: "relay", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return app.Relay(cmd.Context(), listen, to, streams.Out)
		}}
	cmd.Flags().StringVar(&listen, "listen", "", "`ADDRESS` to listen on")
	cmd.Flags().StringVar(&to, "to", "", "`ADDRESS` to copy to")
	return cmd
}
