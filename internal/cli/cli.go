// Package cli is the door for people: commands, flags, exit codes. What a
// command does is app's business.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/sessiongate/sessiongate/internal/audit"
)

// The exit codes of the contract that only a door knows.
const exitInterrupted = 130

// failure is an error with an exit code of its own; every other error is the
// user's input. Without a text there is nothing left to say.
type failure struct {
	code int
	text string
}

func (f failure) Error() string { return f.text }

// Streams are where a command reads and writes.
type Streams struct {
	In       io.Reader // nil: there is nothing to read
	Out, Err io.Writer
	Getenv   func(string) (string, bool)
}

// Main runs a command line and returns the exit code.
func Main(ctx context.Context, args []string, streams Streams) int {
	root := command(streams)
	root.SetArgs(args)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return audit.ExitMet
	}
	failed := failure{code: audit.ExitUsage, text: err.Error()}
	errors.As(err, &failed)
	if ctx.Err() != nil {
		failed = failure{exitInterrupted, "interrupted; what was started has been stopped"}
	}
	if failed.text != "" {
		fmt.Fprintf(streams.Err, "sessiongate: %s\n", failed.text)
	}
	return failed.code
}

func command(streams Streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "sessiongate",
		Short: "Prove, by doing the attack, whether an HTTP API mishandles its sessions",
		Long: `sessiongate attacks the session handling of an HTTP API for real: session
fixation first, then cookies, logout and the ids themselves. It gives a score
of 0 to 100 with every point explained, and fails below a threshold.`,
		Example: `  sessiongate demo
  sessiongate init http://127.0.0.1:8000 --user alice --password-env ALICE_PASSWORD
  sessiongate scan --config .sessiongate.yml
  sessiongate scan http://127.0.0.1:8000 --login "POST /login" --identity "GET /me" \
      --user alice --password-env ALICE_PASSWORD --out html=sessiongate.html
  sessiongate explain session-id-not-rotated-on-login`,
		SilenceUsage: true, SilenceErrors: true,
	}
	root.AddCommand(scanCommand(streams), initCommand(streams), demoCommand(streams), explainCommand(streams), mcpCommand(streams),
		actionCommand(streams), cleanCommand(streams), relayCommand(streams), versionCommand(streams))
	return root
}

func versionCommand(streams Streams) *cobra.Command {
	return &cobra.Command{Use: "version", Short: "Print the version", Example: "  sessiongate version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(streams.Out, "sessiongate", version())
			return err
		}}
}

// version is what the release stamped into the build, or the module's own.
func version() string {
	if stamped != "" {
		return stamped
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "0.1.0"
}

// stamped is set by the linker: -X github.com/sessiongate/sessiongate/internal/cli.stamped=v1.2.3
var stamped string

// Environment is the process's own, for Streams.
func Environment(name string) (string, bool) { return os.LookupEnv(name) }
