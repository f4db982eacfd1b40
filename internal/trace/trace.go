// Package trace is what was seen: the exchanges of a run in order, who each
// identity read turned out to be, and the facts calibration established. It is
// plain data; nothing here acts or judges.
package trace

import (
	"slices"
	"strings"
	"time"

	"github.com/sessiongate/sessiongate/internal/cookie"
	"github.com/sessiongate/sessiongate/internal/secret"
)

// Kind says what an identity read showed.
type Kind string

// The kinds. The zero kind is "was not read".
const (
	Anonymous  Kind = "anonymous"    // nobody is signed in
	SignedIn   Kind = "signed in"    // one of the recipe's users
	Unknown    Kind = "unrecognised" // neither a user nor the answer strangers get
	Broken     Kind = "broken"       // no answer, 5xx
	TooMany    Kind = "rate limited" // 429
	Unanswered Kind = ""
)

// Who is the identity an API gives to a request.
type Who struct {
	Kind Kind
	User string // recipe name, with SignedIn
}

// Is reports whether the request was taken for that user.
func (w Who) Is(user string) bool { return w.Kind == SignedIn && w.User == user }

// IsAnonymous reports whether the request was taken for nobody.
func (w Who) IsAnonymous() bool { return w.Kind == Anonymous }

// String is a word for messages.
func (w Who) String() string {
	switch w.Kind {
	case SignedIn:
		return w.User
	case Unanswered:
		return "not read"
	}
	return string(w.Kind)
}

// Field is one header line. Header values may hold session ids.
type Field struct {
	Name  string
	Value secret.Text
}

// Request is what was sent.
type Request struct {
	Method string
	Path   string // of the recipe, without query: what a message may show
	URL    secret.Text
	Header []Field
	Body   secret.Text
}

// Line is "GET /me".
func (r Request) Line() string { return r.Method + " " + r.Path }

// Response is what came back. Status 0: nothing did.
type Response struct {
	Status     int
	Header     []Field // Set-Cookie excluded
	SetCookie  []SetCookie
	Body       secret.Text // capped
	Truncated  bool
	RetryAfter string
}

// SetCookie is one Set-Cookie line and what browsers would refuse it for.
type SetCookie struct {
	cookie.Cookie
	Rejections []cookie.Rejection
}

// IsLost reports whether no client keeps the cookie.
func (s SetCookie) IsLost() bool {
	return slices.ContainsFunc(s.Rejections, func(r cookie.Rejection) bool { return r.Fatal })
}

// Get returns the first value of a header, the zero Text if there is none.
func (r Response) Get(name string) secret.Text {
	for _, field := range r.Header {
		if strings.EqualFold(field.Name, name) {
			return field.Value
		}
	}
	return secret.Text{}
}

// Exchange is one request and its answer.
type Exchange struct {
	Seq      int    // position in the run, from 1; unique
	Flow     string // the flow that acted
	Round    string // the part of the flow; "" when it has one only
	Actor    string // victim, attacker, control, …
	Step     string // recipe step: visit, login, identity, logout, …
	Moment   string // of an identity read, and of an answer a flow compares: before, after, …
	Hop      int    // 0, then one more for each redirect followed
	User     string // whose credentials the step used
	Carried  Credential
	Planted  Planted
	Request  Request
	Response Response
	Who      Who
	Refused  bool   // the status is none that the recipe expects
	Problem  string // why there is no response; one clause, without secrets
	Began    time.Time
	Took     time.Duration
}

// Issued are the values that the answer's Set-Cookie lines gave to the carrier,
// in order; deletions are none.
func (e Exchange) Issued(carrier []Slot) Credential {
	var issued Credential
	for _, set := range e.Response.SetCookie {
		if set.IsLost() {
			continue
		}
		for _, slot := range carrier {
			if slot.Kind == InCookie && slot.Name == set.Name && !set.Deletes(e.Began) && !set.Value.IsZero() {
				issued = append(issued, Held{Slot: slot, ID: set.Value})
			}
		}
	}
	return issued
}

// Planted is an id that a probe put beside the carrier. The zero value: none.
type Planted struct {
	ID    secret.Text
	Where string // "query parameter sid"
}

