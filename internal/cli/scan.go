package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/sessiongate/sessiongate/internal/app"
	"github.com/sessiongate/sessiongate/internal/audit"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/secret"
)

// flags of scan, as the contract names them.
type flags struct {
	config                         string
	login, identity, logout, visit string
	users, passwords               []string
	databaseEnv, carrier, profile  string
	failUnder                      int
	baseline                       string
	allowInconclusive, ownDatabase bool
	outputs                        []string
	timeout                        time.Duration
	quiet, verbose, noColor        bool
}

func scanCommand(streams Streams) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "scan [URL]",
		Short: "Attack the sessions of an API and gate on the score",
		Long: `Bring the API up, or reach it, attack its session handling and judge.

Exit codes: 0 gate met, 1 gate not met, 2 usage or configuration error,
3 could not measure, 130 interrupted.`,
		Example: `  sessiongate scan --config .sessiongate.yml --out html=report.html --out sarif=report.sarif
  sessiongate scan --out markdown=- --quiet >> "$GITHUB_STEP_SUMMARY"
  sessiongate scan http://127.0.0.1:8000 --user alice --password-env ALICE_PASSWORD
  sessiongate scan http://127.0.0.1:8000 --login "POST /login" --identity "GET /me" \
      --logout "POST /logout" --user alice --password-env ALICE_PASSWORD`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args, streams) },
	}
	set := cmd.Flags()
	set.StringVar(&f.config, "config", "", "recipe `FILE` (default "+recipe.DefaultFile+" if present)")
	set.StringVar(&f.login, "login", "", "login `REQUEST`, as in \"POST /login\"; sends username and password as JSON")
	set.StringVar(&f.identity, "identity", "", "protected `REQUEST` whose answer names the user, as in \"GET /me\"")
	set.StringVar(&f.logout, "logout", "", "logout `REQUEST`, as in \"POST /logout\"")
	set.StringVar(&f.visit, "visit", "", "`REQUEST` of an anonymous visitor, as in \"GET /\"")
	set.StringArrayVar(&f.users, "user", nil, "`NAME` of a user; repeat for a second one")
	set.StringArrayVar(&f.passwords, "password-env", nil, "environment `VARIABLE` with the password of the user beside it")
	set.StringVar(&f.databaseEnv, "database-url-env", "", "environment `VARIABLE` with the DSN of the session store")
	set.StringVar(&f.carrier, "carrier", "", "what carries the session id: `auto|cookie:NAME|header:NAME|bearer:JSONPATH|query:NAME`")
	set.StringVar(&f.profile, "profile", "core", "`core|deep`")
	set.IntVar(&f.failUnder, "fail-under", 70, "lowest `SCORE` that passes")
	set.StringVar(&f.baseline, "baseline", "", "JSON report `FILE` with the findings that are known")
	set.BoolVar(&f.allowInconclusive, "allow-inconclusive", false, "let the score decide although core rules could not be tested")
	set.BoolVar(&f.ownDatabase, "i-own-this-database", false, "write to a database.url that is not on this machine: run schema and seed, age rows and put them back")
	set.StringArrayVar(&f.outputs, "out", nil, "`FORMAT=FILE`, repeatable; formats "+strings.Join(app.Formats, ", ")+"; - is standard output")
	set.DurationVar(&f.timeout, "timeout", 0, "limit of the whole scan (default 5m, 30m with --profile deep)")
	set.BoolVar(&f.quiet, "quiet", false, "print nothing but what --out asks for, and no progress")
	set.BoolVar(&f.verbose, "verbose", false, "print each flow as it begins")
	set.BoolVar(&f.noColor, "no-color", false, "no colours")
	return cmd
}

func (f *flags) run(cmd *cobra.Command, args []string, streams Streams) error {
	if f.profile != "core" && f.profile != "deep" {
		return fmt.Errorf("--profile %s: write core or deep", f.profile)
	}
	outputs, err := f.parseOutputs()
	if err != nil {
		return err
	}
	r, err := f.recipe(cmd, args, streams)
	if err != nil {
		return err
	}
	return scan(cmd, streams, app.Options{Recipe: r, AllowInconclusive: f.allowInconclusive, Deep: f.profile == "deep", OwnDatabase: f.ownDatabase, Timeout: f.timeout}, outputs, f)
}

