package catalog

import (
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var leftAlive = finding.Rule{
	ID:     "pre-login-session-not-invalidated",
	Title:  "The anonymous session lives on after login and shares state with the signed-in one",
	Family: finding.Fixation, Severity: 31, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N",
	CWE: []int{613, 384}, ASVS: []string{"v5.0.0-7.2.4"}, OWASPAPI: []string{"API2:2023"}, WSTG: []string{"WSTG-SESS-03"},
	Why:     "Whoever planted the old id goes on reading what the victim does after logging in, though not as the victim.",
	Fix:     "End the old session in the transaction that makes the new one, and start the new one empty.",
	FastAPI: `connection.execute("DELETE FROM sessions WHERE id_hash = %s", (digest(old_id),))   # in the login transaction`,
}

var preLoginSessionNotInvalidated = probe.Probe{
	Rule: leftAlive, Steps: []string{visit, login, identity}, Flow: leftBehind, Judge: judgeLeftAlive,
	Open: []string{
		noIDBeforeLogin,
		oldIDSignedIn,
		"the answers do not show whether the old session is still there, and no session store is seen",
	},
	How: []string{
		"Two anonymous sessions begin alike; the victim logs in with the id of one of them.",
		"The planted session and the victim visit by turns, and then the other session as often as both together.",
		"It fails when the planted session's page shows what the victim did, twice: it equals the page the control session shows as many visits later.",
		"It passes when the old id is answered with a new one, when both old sessions show the same, or when the store holds the other anonymous session and not the planted one.",
	},
}

func judgeLeftAlive(t trace.Trace) finding.Verdict {
	if verdict, none := noPreLoginID(t); none {
		return verdict
	}
	got := takeover{victim: t.Facts.Victim()}.decide(t)
	switch {
	case !got.conclusive():
		return untested(got.open)
	case len(got.stolen) > 0:
		return finding.Untested(finding.Decided, "the old id is signed in itself; session-id-not-rotated-on-login and session-fixation-dangling-id decide", "")
	}
	old, unused := t.Step(frozen, visit), lastOf(t.Step(control, visit), 5)
	if len(old) < 3 || len(unused) < 5 {
		return untested(unfinished(t, "the visits after the login were not made"))
	}
	if replaced, _ := reissued(t.Facts, old[0]); replaced {
		if spared, _ := reissued(t.Facts, unused[0]); !spared {
			return finding.Passed("")
		}
	}
	moves := unused[0].Response.Body != unused[1].Response.Body && unused[1].Response.Body != unused[2].Response.Body
	switch {
	case moves && samePages(old, unused[0], unused[1], unused[2]):
		return finding.Passed("the old id lives on as an anonymous session of its own")
	case moves && old[1].Response.Body != unused[1].Response.Body && samePages(old, unused[0], unused[2], unused[4]):
		return finding.Failed(finding.Finding{
			Rule: leftAlive.ID, Subject: t.Facts.CarrierName(), Step: login,
			Message: "The session from before the login lives on and shares its state with " + t.Facts.Victim() +
				"'s: the old jar's page shows each visit of the victim, which the page of a session left alone shows as many visits later.",
			Evidence: story(t),
		})
	}
	if gone(t, old[0], unused[0]) {
		return finding.Passed("the store holds a row under the id of another visitor and none under the old one")
	}
	return finding.Untested(finding.NoDatabase, "the answers do not show whether the old session is still there",
		"let the gate see the session store (database:), or make a page that shows anonymous state the visit step")
}

// samePages reports whether the visits showed those pages, in that order.
func samePages(visits []trace.Exchange, pages ...trace.Exchange) bool {
	for i, page := range pages {
		if visits[i].Response.Body != page.Response.Body {
			return false
		}
	}
	return true
}

// gone reports whether the store holds the id of a visitor who did not log in,
// and not the one that was logged in with.
func gone(t trace.Trace, old, unused trace.Exchange) bool {
	kept, read := lookedUp(t, firstID(old.Carried))
	other, _ := lookedUp(t, firstID(unused.Carried))
	_, found := wholeIn(other)
	return read && len(kept.Places) == 0 && found
}

func lastOf(exchanges []trace.Exchange, n int) []trace.Exchange {
	return exchanges[max(0, len(exchanges)-n):]
}
