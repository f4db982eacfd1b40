package catalog

import (
	"fmt"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// The actors and moments every takeover flow uses. Whoever is neither the
// victim nor the control is on the attacker's side.
const (
	victim   = "victim"
	control  = "control"
	attacker = "attacker"
	frozen   = "attacker frozen" // holds the id of before, and nothing that came later

	before = "before the login"
	after  = "after the login"
)

// takeover is the question of the whole fixation family: after the victim's
// login, does a jar of the attacker's read the victim's profile? Its controls
// (probes.md §2.2) must hold, or there is no answer.
type takeover struct {
	victim  string
	start   string // who the attacker is at first; "" is nobody
	control string // who the control jar stays; "" is nobody
	moment  string // of the reads that decide; "" is after the login
}

// answer is the result of one takeover experiment.
type answer struct {
	stolen []trace.Exchange // reads that showed the victim to the attacker
	open   finding.Reason   // why there is no answer; zero when there is one
}

func (a answer) conclusive() bool { return a.open.Code == "" }

// decide answers for one round of a flow.
func (k takeover) decide(t trace.Trace) answer {
	if k.moment == "" {
		k.moment = after
	}
	if reason, bad := k.controls(t); bad {
		return answer{open: reason}
	}
	var stolen, lost []trace.Exchange
	attempts := 0
	for _, read := range t.Reads("", k.moment) {
		if read.Actor == victim || read.Actor == control {
			continue
		}
		attempts++
		switch {
		case read.Who.Is(k.victim):
			stolen = append(stolen, read)
		case !read.Who.IsAnonymous() && read.Who != k.beginning():
			lost = append(lost, read)
		}
	}
	switch {
	case len(stolen) > 0:
		return answer{stolen: stolen}
	case attempts == 0:
		return answer{open: unfinished(t, "the attacker's read after the login was not made")}
	case len(lost) > 0:
		return answer{open: unclear(lost[0])}
	}
	if t.Problem != "" { // what was not read any more may have shown it
		return answer{open: unfinished(t, "")}
	}
	if place, bound := boundTo(t, plantedID(t)); bound {
		return answer{open: disputed(place, k.victim)}
	}
	return answer{}
}

// plantedID is the id that the attack of a round is about: the one put beside
// the carrier, or the one that the attacker's jar holds.
func plantedID(t trace.Trace) secret.Text {
	for _, exchange := range t.Exchanges {
		if !exchange.Planted.ID.IsZero() {
			return exchange.Planted.ID
		}
	}
	for _, actor := range []string{frozen, attacker} {
		for _, read := range t.Reads(actor, "") {
			if len(read.Carried) > 0 {
				return read.Carried[0].ID
			}
		}
	}
	return secret.Text{}
}

// controls says which control did not hold: the victim is really signed in, the
// attacker began as nobody (or as herself), and the control jar stayed what it was.
func (k takeover) controls(t trace.Trace) (finding.Reason, bool) {
	if t.WasRateLimited() {
		return rateLimited(), true
	}
	signedIn := t.Reads(victim, after)
	if len(signedIn) == 0 {
		return unfinished(t, "the victim's login was not completed"), true
	}
	for _, read := range signedIn {
		if !read.Who.Is(k.victim) {
			return broken("after the login the victim's own browser is taken for %s, not for %s", read.Who, k.victim), true
		}
	}
	for _, read := range t.Reads("", before) {
		if read.Who != k.beginning() {
			return broken("before the login the attacker's id is already taken for %s", read.Who), true
		}
	}
	guards := t.Reads(control, after)
	if len(guards) == 0 {
		return unfinished(t, "the control jar was not read"), true
	}
	for _, read := range guards {
		if want := whoIs(k.control); read.Who != want {
			return broken("the control jar, which the login should not touch, is taken for %s instead of %s", read.Who, want), true
		}
	}
	return finding.Reason{}, false
}

func (k takeover) beginning() trace.Who { return whoIs(k.start) }

func whoIs(user string) trace.Who {
	if user == "" {
		return trace.Who{Kind: trace.Anonymous}
	}
	return trace.Who{Kind: trace.SignedIn, User: user}
}

func broken(format string, args ...any) finding.Reason {
	return finding.Reason{Code: finding.NoCalibration, Text: fmt.Sprintf(format, args...),
		Remedy: "check the login and identity steps of the recipe by hand with two browsers"}
}

func unclear(read trace.Exchange) finding.Reason {
	switch read.Who.Kind {
	case trace.Broken:
		return finding.Reason{Code: finding.Flaky,
			Text:   fmt.Sprintf("%s answered the %s with an error (%s)", read.Request.Line(), read.Actor, status(read)),
			Remedy: "look at the API's log for that request; an error is neither a refusal nor access"}
	case trace.TooMany:
		return rateLimited()
	}
	return finding.Reason{Code: finding.Ambiguous,
		Text:   fmt.Sprintf("%s answered the %s with something that fits neither a user nor a stranger (%s)", read.Request.Line(), read.Actor, status(read)),
		Remedy: "let the identity step name an endpoint whose answer names the user"}
}

func status(exchange trace.Exchange) string {
	if exchange.Response.Status == 0 {
		return exchange.Problem
	}
	return fmt.Sprintf("status %d", exchange.Response.Status)
}

const tooManyRequests = 429

func rateLimited() finding.Reason {
	return finding.Reason{Code: finding.RateLimited, Text: "the API answered 429 Too Many Requests",
		Remedy: "lift the login rate limit for the test environment"}
}

// unfinished names what stopped a flow, or what is missing where it went through.
// Where a 429 stopped it, that is the reason, also if another flow was told so.
func unfinished(t trace.Trace, missing string) finding.Reason {
	if t.WasRateLimited() {
		return rateLimited()
	}
	if t.Problem != "" {
		missing = t.Problem
	}
	return finding.Reason{Code: finding.NoCalibration, Text: missing,
		Remedy: "run the step by hand against the API and compare it with the recipe"}
}

func untested(reason finding.Reason) finding.Verdict {
	return finding.Verdict{Outcome: finding.NotTested, Reason: reason}
}

// story turns the exchanges of a round into evidence, in order.
func story(t trace.Trace) []finding.Evidence {
	var told []finding.Evidence
	for _, exchange := range t.Exchanges {
		told = append(told, finding.Evidence{Actor: exchange.Actor, Request: exchange.Request.Line(),
			Status: exchange.Response.Status, Note: note(t.Facts, exchange), Exchange: exchange.Seq})
	}
	return told
}

// note says what an exchange is about: what it carried, did and brought.
func note(facts trace.Facts, exchange trace.Exchange) string {
	var parts []string
	if !exchange.Planted.ID.IsZero() {
		parts = append(parts, "plants "+exchange.Planted.ID.Tag()+" as "+exchange.Planted.Where)
	}
	if !exchange.Carried.IsZero() {
		parts = append(parts, "carries "+exchange.Carried[0].ID.Tag())
	}
	switch {
	case exchange.Problem != "":
		parts = append(parts, exchange.Problem)
	case exchange.Who.Kind == trace.SignedIn:
		parts = append(parts, "reads "+exchange.Who.User+"'s profile")
	case exchange.Who.Kind != trace.Unanswered:
		parts = append(parts, "is "+exchange.Who.String())
	case exchange.User != "":
		parts = append(parts, "signs in as "+exchange.User)
	case exchange.Moment != "":
		parts = append(parts, exchange.Moment)
	}
	if given := exchange.Issued(facts.Carrier); len(given) > 0 {
		parts = append(parts, "is given "+given[len(given)-1].ID.Tag())
	}
	return strings.Join(parts, ", ")
}

// What can leave several probes not tested, for their Open.
const (
	noIDBeforeLogin    = "the visit step issues no session id before login"
	oldIDSignedIn      = "the old id is signed in itself; session-id-not-rotated-on-login and session-fixation-dangling-id decide"
	loginInsideRefused = "the API refuses a login inside a session"
	storeDisputes      = "the planted id is nobody's over HTTP, and the session store binds it to the victim"
)