// scan audits and writes; the gate's verdict is the exit code.
func scan(cmd *cobra.Command, streams Streams, options app.Options, outputs []app.Output, f *flags) error {
	options.Version, options.Now, options.Run = version(), time.Now(), app.RunName(streams.Getenv)
	bar := f.watch(streams)
	switch {
	case f.verbose:
		options.Progress = func(e audit.Event) {
			count := ""
			if e.Total > 0 { // nothing to count while the target comes up
				count = fmt.Sprintf(" (%d of %d)", e.Done, e.Total)
			}
			if !e.Ended {
				fmt.Fprintf(streams.Err, "sessiongate: %s%s\n", e.Doing, count)
			}
		}
	case bar != nil:
		options.Progress = bar.tell
	}
	made, err := app.Audit(cmd.Context(), options)
	bar.clear()
	if err != nil {
		return err
	}
	if err := app.Write(made, outputs, streams.Out, style(streams, f.noColor)); err != nil {
		return failure{audit.ExitUnproven, err.Error()}
	}
	if made.Gate.ExitCode == audit.ExitMet {
		return nil
	}
	if toStdout(outputs, "text") {
		return failure{code: made.Gate.ExitCode}
	}
	return failure{made.Gate.ExitCode, made.Gate.Reason}
}

func toStdout(outputs []app.Output, format string) bool {
	for _, output := range outputs {
		if output.Format == format && output.File == "-" {
			return true
		}
	}
	return false
}

// parseOutputs adds the text for a person, unless she wants quiet or standard
// output is taken.
func (f *flags) parseOutputs() ([]app.Output, error) {
	var outputs []app.Output
	taken := 0
	for _, word := range f.outputs {
		output, err := app.ParseOutput(word)
		if err != nil {
			return nil, err
		}
		if output.File == "-" {
			taken++
		}
		outputs = append(outputs, output)
	}
	switch {
	case taken > 1:
		return nil, errors.New("--out: only one format can go to standard output")
	case taken == 0 && !f.quiet:
		outputs = append(outputs, app.Output{Format: "text", File: "-"})
	}
	return outputs, nil
}

func style(streams Streams, noColor bool) app.Style {
	_, disabled := streams.Getenv("NO_COLOR") // https://no-color.org: present and not empty
	if value, _ := streams.Getenv("NO_COLOR"); value == "" {
		disabled = false
	}
	file, isFile := streams.Out.(*os.File)
	if !isFile || !term.IsTerminal(int(file.Fd())) {
		return app.Style{Width: usual} // the same bytes wherever it runs
	}
	kind, _ := streams.Getenv("TERM")
	return app.Style{Color: !noColor && !disabled && kind != "dumb", Width: min(max(widthOf(file), narrowest), broadest)}
}

// recipe is the file with the flags over it.
func (f *flags) recipe(cmd *cobra.Command, args []string, streams Streams) (*recipe.Recipe, error) {
	r, err := recipe.LoadOr(f.config, streams.Getenv)
	if err != nil {
		return nil, err
	}
	over := recipe.Over{
		Named: func(field string) string { return "--" + field },
		Login: f.login, Identity: f.identity, Logout: f.logout, Visit: f.visit, Carrier: f.carrier, Baseline: f.baseline,
	}
	if len(args) > 0 {
		over.URL = args[0]
	}
	if cmd.Flags().Changed("fail-under") {
		over.FailUnder = &f.failUnder
	}
	if over.Users, err = f.accounts(streams); err != nil {
		return nil, err
	}
	if f.databaseEnv != "" {
		dsn, set := streams.Getenv(f.databaseEnv)
		if !set || dsn == "" {
			return nil, fmt.Errorf("--database-url-env %s: the environment variable is not set", f.databaseEnv)
		}
		over.Database.URL = secret.New(dsn)
	}
	return r, r.Apply(over)
}

func (f *flags) accounts(streams Streams) ([]recipe.User, error) {
	if len(f.users) != len(f.passwords) {
		return nil, fmt.Errorf("%d --user and %d --password-env: each user needs the variable with its password", len(f.users), len(f.passwords))
	}
	var users []recipe.User
	for i, name := range f.users {
		password, set := streams.Getenv(f.passwords[i])
		if !set {
			return nil, fmt.Errorf("--password-env %s: the environment variable is not set", f.passwords[i])
		}
		users = append(users, recipe.User{Name: name, Username: name, Password: secret.New(password)})
	}
	return users, nil
}
