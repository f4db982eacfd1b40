package action

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sessiongate/sessiongate/internal/app"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/secret"
)

// inputs are those of the step, as action.yml declares them.
type inputs struct {
	recipe            *recipe.Recipe
	deep              bool
	allowInconclusive bool
	ownDatabase       bool
	upload            string // auto, always, never
	category          string
	files             []app.Output // sarif, json, html
	token             secret.Text
}

// The modes of upload-sarif.
const (
	uploadAuto   = "auto"
	uploadAlways = "always"
	uploadNever  = "never"
)

// given reads an input. The runner exports "fail-under" as INPUT_FAIL-UNDER
// (Handler.cs), which no shell can read and Go can.
func given(getenv func(string) string, name string) string {
	return strings.TrimSpace(getenv("INPUT_" + strings.ToUpper(name)))
}

// readInputs is the recipe with the inputs over it. Its error is the user's.
func readInputs(getenv func(string) string) (inputs, error) {
	get := func(name string) string { return given(getenv, name) }
	in := inputs{category: get("category"), token: secret.New(get("token"))}
	var err error
	if in.deep, err = choice(get, "profile", "core", "deep"); err != nil {
		return in, err
	}
	if in.allowInconclusive, err = choice(get, "allow-inconclusive", "false", "true"); err != nil {
		return in, err
	}
	if in.ownDatabase, err = choice(get, "own-database", "false", "true"); err != nil {
		return in, err
	}
	in.upload = get("upload-sarif")
	if in.upload == "" {
		in.upload = uploadAuto
	}
	if !slices.Contains([]string{uploadAuto, uploadAlways, uploadNever}, in.upload) {
		return in, fmt.Errorf("input upload-sarif %q: write auto, always or never", in.upload)
	}
	for _, file := range []struct{ format, input, usual string }{
		{"sarif", "sarif-file", "sessiongate.sarif"}, {"json", "", "sessiongate.json"}, {"html", "html-file", "sessiongate.html"},
	} {
		name := file.usual
		if file.input != "" && get(file.input) != "" {
			name = get(file.input)
		}
		if err := inWorkspace(name); err != nil {
			return in, fmt.Errorf("input %s: %w", file.input, err)
		}
		in.files = append(in.files, app.Output{Format: file.format, File: name, Category: in.category})
	}
	environment := lookup(getenv)
	ours := func(name string) (string, bool) {
		if strings.HasPrefix(name, "INPUT_") || strings.HasPrefix(name, "ACTIONS_") {
			return "", false // the token and the runner's own
		}
		return environment(name)
	}
	if in.recipe, err = recipe.LoadOr(get("config"), ours); err != nil {
		return in, err
	}
	over, err := overOf(get, in.recipe)
	if err != nil {
		return in, err
	}
	return in, in.recipe.Apply(over)
}

// lookup is getenv for whoever tells an empty variable from none.
func lookup(getenv func(string) string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value := getenv(name)
		return value, value != ""
	}
}

// choice reads an input of two words; true is the second.
func choice(get func(string) string, name, no, yes string) (bool, error) {
	switch get(name) {
	case "", no:
		return false, nil
	case yes:
		return true, nil
	}
	return false, fmt.Errorf("input %s %q: write %s or %s", name, get(name), no, yes)
}

func overOf(get func(string) string, r *recipe.Recipe) (recipe.Over, error) {
	over := recipe.Over{
		Named: func(field string) string { return "input " + field },
		URL:   get("url"), Login: get("login"), Identity: get("identity"), Logout: get("logout"),
		FailOn: get("fail-on"), Baseline: get("baseline"),
		Database: recipe.DatabaseOver{URL: secret.New(get("database-url")), Ephemeral: get("ephemeral-database"), Schema: get("schema"), Seed: get("seed")},
	}
	var err error
	if over.Container, err = container(get); err != nil {
		return over, err
	}
	if over.URL != "" && over.Container != nil {
		return over, fmt.Errorf("inputs url and %s: the API is either given or started", started(get))
	}
	switch {
	case over.Database.Ephemeral == "none":
		over.Database.Ephemeral, r.Database = "", nil
	case over.Container != nil && r.Database == nil && over.Database.URL.IsZero() && over.Database.Ephemeral == "":
		over.Database.Ephemeral = "cockroachdb"
	}
	if words := get("fail-under"); words != "" {
		number, err := strconv.Atoi(words)
		if err != nil {
			return over, fmt.Errorf("input fail-under %q: write a number of 0 to 100", words)
		}
		over.FailUnder = &number
	}
	over.Users, err = users(get("users"))
	return over, err
}