// Slot is a place in a request where a session id travels.
type Slot struct {
	Kind   SlotKind
	Name   string // of the cookie, header or query parameter; "" for a path
	Before string // what stands before the id: "Bearer ", "/s/"
	After  string
}

// SlotKind is the kind of place.
type SlotKind string

// The kinds of carrier.
const (
	InCookie SlotKind = "cookie"
	InHeader SlotKind = "header"
	InQuery  SlotKind = "query"
	InPath   SlotKind = "path"
)

// String names the slot for a reader: "cookie session_id".
func (s Slot) String() string {
	switch s.Kind {
	case InQuery:
		return "query parameter " + s.Name
	case InPath:
		return "path " + s.Before + "…" + s.After
	}
	return string(s.Kind) + " " + s.Name
}

// Credential is a value in each slot of the carrier. Empty: nothing is carried.
type Credential []Held

// Held is one slot and the session id in it.
type Held struct {
	Slot
	ID secret.Text
}

// IsZero reports whether no slot holds anything.
func (c Credential) IsZero() bool {
	for _, held := range c {
		if !held.ID.IsZero() {
			return false
		}
	}
	return true
}

// Same reports whether both hold the same ids in the same slots.
func (c Credential) Same(other Credential) bool {
	if len(c) != len(other) {
		return false
	}
	for i := range c {
		if c[i] != other[i] {
			return false
		}
	}
	return true
}

// Facts is what calibration learned of the target.
type Facts struct {
	Users     []string          // recipe names, in order; the first is the victim
	Usernames map[string]string // what each of them logs in as
	Carrier   []Slot            // the minimal set that authenticates; empty: not established
	Stateless bool              // the id itself carries the session, signed by the server
	Sample    Credential        // one that authenticated: the model for forged ids
	PreLogin  bool              // a visit issues the carrier before anybody logs in
	Outside   bool              // nobody can log in: only what strangers are shown is judged
	Strangers bool              // so it is, and the carrier is what a visit hands to strangers
	Pages     []Page            // that strangers may open, beside the steps of the recipe
	Login     LoginForm
	// Chosen names, by channel, where the recipe sends an id that its client
	// makes up ({{session_id}}): the first places to plant one.
	Chosen map[string][]string
	// Described names, by channel, are those of session ids that the API's own
	// description has there: the next places to plant one.
	Described map[string][]string
	Exclusive bool // a new login ends the user's earlier sessions
	Steps     map[string]bool
	Controls  []Control
	// Store says that the session store can be looked into; StoreProblem, why
	// not, where the recipe names one.
	Store        bool
	StoreProblem string
	// Deep is the profile that may take minutes and thousands of requests.
	Deep bool
	// IdleTimeout and AbsoluteTimeout are the recipe's policy; zero without one.
	IdleTimeout, AbsoluteTimeout time.Duration
	// MaxSessions is how many sessions the policy allows a user; 0 without one.
	MaxSessions int
}

// Crowds reports whether sessions of one user may end each other, so that
// flows cannot have theirs at the same time.
func (f Facts) Crowds() bool { return f.Exclusive || f.MaxSessions > 0 }

// defaultLifetime is NIST SP 800-63B-4's limit for AAL1.
const defaultLifetime = 30 * 24 * time.Hour

// Lifetime is how long a session may live at most.
func (f Facts) Lifetime() time.Duration {
	if f.AbsoluteTimeout > 0 {
		return f.AbsoluteTimeout
	}
	return defaultLifetime
}

// Skipped reports whether calibration could not make the control of that name.
func (f Facts) Skipped(control string) bool {
	return slices.ContainsFunc(f.Controls, func(c Control) bool { return c.Name == control && c.Skipped })
}

// Has reports whether the recipe has the step.
func (f Facts) Has(step string) bool { return f.Steps[step] }

// Victim is the user whose session is attacked, "" without users.
func (f Facts) Victim() string {
	if len(f.Users) == 0 {
		return ""
	}
	return f.Users[0]
}

// Cookies are the names of the cookies in the carrier.
func (f Facts) Cookies() []string {
	var names []string
	for _, slot := range f.Carrier {
		if slot.Kind == InCookie {
			names = append(names, slot.Name)
		}
	}
	return names
}

