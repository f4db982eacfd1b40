package recipe

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// Load reads the recipe at path. See Parse.
func Load(path string, getenv func(string) (string, bool)) (*Recipe, error) {
	data, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no recipe at %s: write one with \"sessiongate init\", or name another with --config: %w", path, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("the recipe %s cannot be read: %w", path, err)
	}
	return Parse(path, data, getenv)
}

// DefaultFile is the recipe that is read when it is there and no other is named.
const DefaultFile = ".sessiongate.yml"

// LoadOr loads the recipe at path or, where none is named, DefaultFile; New if
// there is none.
func LoadOr(path string, getenv func(string) (string, bool)) (*Recipe, error) {
	if path == "" {
		if _, err := os.Stat(DefaultFile); err != nil {
			return New(), nil
		}
		path = DefaultFile
	}
	return Load(path, getenv)
}

func read(path string) ([]byte, error) {
	// Opening a pipe or a terminal would wait for someone to write.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return io.ReadAll(io.LimitReader(file, mostBytes+1))
}

// Parse reads a recipe. The file is named in errors and is where relative paths
// start; getenv is asked for every ${NAME}. Problems come as *Error, joined, at
// most twenty. What only the whole can show, such as a missing target, is for
// Validate, since flags may still fill it.
func Parse(file string, data []byte, getenv func(string) (string, bool)) (*Recipe, error) {
	r := &reader{file: file, getenv: getenv, recipe: New()}
	if node := r.document(data); node != nil {
		r.top(entry{name: "the recipe", at: r.place(1, 1), node: node})
		r.checkNames()
	}
	if len(r.problems) > 0 {
		return nil, join(r.problems, r.lines)
	}
	r.recipe.File, r.recipe.lines = file, r.lines
	return r.recipe, nil
}

// reader turns nodes into a Recipe and collects what is wrong with them.
type reader struct {
	file     string
	lines    []string
	getenv   func(string) (string, bool)
	recipe   *Recipe
	problems []*Error
	used     []use // placeholders
	captured []string
}

type use struct {
	name string
	in   entry
}

// entry is a value of the file with what a sentence calls it.
type entry struct {
	name string
	at   Pos // of its key
	node ast.Node
}

func (r *reader) fault(at Pos, format string, args ...any) *Error {
	problem := &Error{Pos: at, Problem: fmt.Sprintf(format, args...)}
	r.problems = append(r.problems, problem)
	return problem
}

// variable reads the environment; what it gives is a secret from here on.
func (r *reader) variable(name string) (secret.Text, string) {
	if r.getenv == nil {
		return secret.Text{}, "environment variable " + name + " is not set"
	}
	value, set := r.getenv(name)
	if !set {
		return secret.Text{}, "environment variable " + name + " is not set"
	}
	// CI hands an empty value to workflows that may not see the secret, and an
	// empty password would look like a broken login much later.
	if value == "" {
		return secret.Text{}, "environment variable " + name + " is empty"
	}
	return r.keep(value), ""
}

func (r *reader) keep(value string) secret.Text {
	text := secret.New(value)
	if value != "" && !slices.Contains(r.recipe.Secrets, text) {
		r.recipe.Secrets = append(r.recipe.Secrets, text)
	}
	return text
}

// checkNames finds placeholders that nothing will fill. It stays silent while
// discovery may still bring a login with captures of its own.
func (r *reader) checkNames() {
	if _, described := r.recipe.Steps["login"]; !described {
		return
	}
	known := append(slices.Clone(Builtin), r.captured...)
	for _, use := range r.used {
		if len(r.problems) >= most {
			return
		}
		if slices.Contains(known, use.name) {
			continue
		}
		at := r.find(use.in, "{{", use.name)
		r.fault(at, "{{%s}} is neither a built-in value nor captured by a step", cut(use.name)).Hint = Nearest(use.name, known)
	}
}