// users reads lines of name=password. A password may hold any character but a
// line break.
func users(lines string) ([]recipe.User, error) {
	var all []recipe.User
	for line := range strings.Lines(lines) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" {
			continue
		}
		name, password, found := strings.Cut(strings.TrimLeft(line, " \t"), "=")
		if name = strings.TrimSpace(name); !found || name == "" {
			return nil, fmt.Errorf("input users: line %d is not name=password", len(all)+1) // the line may be a secret
		}
		if password == "" {
			return nil, fmt.Errorf("input users: the password of user %d is empty; a secret is empty where the workflow may not read it, as on pull requests from forks", len(all)+1)
		}
		all = append(all, recipe.User{Name: name, Username: name, Password: secret.New(password)})
	}
	return all, nil
}

// mounted is where the workspace lies in a container that runs a command in it.
const mounted = "/workspace"

func started(get func(string) string) string {
	for _, name := range []string{"image", "context", "dockerfile"} {
		if get(name) != "" {
			return name
		}
	}
	return ""
}

// container is the API that the inputs have started; nil if they start none.
func container(get func(string) string) (*recipe.Container, error) {
	if started(get) == "" {
		for _, name := range []string{"command", "port", "environment"} {
			if get(name) != "" {
				return nil, fmt.Errorf("input %s is about a container that is started here: say which with input image or context", name)
			}
		}
		return nil, nil
	}
	c := &recipe.Container{Image: get("image")}
	if c.Image == "" {
		c.Build = &recipe.Build{Context: get("context"), Dockerfile: get("dockerfile")}
	} else if get("context") != "" || get("dockerfile") != "" {
		return nil, fmt.Errorf("inputs image and context: the image is either named or built")
	}
	if line := get("command"); line != "" {
		c.Command = []string{"sh", "-c", line}
		if c.Image != "" {
			c.Mount = []recipe.Mount{{Source: ".", Target: mounted}}
		}
	}
	if words := get("port"); words != "" {
		number, err := strconv.Atoi(words)
		if err != nil || number < 1 || number > 65535 {
			return nil, fmt.Errorf("input port %q: write a number of 1 to 65535", words)
		}
		c.Port = number
	}
	for line := range strings.Lines(get("environment")) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		name, value, found := strings.Cut(line, "=")
		if !found || !variable.MatchString(name) {
			return nil, fmt.Errorf("input environment: line %d is not NAME=value", len(c.Environment)+1)
		}
		c.Environment = append(c.Environment, recipe.Pair{Name: name, Value: recipe.Literal(value)})
	}
	return c, nil
}

var (
	variable  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	sensitive = regexp.MustCompile(`(?i)(secret|token|passw|key|credential|dsn)`)
)

// secrets are the values that must not be shown: passwords, the DSN, and of the
// container's environment those that are named like a secret. The token is
// masked by GitHub, and here in case it is another one.
func (in inputs) secrets() []secret.Text {
	all := append(slices.Clone(in.recipe.Secrets), in.token)
	if c := in.recipe.Target.Container; c != nil {
		for _, pair := range c.Environment {
			if sensitive.MatchString(pair.Name) {
				if value, err := pair.Value.Expand(func(string) (secret.Text, bool) { return secret.Text{}, false }); err == nil {
					all = append(all, value)
				}
			}
		}
	}
	return all
}