// CarrierName names the carrier for messages: "cookie session_id".
func (f Facts) CarrierName() string {
	names := make([]string, len(f.Carrier))
	for i, slot := range f.Carrier {
		names[i] = slot.String()
	}
	return strings.Join(names, " and ")
}

// LoginForm is how the login request carries its credentials.
type LoginForm string

// The forms of a login body.
const (
	LoginJSON      LoginForm = "json"
	LoginForms     LoginForm = "form"
	LoginMultipart LoginForm = "multipart"
	LoginOther     LoginForm = "other"
)

// Page is an address that nobody needs to know a secret for.
type Page struct {
	Step      string // its name among the steps: "page /users"
	Path      string
	Described bool // the API's own description has it, as something to be read
	Secured   bool // and says that it wants a credential
	Monitors  bool // its name promises sessions, or what a developer looks at
}

// PageStep is how a page is called among the steps.
func PageStep(path string) string { return pageStep + path }

const pageStep = "page "

// PagePath is the path of a page that was read, by its step; false for a step of the
// recipe and for other methods than GET.
func PagePath(step string) (string, bool) {
	path, is := strings.CutPrefix(step, pageStep)
	return path, is && !strings.Contains(path, " ")
}

// OfPage reports whether the exchange is with a page, and no step of the recipe.
func (e Exchange) OfPage() bool { return strings.HasPrefix(e.Step, pageStep) }

// Control is one experiment of calibration (probes.md §2.2).
type Control struct {
	Name    string // K0 … K7
	Says    string // what it establishes
	Held    bool
	Skipped bool // could not be made; Note says why
	Note    string
}

// Trace is one run of one flow, or of the whole audit.
type Trace struct {
	Flow       string
	Facts      Facts
	Exchanges  []Exchange
	Looks      []Look       // into the session store
	Altered    []Alteration // in the session store, in order
	Statements []Statement  // of the whole run, those in which a watched id travelled
	StoreUsers []StoreUser  // of the whole run; none where the gate does not sit on the wire
	Log        Log
	Problem    string // why the flow stopped early; "" when it went through
	Limited    bool   // a 429, of this flow or of another, kept it from sending
}

// Log is what the API printed during the run. The zero value: it was not seen.
type Log struct {
	Seen     bool
	Complete bool // nothing was left out for its length
	Text     secret.Text
}

// Round is the part of the trace with that name.
func (t Trace) Round(name string) Trace {
	part := t
	part.Exchanges, part.Looks, part.Altered = nil, nil, nil
	for _, altered := range t.Altered {
		if altered.Round == name {
			part.Altered = append(part.Altered, altered)
		}
	}
	for _, look := range t.Looks {
		if look.Round == name {
			part.Looks = append(part.Looks, look)
		}
	}
	for _, exchange := range t.Exchanges {
		if exchange.Round == name {
			part.Exchanges = append(part.Exchanges, exchange)
		}
	}
	return part
}

// Rounds are the names of the rounds in the order they began.
func (t Trace) Rounds() []string {
	var names []string
	seen := map[string]bool{}
	for _, exchange := range t.Exchanges {
		if !seen[exchange.Round] {
			seen[exchange.Round] = true
			names = append(names, exchange.Round)
		}
	}
	return names
}

// Reads are the identity reads of an actor at a moment; "" stands for any.
func (t Trace) Reads(actor, moment string) []Exchange {
	var reads []Exchange
	for _, exchange := range t.Exchanges {
		if exchange.Who.Kind == Unanswered {
			continue
		}
		if (actor == "" || exchange.Actor == actor) && (moment == "" || exchange.Moment == moment) {
			reads = append(reads, exchange)
		}
	}
	return reads
}

// Step are the exchanges of an actor in a step; "" stands for any.
func (t Trace) Step(actor, step string) []Exchange {
	var found []Exchange
	for _, exchange := range t.Exchanges {
		if (actor == "" || exchange.Actor == actor) && exchange.Step == step {
			found = append(found, exchange)
		}
	}
	return found
}

// WasRateLimited reports whether the API answered 429 to anything, or to
// another flow, after which nothing more is sent.
func (t Trace) WasRateLimited() bool {
	if t.Limited {
		return true
	}
	for _, exchange := range t.Exchanges {
		if exchange.Response.Status == 429 {
			return true
		}
	}
	return false
}
