package mcpserver

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// environment is what a client may read of the server's own, by name. What is
// read is sent to a target that an assistant may have been talked into.
type environment struct {
	getenv  func(string) (string, bool)
	allowed []string // no others; empty: all but the machine's
}

// machines are how the names begin of what a runner, a cloud or a tool keeps
// there for itself.
var machines = []string{"ACTIONS_", "GITHUB_", "INPUT_", "AWS_", "AZURE_", "GOOGLE_", "SSH_", "NPM_"}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func newEnvironment(getenv func(string) (string, bool), allowed []string) (environment, error) {
	for _, name := range allowed {
		if !variableName.MatchString(name) { // it may be a value
			return environment{}, errors.New("--allow-env: write the name of an environment variable, without its value")
		}
	}
	return environment{getenv, allowed}, nil
}

func (e environment) allows(name string) bool {
	if len(e.allowed) > 0 {
		return slices.Contains(e.allowed, name)
	}
	return !slices.ContainsFunc(machines, func(prefix string) bool { return strings.HasPrefix(strings.ToUpper(name), prefix) })
}

// value is that of a variable which may be read, is set and is not empty.
func (e environment) value(name string) (string, bool) {
	if e.getenv == nil || !variableName.MatchString(name) || !e.allows(name) {
		return "", false
	}
	value, set := e.getenv(name)
	return value, set && value != ""
}

// watched is the lookup for a recipe, and what it must not have asked for.
func (e environment) watched() (getenv func(string) (string, bool), refused func() error) {
	if e.getenv == nil {
		return nil, func() error { return nil }
	}
	var names []string
	getenv = func(name string) (string, bool) {
		if !e.allows(name) {
			names = append(names, name)
			return "", false
		}
		return e.getenv(name)
	}
	refused = func() error {
		if len(names) == 0 {
			return nil
		}
		return fmt.Errorf("config: the recipe reads ${%s}, which this server may not: the user can add --allow-env %[1]s to its command, and one for each other variable", cut(names[0]))
	}
	return getenv, refused
}
