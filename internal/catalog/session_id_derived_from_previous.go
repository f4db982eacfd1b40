package catalog

import (
	"fmt"
	"slices"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/idquality"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var derived = finding.Rule{
	ID:     "session-id-derived-from-previous",
	Title:  "The session id after login follows from the one before it",
	Family: finding.Fixation, Severity: 81, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:N",
	CWE: []int{342, 340, 384}, ASVS: []string{"v5.0.0-7.2.3", "v5.0.0-11.5.1"}, OWASPAPI: []string{"API2:2023"},
	WSTG:    []string{"WSTG-SESS-01"},
	Why:     "A new id is of no use if the old one gives it away: an attacker plants an id, lets the victim log in, and computes the victim's new one.",
	Fix:     "Draw every id by itself; never hash, extend or count up the old one.",
	FastAPI: `session_id = secrets.token_urlsafe(32)   # not hashlib.sha256(old_id.encode())`,
}

var sessionIDDerivedFromPrevious = probe.Probe{
	Rule: derived, Steps: []string{login, identity}, Flow: idSample, Judge: judgeDerived,
	PartOf: "session-id-sequential", // of ids that count, each follows from any other
	Open:   append(slices.Clone(fewDrawn), "login issues no new id in place of an old one; session-id-not-rotated-on-login and cross-user-session-reuse decide"),
	How: []string{
		"Jars that hold an id log in; the id before and the one after are a pair.",
		"How the second follows from the first is learned from the first pair: a digest, another spelling, an ending, a step, a mask, a counter.",
		"It fails when the ids of all later pairs, two at least, are computed exactly, and a jar that holds nothing but such an id reads the victim's profile.",
	},
}

func judgeDerived(t trace.Trace) finding.Verdict {
	own := t.Reads(victim, after)
	if t.WasRateLimited() {
		return untested(rateLimited())
	}
	if len(own) == 0 {
		return tooFewDrawn(t, "the victim's login was not completed")
	}
	for _, read := range own {
		if !read.Who.Is(t.Facts.Victim()) {
			return untested(broken("after the login a copy of the victim's id is taken for %s, not for %s", read.Who, t.Facts.Victim()))
		}
	}
	pairs := 0
	all := inOrder(t)
	for _, s := range all {
		if s.step != login {
			continue
		}
		// Of 64 random bits two follow by chance with less than 2^-100.
		way, hits, tries := idquality.Derived(s.issues())
		pairs = max(pairs, tries)
		if hits >= 2 && hits == tries && !s.guarded(t.Facts, all) {
			return weakIDs(t, s, derived.ID, fmt.Sprintf("The id after each of %d logins was computed from the one before: %s. A jar that holds it alone reads %s's profile.",
				hits, way, t.Facts.Victim()))
		}
	}
	switch {
	case !carriedInCookies(t.Facts): // a token is given anew by each login
		return finding.Passed("a login is sent no id that the new one could follow from")
	case pairs < 2 && keepsIDs(t):
		return finding.Untested(finding.Decided, "login issues no new id that could follow from the old one; session-id-not-rotated-on-login and cross-user-session-reuse decide", "")
	case pairs < 2:
		return tooFewDrawn(t, fmt.Sprintf("%d logins issued a new id in place of an old one, 3 are needed", pairs))
	}
	return finding.Passed("")
}

// keepsIDs reports whether a login was sent an id and set no other.
func keepsIDs(t trace.Trace) bool {
	for _, exchange := range t.Step("", login) {
		if !exchange.Carried.IsZero() && exchange.Response.Status < 400 && exchange.Response.Status > 0 && len(drawnIDs(trace.Trace{Facts: t.Facts, Exchanges: []trace.Exchange{exchange}}, login)) == 0 {
			return true
		}
	}
	return false
}

func carriedInCookies(facts trace.Facts) bool { return len(facts.Cookies()) == len(facts.Carrier) }
