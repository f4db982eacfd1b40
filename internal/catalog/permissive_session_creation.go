package catalog

import (
	"slices"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var permissive = finding.Rule{
	ID:     "permissive-session-creation",
	Title:  "An unknown session id becomes an anonymous session",
	Family: finding.Fixation, Severity: 31, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:N/I:L/A:N",
	CWE: []int{384}, ASVS: []string{"v5.0.0-7.2.3"}, OWASPAPI: []string{"API2:2023"}, WSTG: []string{"WSTG-SESS-03"},
	Why: "The server makes records under keys that clients choose: what the victim does before logging in is shared with whoever planted the id, and one forgotten rotation away from fixation.",
	Fix: "Answer an unknown id with a new one made on the server; never create a record under the client's.",
	FastAPI: `if cookie is None or find_session(digest(cookie)) is None:
    session_id = secrets.token_urlsafe(32)      # INSERT with this value only`,
}

var permissiveSessionCreation = probe.Probe{
	Rule: permissive, Steps: []string{visit}, Strangers: true, Flow: strangers, Judge: judgePermissive,
	PartOf: "arbitrary-session-id-accepted",
	Open:   []string{"the answers do not show whether an unknown id is stored, and no session store is seen"},
	How: []string{
		"Two jars with the same made-up id visit, and one with another.",
		"It fails when the server answers with the made-up id as its own, or when the second jar sees the state the first one left, and again after one more visit of each, while the other does not.",
		"Where nobody can log in, a visit sends a made-up id in the query, a header, a JSON body and the path as well; it fails when the server sets that very id as its cookie.",
		"It passes when the server replaces the made-up id by a new one, or when the store holds a row under a genuine visitor's id and none under the made-up one.",
	},
}

func judgePermissive(t trace.Trace) finding.Verdict {
	first, second, other := firstVisit(t, firstJar), firstVisit(t, secondJar), firstVisit(t, control)
	genuine := t.Step(genuineJar, visit)
	switch {
	case t.WasRateLimited():
		return untested(rateLimited())
	case first == nil || second == nil || other == nil || len(genuine) < 2:
		return untested(unfinished(t, "the visits with a made-up id were not made"))
	}
	given, echoed := reissued(t.Facts, *first)
	_, again := reissued(t.Facts, *second)
	_, unlike := reissued(t.Facts, *other)
	shared := sharesState(t)
	switch {
	case echoed && again && unlike || shared:
		return finding.Failed(finding.Finding{
			Rule: permissive.ID, Subject: t.Facts.CarrierName(), Step: visit,
			Message: "The visit made an anonymous session under an id the server had never issued: " +
				permissiveProof(shared),
			Evidence: story(t),
		})
	}
	if taken := takenFromBeside(t); taken != nil {
		return finding.Failed(finding.Finding{
			Rule: permissive.ID, Subject: t.Facts.CarrierName(), Step: visit,
			Message:  "The visit made an anonymous session under an id the server had never issued, sent as " + taken.Planted.Where + ": it set that very id as the cookie.",
			Evidence: story(t),
		})
	}
	if given {
		return finding.Passed("")
	}
	if row, answered := storedUnder(t); answered {
		return row
	}
	return finding.Untested(finding.NoDatabase, "the answers do not show whether an unknown id is stored",
		"let the gate see the session store (database:), or make a page that shows anonymous state the visit step")
}

// takenFromBeside is a visit that was answered with the very id that it sent
// outside the carrier, in a Set-Cookie of the carrier; nil without one.
func takenFromBeside(t trace.Trace) *trace.Exchange {
	for i, exchange := range t.Exchanges {
		for _, held := range exchange.Issued(t.Facts.Carrier) {
			if !held.ID.IsZero() && held.ID == exchange.Planted.ID {
				return &t.Exchanges[i]
			}
		}
	}
	return nil
}

// storedUnder is the answer of the store: a row under an id that only the
// client had ever seen. That there is none means something only where the id of
// a genuine visitor was found in the same way.
func storedUnder(t trace.Trace) (finding.Verdict, bool) {
	forged, read := lookedUp(t, carriedBy(t, firstJar))
	if !read {
		return finding.Verdict{}, false
	}
	if place, found := wholeIn(forged); found {
		return finding.Failed(finding.Finding{
			Rule: permissive.ID, Subject: t.Facts.CarrierName(), Step: visit,
			Message:  "The visit stored a row of " + place.Row.Table + " under an id the server had never issued.",
			Evidence: append(story(t), rowStory(t, forged.ID)...),
		}), true
	}
	issued, _ := lookedUp(t, carriedBy(t, genuineJar))
	if _, found := wholeIn(issued); !found {
		return finding.Untested(finding.NoDatabase, "the store holds no row under the made-up id, but none under a genuine visitor's either",
			"let the gate see the store that holds anonymous sessions, or make a page that shows anonymous state the visit step"), true
	}
	return finding.Passed("the store holds a row under a genuine visitor's id and none under the made-up one"), true
}

// carriedBy is the id that an actor's last request carried; zero if none.
func carriedBy(t trace.Trace, actor string) secret.Text {
	visits := t.Step(actor, visit)
	if len(visits) == 0 {
		return secret.Text{}
	}
	return firstID(visits[len(visits)-1].Carried)
}

// lookedUp is the last look at an id that could be made.
func lookedUp(t trace.Trace, id secret.Text) (look trace.Look, made bool) {
	for _, one := range t.Looks {
		if one.ID == id && !id.IsZero() && one.Problem == "" {
			look, made = one, true
		}
	}
	return look, made
}

// wholeIn is the first place that holds nothing but the id.
func wholeIn(look trace.Look) (trace.Cell, bool) {
	i := slices.IndexFunc(look.Places, func(place trace.Cell) bool { return !place.Within })
	if i < 0 {
		return trace.Cell{}, false
	}
	return look.Places[i], true
}

// sharesState reports whether the second jar with the made-up id sees what the
// first one left, and each of them what the other did since: two in a row may be
// the chance of workers that take turns.
func sharesState(t trace.Trace) bool {
	pages := func(actor string) []secret.Text {
		var bodies []secret.Text
		for _, exchange := range t.Step(actor, visit) {
			bodies = append(bodies, exchange.Response.Body)
		}
		return bodies
	}
	genuine, one, two, other := pages(genuineJar), pages(firstJar), pages(secondJar), pages(control)
	if len(genuine) < 2 || len(one) < 2 || len(two) < 2 || len(other) < 1 {
		return false
	}
	alone := other[0] == genuine[0]
	together := one[0] == genuine[0] && two[0] == genuine[1]
	onwards := []secret.Text{one[0], two[0], one[1], two[1]}
	for i := range onwards {
		if slices.Contains(onwards[:i], onwards[i]) {
			return false
		}
	}
	return alone && together
}

func permissiveProof(shared bool) string {
	if shared {
		return "a second jar with the same id sees what the first one left."
	}
	return "it answered with that very id in Set-Cookie."
}

// reissued says whether a visit set the carrier: to a new value, or to the very
// one it was sent.
func reissued(facts trace.Facts, exchange trace.Exchange) (given, echoed bool) {
	for _, held := range exchange.Issued(facts.Carrier) {
		for _, sent := range exchange.Carried {
			if sent.Slot != held.Slot {
				continue
			}
			given = given || sent.ID != held.ID
			echoed = echoed || sent.ID == held.ID
		}
	}
	return given, echoed
}

func firstVisit(t trace.Trace, actor string) *trace.Exchange {
	visits := t.Step(actor, visit)
	if len(visits) == 0 {
		return nil
	}
	return &visits[0]
}
