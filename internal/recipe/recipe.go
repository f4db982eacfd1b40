// Package recipe reads .sessiongate.yml: YAML text becomes a Recipe, or a list
// of problems that each name the file, line and column. It describes a target
// and never acts: what is run, sent or judged is decided elsewhere.
package recipe

import (
	"path/filepath"
	"time"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// Recipe is what a user says of the API under test. New gives one with the
// defaults; the zero value is not valid.
type Recipe struct {
	File          string // as it was given; empty when there is no file
	Version       int
	Target        Target
	Database      *Database // nil: black box only
	Users         []User
	Steps         Steps
	Session       Session
	Policy        Policy
	NotApplicable []NotApplicable
	Accepted      []Accepted
	Gate          Gate
	// Secrets are every value read from the environment, every password and
	// the DSN: what a redactor has to know.
	Secrets []secret.Text

	lines []string // of the file, for errors that are found later
}

// New is the recipe of someone who wrote none.
func New() *Recipe {
	return &Recipe{
		Version: 1,
		Steps:   Steps{},
		Session: Session{Carrier: Auto},
		Gate:    Gate{FailUnder: 70, FailOn: "any"},
	}
}

// Folder is where the recipe file lies, and "." without one. Relative paths in
// a recipe start there.
func (r *Recipe) Folder() string {
	if r.File == "" {
		return "."
	}
	return filepath.Dir(r.File)
}

// Path resolves a path of the recipe against its folder. An empty name stays empty.
func (r *Recipe) Path(name string) string { return resolve(r.Folder(), name) }

func resolve(folder, name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(folder, filepath.FromSlash(name))
}

// ErrorAt is a problem of the recipe that only a later room can see, such as a
// rule that does not exist, shown like those of Parse.
func (r *Recipe) ErrorAt(at Pos, problem string) *Error {
	return (&Error{Pos: at, Problem: problem}).in(r.lines)
}

// Target is the API: a URL, a process or a container.
type Target struct {
	URL       Template
	Process   *Process
	Container *Container
	// Ready is asked until the API answers. Without a Method any answer to
	// GET / will do.
	Ready        Request
	StartTimeout time.Duration // zero: what fits the kind of target
	Pos          Pos
}

// Process is an API started on this machine.
type Process struct {
	// Command may hold the placeholder PORT, which the gate chooses.
	Command     []Template
	Directory   string // as written, relative to the recipe's folder
	Environment []Pair // values may hold the placeholder PORT
	Pos         Pos

	folder string
}

// Dir is the working directory: Directory seen from the recipe's folder.
func (p *Process) Dir() string {
	folder := p.folder
	if folder == "" {
		folder = "."
	}
	if p.Directory == "" {
		return folder
	}
	return resolve(folder, p.Directory)
}

// Container is an API started from an image, or from one built for it.
type Container struct {
	Image       string
	Build       *Build
	Command     []string // empty: the image's own
	Directory   string   // absolute, inside the container; empty: the image's own, or the one mount's
	Port        int      // the API's inside the container; 0: the image's only one, or 8000
	Mount       []Mount
	Environment []Pair
	Pos         Pos
}

// Build is how the image is made; both paths are relative to the recipe's folder.
type Build struct {
	Context    string // default "."
	Dockerfile string // default "Dockerfile", relative to the context
}

// Mount shows a path of the repository inside the container.
type Mount struct {
	Source string // relative to the recipe's folder, or absolute
	Target string // absolute, inside the container
	Pos    Pos
}

// Pair is a named value whose order in the file is kept.
type Pair struct {
	Name  string
	Value Template
	Pos   Pos
}

// Database is the session store: a URL, or one that lives for this run.
type Database struct {
	URL                 secret.Text
	Ephemeral           string   // cockroachdb, postgres or empty
	Version             string   // of the ephemeral one; empty: the gate's choice
	EnvironmentVariable []string // how the API receives its DSN
	Schema              string   // SQL file run before the API starts
	Seed                string   // SQL file run after the schema
	Table               string   // empty: discovery decides
	Pos                 Pos
}

// User is an account of the API.
type User struct {
	Name     string      // how reports call it
	Username string      // what it logs in with; default Name
	Password secret.Text // zero: it has none
	Pos      Pos
}

// Policy is what the API promises. Zero values promise nothing.
type Policy struct {
	IdleTimeout     time.Duration
	AbsoluteTimeout time.Duration
	MaxSessions     int
}

// NotApplicable declares that a rule has nothing to say about this API.
type NotApplicable struct {
	Rule   string
	Reason string
	Pos    Pos
}

// Accepted declares that a finding is known and lived with.
type Accepted struct {
	Rule   string
	Reason string
	Until  time.Time // midnight UTC of the last day; zero: no end
	Pos    Pos
}

// Gate is what blocks.
type Gate struct {
	FailUnder int    // 0 to 100, default 70
	FailOn    string // any (default) or new
	Baseline  string // JSON file, relative to the recipe's folder
	Pos       Pos
}
