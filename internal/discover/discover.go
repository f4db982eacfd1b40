// Package discover fills a recipe: it reads what the API says of itself, ranks
// what it read, and settles by a few harmless requests what reading cannot. It
// judges nothing; calibration checks what it found like any other recipe.
package discover

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// World opens stages, and reads documents that anybody may read.
type World interface {
	Open(Trial) Stage
	// Fetch reads what stands at a path below the base.
	Fetch(ctx context.Context, path string, most Limit) (Document, error)
}

// Trial is what the browsers of one stage know. Steps have any name here.
type Trial struct {
	Steps   recipe.Steps
	Users   []recipe.User
	Session recipe.Session
	Most    int // requests; what would be one more is refused with probe.ErrSpent
}

// Limit is what one Fetch may cost at most.
type Limit struct {
	Bytes    int64
	Requests int // redirects are some, too
}

// Stage is a probe.Stage whose record can be read.
type Stage interface {
	probe.Stage
	Exchanges() []trace.Exchange
	Close()
}

// Document is an answer to Fetch.
type Document struct {
	Status           int
	Path             string // after redirects, below the base
	Type             string // the media type, in lower case
	Body             []byte
	Cookies, Headers []string // names
	Requests         int      // that were sent for it, also for one that failed
}

func (d Document) isHTML() bool { return strings.Contains(d.Type, "html") }

// csrfCookie is the name of a cookie that holds a CSRF token, by its name.
func (d Document) csrfCookie() string { return firstCSRF(d.Cookies) }

// Options of a discovery.
type Options struct {
	Base   *url.URL
	World  World
	Recipe *recipe.Recipe // what the user wrote; it is kept, and not changed
	// Password draws one that nobody has, for users that are registered.
	Password func() secret.Text
}

// Result is what was found. Steps, Session and Users are those that the recipe
// lacks.
type Result struct {
	Steps   recipe.Steps
	Session *recipe.Session // nil: cookies, which calibration finds by trying
	Users   []recipe.User
	// Unproven steps were read, and are not to be used: what they do was not
	// shown, or they change an account. Found says which it is.
	Unproven recipe.Steps
	// Pages are the steps of those that a stranger was shown or may open, and Open
	// says what is known of each.
	Pages recipe.Steps
	Open  []trace.Page
	// Described is what the description says that was read, if any was.
	Described Described
	// Channels are places beside the carrier where the description has a session
	// id, those of logins first.
	Channels []Channel
	Found    []Found   // in the order of the steps, the channels last
	Missing  []Missing // what the scan will have to do without
	Requests int
	Logins   int
}

// Found says where a step comes from.
type Found struct {
	Step, Request string
	From          string // "openapi.json operationId login_login_post"
	Note          string // how it was settled; may be empty
}

func (f Found) String() string {
	text := f.Step + ": " + f.Request
	if f.From != "" {
		text += ", from " + f.From
	}
	if f.Note != "" {
		text += " (" + f.Note + ")"
	}
	return text
}

// Missing is a step that was not found, and how to add it.
type Missing struct{ Step, Why, Remedy string }

func (m Missing) String() string { return m.Step + ": " + m.Why + "; " + m.Remedy }

const (
	budget     = 40 // requests
	mostKnocks = 12 // logins, after which no trial is begun
	longest    = 60 * time.Second
)

// Run discovers. It never fails: what could not be found is in Missing.
func Run(ctx context.Context, options Options) Result {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	s := &search{Options: options, users: options.Recipe.Users,
		result: Result{Steps: recipe.Steps{}, Unproven: recipe.Steps{}, Pages: recipe.Steps{}}, schemes: map[string]scheme{}, asked: map[string]*trace.Response{}, tried: map[string]bool{}, unfit: map[string]bool{}, shut: map[string]bool{}}
	for _, learn := range []func(context.Context){s.descriptions, s.pages, s.conventions} {
		if s.complete() || s.over(ctx) {
			break
		}
		learn(ctx)
		s.settle(ctx)
	}
	s.supposeLogin()
	s.findVisit(ctx)
	s.openPages()
	s.account(ctx)
	s.channels()
	s.complain(ctx)
	order := func(f Found) int {
		if f.Step == ChannelStep {
			return len(recipe.StepNames)
		}
		return slices.Index(recipe.StepNames, f.Step)
	}
	slices.SortStableFunc(s.result.Found, func(a, b Found) int { return order(a) - order(b) })
	return s.result
}

// search is one discovery in progress.
type search struct {
	Options
	users      []recipe.User
	operations []operation
	schemes    map[string]scheme
	front      Document                   // the answer to GET /
	read       bool                       // front was asked for
	entry      Document                   // the page of the login form, or the zero document
	limited    bool                       // the API answered 429
	tried      map[string]bool            // logins that did not sign in
	refusals   []string                   // why they were refused, for the user
	problems   []string                   // of descriptions
	asked      map[string]*trace.Response // what strangers get at an identity path; nil: no answer
	unfit      map[string]bool            // identity paths that do not tell users apart
	shut       map[string]bool            // those that refuse a user who has signed in
	tokens     []csrf                     // where CSRF tokens come from; nil before they were looked for
	answer     trace.Response             // of the login that worked last
	supposed   *way                       // the first login that was not refused and handed something out
	careless   bool                       // a login took a wrong password
	knocks     int                        // logins that are there, whatever they answered
	enrolled   bool                       // users were registered, or it was tried
	result     Result
}

// left are the requests that may still be sent.
func (s *search) left() int { return max(0, budget-s.result.Requests) }

func (s *search) spent() bool { return s.left() == 0 || s.limited }

