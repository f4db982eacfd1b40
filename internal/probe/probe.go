// Package probe is the contract between the catalogue and the world: what a
// probe is, what a flow may do, and what stands ready for it. It holds no
// traffic and no judgement.
package probe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// Probe is a value: it can be listed and documented without being run.
type Probe struct {
	Rule     finding.Rule
	Variants []finding.Rule // severities of the same weakness, each a rule of its own
	Steps    []string       // recipe steps without which there is nothing to test
	Users    int            // accounts it needs; 0 and 1 are the same
	// Flow is the traffic it judges. Without one it judges all that the run saw.
	Flow *Flow
	// Bare probes ask about requests that carry nothing. They are tried as soon
	// as users can be told apart, even where the carrier is not established.
	Bare bool
	// Strangers probes ask about the ids that visitors are handed, too: where
	// nobody can log in, they are tried on those, and only their failures count.
	Strangers bool
	// Anybody probes ask about what is shown to people who carry nothing. Where
	// nobody can log in they are tried even if no session is known.
	Anybody bool
	// Deep probes cost more than the core profile may (probes.md §2.7).
	Deep bool
	// PartOf names the rule of a graver form of the same weakness. Where that one
	// fails, this one's failure says nothing more and is not counted again.
	PartOf string
	// Judge is pure: no I/O, no clock, no state. It never passes a trace that
	// lacks the experiment.
	Judge func(trace.Trace) finding.Verdict
	// How tells a reader, step by step, how it is tested.
	How []string
	// Open tells a reader what else can leave it not tested, one clause each. What
	// the other fields say (steps, users, the profile), or the judge itself answers
	// for an API of another kind, is not repeated; it may be empty.
	Open []string
}

// Rules are the probe's rule and its variants.
func (p Probe) Rules() []finding.Rule {
	return append([]finding.Rule{p.Rule}, p.Variants...)
}

// Flow is a named script of traffic, run once and shared by its probes, and
// once more with fresh ids when one of them fails.
type Flow struct {
	Name  string
	Steps []string // recipe steps it cannot do without
	Users int
	// Alone flows end sessions of the users, need what they draw in order, or may run
	// into a limit of their own, and so run by themselves, after the others.
	Alone bool
	// Run acts and never judges. Its error says what stopped it; what it
	// recorded until then is judged all the same.
	Run func(context.Context, Stage) error
}

// Stage is all that a flow may touch.
type Stage interface {
	Facts() trace.Facts
	// Actor opens a browser with an empty jar and connections of its own.
	Actor(name string) Actor
	// Round is the same stage; what its actors do is recorded under the name.
	Round(name string) Stage
	// Look records what the session store holds for an id. Without a store
	// nothing is recorded, and nothing fails.
	Look(ctx context.Context, moment string, credential trace.Credential)
	// Alter changes the rows that hold the credential, and records it. It reports
	// whether anything was changed; Restore is to follow, whatever happens.
	Alter(ctx context.Context, moment string, credential trace.Credential, change Alteration) bool
	// Disguise changes the id in each slot; the result is watched like a forged one.
	Disguise(trace.Credential, func(id string) string) trace.Credential
	// Forge makes an id the server never issued, in the carrier's slots.
	Forge(Shape) trace.Credential
	// NewUser makes up an account that nobody has until the register step makes
	// it. Its name is unlike any other, so that an identity read can find it.
	NewUser() (name string)
	// NewPassword draws a password that nobody has.
	NewPassword() secret.Text
}

