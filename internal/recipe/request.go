package recipe

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/ohler55/ojg/jp"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// StepNames are the steps a recipe may describe, in the order a browser takes
// them. Beside those of the contract: recover begins a public flow that takes a
// user's name and no secret, callback ends a login at an identity provider (its
// last request is the callback), state-change is a request that a CSRF token
// guards, slow is one that takes a while.
var StepNames = []string{"register", "visit", "recover", "callback", "login", "identity", "state-change", "slow", "logout", "logout-everywhere",
	"elevate", "change-password", "delete-account"}

// Builtin are the values every request may use without a capture. basic are the
// user's credentials as HTTP Basic has them (RFC 7617), behind the word "Basic ".
var Builtin = []string{"username", "password", "basic", "new_password", "random", "session_id"}

// Steps are the described steps by name.
type Steps map[string]Step

// Names are the described steps in the order of StepNames, then any others.
func (s Steps) Names() []string {
	names := slices.Sorted(maps.Keys(s))
	rank := func(name string) int {
		if at := slices.Index(StepNames, name); at >= 0 {
			return at
		}
		return len(StepNames)
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	return names
}

// Step is what one browser does in one go.
type Step struct {
	Name     string
	Requests []Request // in order, at least one
	Then     []Request // of elevate only: what is open afterwards
	Source   Source    // of the last request that names one
	Pos      Pos
}

// Request is one HTTP request, and what to do with its answer.
type Request struct {
	Method  string
	Path    Template // begins with "/"; may hold a query string
	Query   []Pair
	Headers []Pair
	Body    Body
	Expect  []int // empty: any status
	Follow  bool  // redirects, each hop recorded
	Capture []Capture
	Source  Source
	Pos     Pos
}

// BodyKind says which field of a Body is meant.
type BodyKind int

// The kinds of bodies.
const (
	NoBody BodyKind = iota
	JSONBody
	FormBody
	MultipartBody
	RawBody
)

// Body is what a request carries. The zero value is none.
type Body struct {
	Kind BodyKind
	// JSON is a tree of map[string]any, []any, Template, int64, float64, bool
	// and nil.
	JSON   any
	Fields []Pair // form and multipart
	Raw    Template
}

// Capture takes a value from an answer. One of HTML, JSON, Cookie and Header
// is set, or none and then Regex is.
type Capture struct {
	Name    string
	HTML    string // selector
	JSON    string // path
	Cookie  string
	Header  string
	Regex   string         // beside another source it narrows what that gave
	Pattern *regexp.Regexp // Regex compiled; nil without one
	Pos     Pos
}

// Source is the handler of a request in the repository. Line 0 is unknown.
type Source struct {
	File string
	Line int
}

// Auto is the carrier that discovery finds.
const Auto = "auto"

// Session says where a session id travels. One form is set, or none and
// Carrier is "auto"; Carrier names the form: cookie, header, bearer, query, path.
type Session struct {
	Carrier string
	Cookie  []string
	Header  string
	Value   Template // of the header; zero: the bare id
	Bearer  Template
	Query   string
	Path    Template
	Pos     Pos
}

// ParseRequestLine reads "POST /login", as flags give it. Placeholders are
// read; environment variables are the shell's business and refused.
func ParseRequestLine(line string) (Request, error) {
	method, target, err := splitRequest(line)
	if err != nil {
		return Request{}, fmt.Errorf("request %q: %w", cut(line), err)
	}
	path, flaws := interpolation{text: target, placeholders: true, variable: shellOnly}.run()
	if len(flaws) > 0 {
		return Request{}, fmt.Errorf("request %q: %s", cut(line), flaws[0].problem)
	}
	if problem := pathProblem(path); problem != "" {
		return Request{}, fmt.Errorf("request %q: %s", cut(line), problem)
	}
	return Request{Method: method, Path: path}, nil
}

// JSONCapture takes the value at a JSON path, as --carrier bearer:PATH gives it.
func JSONCapture(name, path string) (Capture, error) {
	if _, err := jp.ParseString(path); err != nil || path == "" {
		return Capture{}, fmt.Errorf("%q is not a JSON path; write it like $.access_token", cut(path))
	}
	return Capture{Name: name, JSON: path}, nil
}

func shellOnly(string) (secret.Text, string) {
	return secret.Text{}, "${NAME} is read in the recipe file only"
}

// tokenForm is RFC 9110 section 5.6.2: what a method or a header name is made of.
var tokenForm = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

func splitRequest(line string) (method, target string, err error) {
	method, target, found := strings.Cut(strings.TrimSpace(line), " ")
	target = strings.TrimLeft(target, " ")
	switch {
	case !found && strings.HasPrefix(method, "/"):
		return "", "", errors.New("the method is missing: write it before the path, as in POST /login")
	case !found:
		return "", "", errors.New("expected a method and a path, as in POST /login")
	case !tokenForm.MatchString(method):
		return "", "", fmt.Errorf("%q is not an HTTP method", cut(method))
	case method != strings.ToUpper(method):
		// Methods are case-sensitive (RFC 9110 section 9.1): "post" would reach no handler.
		return "", "", fmt.Errorf("the method %q must be written %q", cut(method), cut(strings.ToUpper(method)))
	}
	return method, target, nil
}

func pathProblem(path Template) string {
	start := path.start()
	lower := strings.ToLower(start)
	switch {
	case strings.HasPrefix(lower, "http://"), strings.HasPrefix(lower, "https://"), strings.HasPrefix(lower, "//"):
		return "expected a path, found an address: the target's URL is given elsewhere, so write only what follows the host, as in POST /login"
	case !strings.HasPrefix(start, "/") && !path.startsWithName():
		return "a path begins with / or with a {{name}}"
	}
	for _, part := range path.Parts {
		if strings.ContainsFunc(part.value(), isBlank) {
			return "a path holds no spaces or control characters: write %20 for a space"
		}
		if strings.Contains(part.Text, "#") {
			return "a path holds no #: what follows it is never sent to a server"
		}
	}
	return ""
}

func isBlank(r rune) bool { return r <= ' ' || r == 0x7f }

// cut keeps a quoted word short enough for a sentence.
func cut(text string) string {
	const most = 40
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	return string(runes[:most-1]) + "…"
}