// knocked reports whether accounts would be locked by more logins.
func (s *search) knocked() bool { return s.knocks >= mostKnocks }

func (s *search) over(ctx context.Context) bool { return s.spent() || ctx.Err() != nil }

// has reports whether a step is there, written or found.
func (s *search) has(step purpose) bool {
	_, written := s.Recipe.Steps[string(step)]
	_, found := s.result.Steps[string(step)]
	return written || found
}

func (s *search) complete() bool { return s.has(forLogin) && s.has(forIdentity) && s.has(forLogout) }

func (s *search) get(ctx context.Context, path string) (Document, error) {
	answer, err := s.World.Fetch(ctx, path, Limit{Bytes: mostSpec, Requests: s.left()})
	s.result.Requests += answer.Requests
	s.limited = s.limited || answer.Status == tooMany
	return answer, err
}

// learned adds operations that are not known yet. What is described wins over
// what is guessed.
func (s *search) learned(operations ...operation) {
	for _, op := range operations {
		if !slices.ContainsFunc(s.operations, func(known operation) bool { return known.line() == op.line() && (known.page != "" || op.page == "") }) {
			s.operations = append(s.operations, op)
		}
	}
}

// descriptions looks for one: where the API serves it, then in the repository.
func (s *search) descriptions(ctx context.Context) {
	if s.served(ctx, specPaths[0]) {
		return
	}
	for _, name := range specFiles {
		if data := readFile(s.Recipe.Folder(), name); data != nil && s.describes(name, name, data) {
			return
		}
	}
	for _, path := range specPaths[1:] {
		if s.served(ctx, path) {
			return
		}
	}
	for _, path := range docPaths {
		if s.over(ctx) {
			return
		}
		answer, err := s.get(ctx, path)
		if err != nil || answer.Status != 200 || !answer.isHTML() {
			continue
		}
		for _, address := range readPage(s.Base, answer.Path, answer.Body).specs {
			if s.served(ctx, address) {
				return
			}
		}
	}
}

func (s *search) served(ctx context.Context, path string) bool {
	if s.over(ctx) {
		return false
	}
	answer, err := s.get(ctx, path)
	name := strings.TrimPrefix(path, "/")
	if err != nil {
		s.problems = append(s.problems, fmt.Sprintf("%s: %v", name, err))
		return false
	}
	if answer.Status != 200 || answer.isHTML() && strings.HasPrefix(strings.TrimSpace(string(answer.Body[:min(64, len(answer.Body))])), "<") {
		return false
	}
	return s.describes(name, "", answer.Body)
}

// describes learns from a description; file is "" where the API served it.
func (s *search) describes(name, file string, data []byte) bool {
	made, err := describe(name, data)
	if err != nil {
		s.problems = append(s.problems, err.Error())
		return false
	}
	s.learned(made.operations...)
	s.result.Described = made.byRequest(file)
	for name, scheme := range made.schemes {
		s.schemes[name] = scheme
	}
	return true
}

// mostPages bounds the walk from /.
const mostPages = 6

// pages reads forms and links from / on, where their names promise something.
func (s *search) pages(ctx context.Context) {
	queue := []string{"/", "/login"}
	seen := map[string]bool{}
	for i := 0; i < len(queue) && len(seen) < mostPages && !s.over(ctx); i++ {
		path := queue[i]
		if seen[path] {
			continue
		}
		seen[path] = true
		answer, err := s.getPage(ctx, path)
		if err != nil || answer.Status >= 400 || !answer.isHTML() {
			continue
		}
		s.shown(path)
		found := readPage(s.Base, answer.Path, answer.Body)
		s.learned(found.forms...)
		if slices.ContainsFunc(found.forms, func(o operation) bool { return isLogin(o) > 0 }) {
			s.entry = answer
		}
		for _, link := range found.links {
			op := operation{method: "GET", path: link, words: words(link), from: "the link on " + path}
			s.learned(op)
			if op.says(loginWords...) || op.says(registerWords...) {
				queue = append(queue, link)
			}
		}
	}
}

func (s *search) shown(path string) { s.opens(operation{method: "GET", path: path}, trace.Page{}) }

// getPage asks for / once only.
func (s *search) getPage(ctx context.Context, path string) (Document, error) {
	if path != "/" {
		return s.get(ctx, path)
	}
	if s.read {
		return s.front, nil
	}
	answer, err := s.get(ctx, path)
	s.front, s.read = answer, true
	return answer, err
}

func (s *search) conventions(context.Context) { s.learned(conventions()...) }

// findVisit is what an anonymous visitor asks first: the page that hands out a
// cookie, else /.
func (s *search) findVisit(ctx context.Context) {
	if s.has(forVisit) || s.limited || ctx.Err() != nil {
		return
	}
	if !s.read && !s.spent() {
		_, _ = s.getPage(ctx, "/")
	}
	path, note := "/", "it answers a stranger"
	switch {
	case s.front.Status > 0 && s.front.Status < 400 && (len(s.front.Cookies) > 0 || len(s.entry.Cookies) == 0):
		if len(s.front.Cookies) > 0 {
			note = "it sets a cookie for a stranger"
		}
	case len(s.entry.Cookies) > 0:
		path, note = s.entry.Path, "the login form's page sets a cookie for a stranger"
	default:
		return
	}
	op := operation{method: "GET", path: path}
	if step, ok := op.step(forVisit); ok && usable(op) {
		s.result.Steps[string(forVisit)] = step
		s.found(forVisit, op, note)
	}
}

func (s *search) found(step purpose, op operation, note string) {
	s.result.Found = append(s.result.Found, Found{Step: string(step), Request: op.line(), From: op.from, Note: note})
}
