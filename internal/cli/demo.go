package cli

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/sessiongate/sessiongate/internal/app"
	"github.com/sessiongate/sessiongate/internal/audit"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/testenv/demoapi"
)

func demoCommand(streams Streams) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch the job on a built-in API, once vulnerable and once hardened",
		Long: `Start a built-in API with the flaws this project was founded on, attack it,
and do the same with its hardened twin. Nothing has to be installed.

The demo exits 0 when the vulnerable API fails its gate (a scan of it alone
would exit 1) and the hardened one passes.`,
		Example: `  sessiongate demo
  sessiongate demo --no-color | less`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.demo(cmd, streams) },
	}
	cmd.Flags().BoolVar(&f.noColor, "no-color", false, "no colours")
	return cmd
}

func (f *flags) demo(cmd *cobra.Command, streams Streams) error {
	vulnerable, err := f.act(cmd, streams, "1 of 2: the vulnerable API", demoapi.Demo())
	if err != nil {
		return err
	}
	hardened, err := f.act(cmd, streams, "2 of 2: its hardened twin", nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(streams.Out, "\nvulnerable: score %d, exit code %d; hardened: score %d, exit code %d\n",
		vulnerable.Score.Value, vulnerable.Gate.ExitCode, hardened.Score.Value, hardened.Gate.ExitCode)
	if vulnerable.Gate.ExitCode != audit.ExitNotMet || vulnerable.Score.Value >= 50 ||
		hardened.Gate.ExitCode != audit.ExitMet || hardened.Score.Value < 95 || len(hardened.Findings) > 0 {
		return failure{audit.ExitNotMet, "the demo did not go as it should; please report it to the sessiongate project"}
	}
	fmt.Fprintln(streams.Out, "as expected: the gate stops the one and lets the other through.")
	return nil
}

// act serves the demo API on a port of this machine and scans it.
func (f *flags) act(cmd *cobra.Command, streams Streams, title string, flaws []string) (report.Report, error) {
	api, err := demoapi.New(flaws...)
	if err != nil {
		return report.Report{}, err
	}
	listener, err := (&net.ListenConfig{}).Listen(cmd.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		return report.Report{}, fmt.Errorf("no port can be opened for the demo: %w", err)
	}
	server := &http.Server{Handler: api, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() {
		_ = server.Shutdown(context.WithoutCancel(cmd.Context()))
		<-served
	}()
	fmt.Fprintf(streams.Out, "\n=== %s ===\n\n", title)
	options := app.Options{Recipe: demoRecipe("http://" + listener.Addr().String()),
		Version: version(), Now: time.Now(), Store: "in the API's memory"}
	bar := f.watch(streams)
	if bar != nil {
		options.Progress = bar.tell
	}
	made, err := app.Audit(cmd.Context(), options)
	bar.clear()
	if err != nil {
		return report.Report{}, err
	}
	return made, app.Write(made, []app.Output{{Format: "text", File: "-"}}, streams.Out, style(streams, f.noColor))
}

// demoRecipe is that of the demo API. It stands in no file that a finding could
// point at.
func demoRecipe(address string) *recipe.Recipe {
	r, err := recipe.Parse("", []byte(demoapi.Recipe(address)), func(string) (string, bool) { return "", false })
	if err != nil {
		panic("cli: " + err.Error()) // the recipe is a part of the program
	}
	return r
}
