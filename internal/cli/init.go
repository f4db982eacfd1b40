package cli

import (
	"cmp"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/sessiongate/sessiongate/internal/app"
	"github.com/sessiongate/sessiongate/internal/audit"
	"github.com/sessiongate/sessiongate/internal/recipe"
)

func initCommand(streams Streams) *cobra.Command {
	var f flags
	var force, workflow bool
	cmd := &cobra.Command{
		Use:   "init [URL]",
		Short: "Find out how an API logs in, and write the recipe",
		Long: `Read what the API says of itself, try it with the given users, and write a
commented ` + recipe.DefaultFile + `. Nothing that deletes or pays is tried, and no attack is made.

Exit codes: 0 written and checked by one calibration, 2 usage or configuration
error, 3 written, and something is missing that the recipe names.`,
		Example: `  sessiongate init http://127.0.0.1:8000 --user alice --password-env ALICE_PASSWORD \
      --user bob --password-env BOB_PASSWORD
  sessiongate init http://127.0.0.1:8000 --user alice --password-env ALICE_PASSWORD --workflow
  sessiongate init --config .sessiongate.yml --force`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.init(cmd, args, streams, force, workflow) },
	}
	set := cmd.Flags()
	set.StringVar(&f.config, "config", "", "recipe `FILE` to write (default "+recipe.DefaultFile+")")
	set.StringVar(&f.login, "login", "", "login `REQUEST`, where it is known")
	set.StringVar(&f.identity, "identity", "", "protected `REQUEST` whose answer names the user, where it is known")
	set.StringVar(&f.logout, "logout", "", "logout `REQUEST`, where it is known")
	set.StringVar(&f.visit, "visit", "", "`REQUEST` of an anonymous visitor, where it is known")
	set.StringArrayVar(&f.users, "user", nil, "`NAME` of a user; repeat for a second one")
	set.StringArrayVar(&f.passwords, "password-env", nil, "environment `VARIABLE` with the password of the user beside it")
	set.StringVar(&f.carrier, "carrier", "", "what carries the session id, where it is known")
	set.BoolVar(&force, "force", false, "add to a recipe that is there already; what stands in it stays")
	set.BoolVar(&workflow, "workflow", false, "write "+app.WorkflowFile+", too")
	set.DurationVar(&f.timeout, "timeout", 0, "limit of the whole (default 5m)")
	return cmd
}

func (f *flags) init(cmd *cobra.Command, args []string, streams Streams, force, workflow bool) error {
	file := cmp.Or(f.config, recipe.DefaultFile)
	_, missing := os.Stat(file)
	if missing == nil && !force {
		return app.Exists(file)
	}
	if workflow {
		if err := app.HasWorkflow(); err != nil { // before anything is sent or written
			return err
		}
	}
	given := f.config
	if missing != nil {
		f.config = ""
	}
	r, err := f.recipe(cmd, args, streams)
	f.config = given
	if err != nil {
		return err
	}
	found, err := app.Discover(cmd.Context(), app.Options{Recipe: r, Version: version(), Timeout: f.timeout, Now: time.Now()})
	if err != nil {
		return err
	}
	if err := app.WriteRecipe(found, file, f.passwords); err != nil {
		return err
	}
	for _, one := range found.Discovered {
		if one.Request == "" {
			fmt.Fprintf(streams.Out, "no %s: %s; %s\n", one.Step, one.Note, one.Pin)
			continue
		}
		fmt.Fprintf(streams.Out, "%s: %s", one.Step, one.Request)
		if one.From != "" {
			fmt.Fprintf(streams.Out, ", from %s", one.From)
		}
		if one.Unproven {
			fmt.Fprintf(streams.Out, "; written as a comment: %s", one.Note)
		}
		fmt.Fprintln(streams.Out)
	}
	if found.Calibration.Carrier != "" {
		fmt.Fprintf(streams.Out, "session: %s\n", found.Calibration.Carrier)
	}
	fmt.Fprintf(streams.Out, "written: %s\n", file)
	if workflow {
		if err := app.WriteWorkflow(file); err != nil {
			return err
		}
		fmt.Fprintf(streams.Out, "written: %s\n", app.WorkflowFile)
	}
	if found.Problem != "" {
		return failure{audit.ExitUnproven, "the recipe is not complete: " + found.Problem}
	}
	return nil
}
