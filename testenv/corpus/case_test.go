package corpus_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"
)

// story is a case.yml: what is true of an application, whatever sessiongate says.
type story struct {
	Name string `yaml:"-"` // of the folder

	About      string
	Advisories []string // CVE or GHSA of the package at the version that the case pins
	Why        string
	Twin       string // the case that is the same but for the flaw
	Recipe     string // default recipe.yml; relative to the case's folder
	Hardened   bool   // nothing above low may be found
	// Expect are the rules that must fail. Each is proved over plain HTTP first.
	Expect []string
	// Unproved says, for an expected rule, why plain HTTP cannot show it.
	Unproved map[string]string
	// Tolerate are true findings above low that are not the point of the case.
	Tolerate map[string]string
	// Known are faults of sessiongate that this case shows.
	Known map[string]string
	// Predict is how the next id is computed: counter, milliseconds, md5, mersenne, xid.
	Predict string
	// Key is the secret that everybody knows, with which cookies are signed.
	Key string

	plain recipe
}

// recipe is what the proof needs of a recipe.yml, read without sessiongate.
type recipe struct {
	Target struct {
		Process struct {
			Command     []string
			Directory   string
			Environment map[string]string
		}
		Ready string
	}
	Database *struct {
		Schema, Seed string
	}
	Users []struct {
		Name, Username, Password string
	}
	Steps   map[string]step
	Session map[string]string
}

// step is one request, or a list of them.
type step []request

type request struct {
	Request         string
	JSON            any `yaml:"json"`
	Form, Multipart map[string]string
	Headers, Query  map[string]string
	Follow          bool
	Capture         map[string]map[string]string
	Then            step
	Expect          any
	Source          string
}

func (s *step) UnmarshalYAML(data []byte) error {
	var many []request
	if yaml.Unmarshal(data, &many) == nil {
		*s = many
		return nil
	}
	var one request
	if err := yaml.Unmarshal(data, &one); err != nil {
		return err
	}
	*s = step{one}
	return nil
}

func (r *request) UnmarshalYAML(data []byte) error {
	var line string
	if yaml.Unmarshal(data, &line) == nil {
		r.Request = line
		return nil
	}
	type plain request // without this method
	return yaml.UnmarshalWithOptions(data, (*plain)(r), yaml.DisallowUnknownField())
}

func stories(t *testing.T) []*story {
	t.Helper()
	files, err := filepath.Glob("*/case.yml")
	if err != nil {
		t.Fatal(err)
	}
	var all []*story
	for _, file := range files {
		s, err := read(file)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, s)
	}
	return all
}

func read(file string) (*story, error) {
	s := &story{Name: filepath.Dir(file)}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if err := yaml.UnmarshalWithOptions(data, s, yaml.DisallowUnknownField()); err != nil {
		return nil, err
	}
	if s.Recipe == "" {
		s.Recipe = "recipe.yml"
	}
	s.Recipe = filepath.Join(s.Name, s.Recipe)
	if data, err = os.ReadFile(s.Recipe); err != nil {
		return nil, err
	}
	if err := yaml.Unmarshal(data, &s.plain); err != nil {
		return nil, err
	}
	return s, s.check()
}

func (s *story) check() error {
	switch {
	case s.About == "" || s.Why == "":
		return fmt.Errorf("about and why are wanted")
	case s.Hardened == (len(s.Expect) > 0):
		return fmt.Errorf("a case is hardened or expects something")
	case s.Hardened && len(s.Tolerate) > 0:
		return fmt.Errorf("nothing is tolerated of a hardened case")
	case len(s.plain.Users) == 0 || s.plain.Steps["login"] == nil || s.plain.Steps["identity"] == nil:
		return fmt.Errorf("the recipe names no user, no login or no identity step")
	}
	return nil
}

// folder is where the recipe's paths start.
func (s *story) folder() string { return filepath.Dir(s.Recipe) }

// kind is the word for RESULTS.md.
func (s *story) kind() string {
	switch {
	case !s.Hardened:
		return "vulnerable"
	case s.Twin != "":
		return "fixed"
	}
	return "hardened"
}

// rules are all that the case speaks of.
func (s *story) rules() []string {
	named := slices.Clone(s.Expect)
	for _, some := range []map[string]string{s.Tolerate, s.Known, s.Unproved} {
		named = slices.AppendSeq(named, maps.Keys(some))
	}
	return named
}
