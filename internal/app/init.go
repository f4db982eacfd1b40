package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/sessiongate/sessiongate/internal/discover"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/report"
)

// Exists says that a file is there and was not to be touched.
func Exists(file string) error {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("%s is there already: --force adds what it lacks and keeps what stands there", file)
}

// WriteRecipe writes what was found, over what the file has. variables are those
// of the users' passwords, in order.
func WriteRecipe(found Found, file string, variables []string) error {
	draft := recipe.Draft{Steps: recipe.Steps{}, Session: found.Recipe.Session, Unproven: found.Unproven, Notes: notes(found)}
	if target := found.Written.Target; target.Process == nil && target.Container == nil {
		draft.URL = target.URL.String()
	}
	for name, step := range found.Recipe.Steps {
		if !holdsSecret(step) { // one of the file's own, which stands there
			draft.Steps[name] = step
		}
	}
	for i, user := range found.Recipe.Users {
		made := recipe.DraftUser{Name: user.Name, Username: user.Username, Variable: environmentName(user.Name)}
		if i < len(variables) {
			made.Variable = variables[i]
		}
		draft.Users = append(draft.Users, made)
	}
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s cannot be read: %w", file, err)
	}
	text, err := draft.Over(file, old)
	if err != nil {
		return err
	}
	return renameio.WriteFile(file, text, 0o644)
}

func holdsSecret(step recipe.Step) bool {
	for _, request := range step.Requests {
		for _, pair := range append(append([]recipe.Pair{{Value: request.Path}, {Value: request.Body.Raw}}, request.Headers...), request.Body.Fields...) {
			for _, part := range pair.Value.Parts {
				if !part.Secret.IsZero() {
					return true
				}
			}
		}
	}
	return false
}

func environmentName(user string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(user))
	return "SESSIONGATE_" + name + "_PASSWORD"
}

// notes are the comments of the recipe, by step.
func notes(found Found) map[string]string {
	all := map[string]string{}
	var missing, session []string
	for _, one := range found.Discovered {
		switch {
		case one.Request == "":
			missing = append(missing, one.Step+": "+one.Note+"; "+one.Pin)
		case one.Step == "carrier":
			session = append(session, one.Request+", from "+one.From)
		case one.Step == discover.ChannelStep:
			session = append(session, one.Step+": "+one.Request+", from "+one.From+"; "+one.Note)
		default:
			all[one.Step] = strings.Trim("from "+one.From+": "+one.Note, " :")
			if one.From == "" {
				all[one.Step] = one.Note
			}
		}
	}
	all["missing"] = strings.Join(missing, "\n")
	if found.Calibration.Carrier != "" && !slices.ContainsFunc(found.Discovered, func(d report.Discovered) bool { return d.Step == "carrier" }) {
		session = append([]string{"found: " + found.Calibration.Carrier}, session...)
	}
	all["session"] = strings.Join(session, "\n")
	return all
}

// WorkflowFile is where GitHub looks for workflows.
const WorkflowFile = ".github/workflows/sessiongate.yml"

// HasWorkflow is the error where WriteWorkflow would not write one.
func HasWorkflow() error {
	if err := Exists(WorkflowFile); err != nil {
		return fmt.Errorf("%s is there already: remove it first, or leave --workflow out", WorkflowFile)
	}
	return nil
}

// WriteWorkflow writes a workflow that scans with the recipe on each push, and
// hands it what it takes from the environment. It never overwrites one.
func WriteWorkflow(config string) error {
	if err := HasWorkflow(); err != nil {
		return err
	}
	written, variables, err := variablesOf(config)
	if err != nil {
		return err
	}
	var page strings.Builder
	page.WriteString("# Written by sessiongate init.\n")
	if !written.Target.URL.IsZero() {
		page.WriteString("# The API has to be up before the scan: start it in a step, or write target.process into the recipe.\n")
	}
	fmt.Fprintf(&page, `name: sessiongate
on: [push, pull_request]
permissions:
  contents: read
  security-events: write
jobs:
  sessiongate:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: sessiongate/sessiongate@v1
        with:
          config: %q
`, inWorkspace("", config))
	if len(variables) > 0 {
		page.WriteString("        env:\n")
	}
	for _, name := range variables {
		fmt.Fprintf(&page, "          %s: ${{ secrets.%s }}\n", name, name)
	}
	if err := os.MkdirAll(filepath.Dir(WorkflowFile), 0o755); err != nil {
		return err
	}
	return renameio.WriteFile(WorkflowFile, []byte(page.String()), 0o644)
}

// variablesOf are the environment variables that a recipe reads, in its order.
func variablesOf(config string) (*recipe.Recipe, []string, error) {
	var names []string
	written, err := recipe.Load(config, func(name string) (string, bool) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		return "a-value", true
	})
	return written, names, err
}
