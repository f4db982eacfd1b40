package catalog

import (
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
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
	Rule: permissive, Steps: []string{visit}, Flow: strangers, Judge: judgePermissive,
	PartOf: "arbitrary-session-id-accepted",
	How: []string{
		"Two jars with the same made-up id visit, and one with another.",
		"It fails when the server answers with the made-up id as its own, or when the second jar sees the state the first one left while the other does not.",
		"It passes when the server replaces the made-up id by a new one.",
	},
}

func judgePermissive(t trace.Trace) finding.Verdict {
	first, second, other := lastVisit(t, "forged id, first jar"), lastVisit(t, "forged id, second jar"), lastVisit(t, control)
	genuine := t.Step("first visitor", visit)
	switch {
	case t.WasRateLimited():
		return untested(rateLimited())
	case first == nil || second == nil || other == nil || len(genuine) < 2:
		return untested(unfinished(t, "the visits with a made-up id were not made"))
	}
	given, echoed := reissued(t.Facts, *first)
	_, again := reissued(t.Facts, *second)
	_, unlike := reissued(t.Facts, *other)
	shared := second.Response.Body != first.Response.Body && first.Response.Body == other.Response.Body &&
		second.Response.Body == genuine[1].Response.Body
	switch {
	case echoed && again && unlike || shared:
		return finding.Failed(finding.Finding{
			Rule: permissive.ID, Subject: t.Facts.CarrierName(), Step: visit,
			Message: "The visit made an anonymous session under an id the server had never issued: " +
				permissiveProof(shared),
			Evidence: story(t),
		})
	case given:
		return finding.Passed("")
	}
	if row, answered := storedUnder(t); answered {
		return row
	}
	return finding.Untested(finding.NoDatabase, "the answers do not show whether an unknown id is stored",
		"let the gate see the session store (database:), or make a page that shows anonymous state the visit step")
}

// storedUnder is the answer of the store: a row under an id that only the
// client had ever seen. Without a look there is none.
func storedUnder(t trace.Trace) (finding.Verdict, bool) {
	for _, look := range t.Looks {
		if look.Problem != "" {
			continue
		}
		for _, place := range look.Places {
			if !place.Within {
				return finding.Failed(finding.Finding{
					Rule: permissive.ID, Subject: t.Facts.CarrierName(), Step: visit,
					Message:  "The visit stored a row of " + place.Row.Table + " under an id the server had never issued.",
					Evidence: append(story(t), rowStory(t, look.ID)...),
				}), true
			}
		}
		return finding.Passed("the store holds no row under the made-up id"), true
	}
	return finding.Verdict{}, false
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

func lastVisit(t trace.Trace, actor string) *trace.Exchange {
	visits := t.Step(actor, visit)
	if len(visits) == 0 {
		return nil
	}
	return &visits[len(visits)-1]
}