// Actor is a browser that records.
type Actor interface {
	// Become says whose name and password the steps use from now on.
	Become(user string)
	// Do performs a recipe step as it is written.
	Do(ctx context.Context, step string, plants ...Plant) error
	// Login performs the login step as that user.
	Login(ctx context.Context, user string, plants ...Plant) error
	// LoginAs performs it with the body in another encoding.
	LoginAs(ctx context.Context, user string, form trace.LoginForm, plants ...Plant) error
	// LoginWrong performs it with a password that nobody has.
	LoginWrong(ctx context.Context, user string) error
	// LoginWith performs it with that password instead of the user's own.
	LoginWith(ctx context.Context, user string, password secret.Text) error
	// ChangePassword performs a step that changes the password from one to the other.
	// The zero Text is the user's own.
	ChangePassword(ctx context.Context, step string, from, to secret.Text) error
	// Begin performs a step but for its last request.
	Begin(ctx context.Context, step string) error
	// Captured is what the captures of a step have given this actor.
	Captured(step string) map[string]secret.Text
	// Finish performs the last request of a step, with those values in place of
	// what the actor captured itself. The answer is recorded at the moment.
	Finish(ctx context.Context, step, moment string, values map[string]secret.Text) error
	// Enter asks for what a step says is open afterwards, whatever the answer,
	// which is recorded at the moment.
	Enter(ctx context.Context, step, moment string) error
	// Ask makes one request without a body that is no step: for a path, or for the
	// path of a step that it names. It tells what came back, whatever that is; the
	// step of the record is that of the page.
	Ask(ctx context.Context, method, target string) (trace.Response, error)
	// Insist makes it send even after the API answered 429: what a flow changed
	// has to be put back.
	Insist()
	// Identify reads who the API takes this actor for. A read that cannot be
	// made is recorded as such.
	Identify(ctx context.Context, moment string, plants ...Plant) trace.Who
	// Offered is the carrier with each different value that the last step's answers
	// gave to one of its cookies, in order. More than one is a fault of its own.
	Offered() []trace.Credential
	// Carries is what the actor would authenticate with now.
	Carries() trace.Credential
	// Everything is each cookie and token it holds, whether or not it authenticates.
	Everything() trace.Credential
	// Wear puts the credential into the carrier's slots, replacing what is there.
	Wear(trace.Credential)
	// Dress says how its requests go out from now on.
	Dress(Guise)
	// Freeze opens another browser that holds a copy of the carrier and nothing
	// else. It does not follow what happens to this one, nor what its own reads of
	// the identity step are answered with.
	Freeze(name string) Actor
	// Copy opens another browser with a copy of the whole jar.
	Copy(name string) Actor
	// Beside opens another browser with an empty jar that shares this one's
	// connections and headers: what a proxy in front of the API would do.
	Beside(name string) Actor
	// Learn takes over what another browser captured, and nothing of its jar: a
	// page of the attacker's, loaded by somebody else.
	Learn(from Actor)
}

// Guise is how requests go out where the recipe and the jar would have them
// otherwise. The zero value changes nothing.
type Guise struct {
	// Header takes the place of what would stand under its names; a field
	// without a value leaves the header out. {host} is the target's host.
	Header []trace.Field
	// Cookie is the Cookie lines, written byte for byte instead of what the jar
	// holds. nil leaves them to the jar; an empty list sends none.
	Cookie []secret.Text
	// Method in place of the recipe's. GET carries the fields of a flat body in
	// the query, OPTIONS carries none.
	Method string
	// Foreign is a page of another site: it makes the last request of a step
	// only, and adds no header that would need a preflight.
	Foreign bool
	// Cleartext goes over plain http to a target that is reached by https.
	Cleartext bool
}

// Alteration is a change to the rows of a session: what kind, and for the
// kinds that change moments which ones (roles of trace.Column; none is all) and
// how.
type Alteration struct {
	Kind  trace.AlterationKind
	Roles []string
	By    time.Duration // with Aged
	To    time.Time     // with Set
}

// Shape is how a forged id looks.
type Shape string

// The shapes of probes.md §5.1: an id like the server's own, and two that no
// generator would make.
const (
	LikeIssued Shape = "like an issued id"
	OneChar    Shape = "one character"
	Words      Shape = "words"
)

// Plant puts an id into a place of a request that is not the carrier.
type Plant struct {
	Channel Channel
	Names   []string
	ID      secret.Text
}

// Channel is such a place.
type Channel string

// The channels of session ids beside the carrier.
const (
	Query  Channel = "query"
	JSON   Channel = "json"
	Form   Channel = "form"
	Header Channel = "header"
	Path   Channel = "path" // /login;name=ID, or /s/ID/login for the name "/s/"
)

// Noun names the channel for a reader.
func (c Channel) Noun() string {
	switch c {
	case Query:
		return "query parameter"
	case JSON:
		return "JSON member"
	case Form:
		return "form field"
	case Path:
		return "path parameter"
	}
	return string(c)
}

// Refused is the error of a step whose answer was not among the expected ones.
type Refused struct {
	Step   string
	Line   string // "POST /login"
	Status int
	Wanted string // "a status below 400"
}

func (r *Refused) Error() string {
	return fmt.Sprintf("step %s: %s answered %d, expected %s", r.Step, r.Line, r.Status, r.Wanted)
}

// ErrSpent is returned by actors whose stage may send no more requests.
var ErrSpent = errors.New("the requests that it may send are spent")

// ErrNoPlace is returned by actors where a step has no place for what is to be
// planted: it sends no body of that kind.
var ErrNoPlace = errors.New("it has no place for the planted id")

// ErrRateLimited is returned by actors once the API answers 429.
var ErrRateLimited = errors.New("the API answered 429 Too Many Requests")
