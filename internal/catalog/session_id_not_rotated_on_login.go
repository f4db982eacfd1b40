package catalog

import (
	"github.com/sessiongate/sessiongate/internal/cookie"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var notRotated = finding.Rule{
	ID:     "session-id-not-rotated-on-login",
	Title:  "The session id issued before login is the signed-in session id after it",
	Family: finding.Fixation, Core: true, Severity: 81, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:N",
	CWE: []int{384}, ASVS: []string{"v5.0.0-7.2.4"}, OWASPAPI: []string{"API2:2023"}, WSTG: []string{"WSTG-SESS-03"},
	Why:     "An attacker fetches a session id, plants it in the victim's browser and waits: the login turns the id she knows into the victim's session.",
	Fix:     "Make a new random id at every authentication and delete the old record in the same transaction.",
	FastAPI: rotateAtLogin,
}

var sessionIDNotRotatedOnLogin = probe.Probe{
	Rule: notRotated,
	Variants: []finding.Rule{variant(notRotated, "host-prefix",
		"The session id issued before login is kept at login (cookie with the __Host- prefix)",
		68, "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:H/I:H/A:N")},
	Steps: []string{visit, login, identity}, Flow: issuedID, Judge: judgeNotRotated,
	Open: []string{
		noIDBeforeLogin,
		"login issues a new id; session-fixation-dangling-id decides about the old one",
		storeDisputes,
	},
	How: []string{
		"The attacker visits and freezes the id she was given; it is nobody's.",
		"The victim's browser starts with that id, visits and logs in.",
		"The attacker reads the identity endpoint with the frozen jar, again after the victim went on, and with the jar that follows Set-Cookie.",
		"Controls: the victim is signed in; an anonymous session made at the same time stays anonymous.",
	},
}

func judgeNotRotated(t trace.Trace) finding.Verdict {
	if verdict, none := noPreLoginID(t); none {
		return verdict
	}
	got := takeover{victim: t.Facts.Victim()}.decide(t)
	switch {
	case !got.conclusive():
		return untested(got.open)
	case len(got.stolen) == 0:
		return finding.Passed("")
	case rotated(t):
		return finding.Untested(finding.Decided, "login issues a new id; that the old one still works is session-fixation-dangling-id", "")
	}
	rule := notRotated.ID
	if hostPrefixed(t.Facts) {
		rule += "/host-prefix" // a sibling domain cannot plant the cookie
	}
	user := t.Facts.Victim()
	return finding.Failed(finding.Finding{
		Rule: rule, Subject: t.Facts.CarrierName(), Step: login,
		Message: "The id issued before login is kept by the login: the attacker's jar, frozen before " + user +
			" logged in, reads " + user + "'s profile afterwards; an anonymous session made at the same time does not.",
		Evidence: append(story(t), witnessed(t, plantedID(t), login)...),
	})
}

// noPreLoginID is the answer where the API gives strangers no session id. A
// control that did not hold is no reason to say so.
func noPreLoginID(t trace.Trace) (finding.Verdict, bool) {
	if len(t.Exchanges) == 0 || t.Problem != "" || len(t.Step(victim, login)) > 0 {
		return finding.Verdict{}, false
	}
	if t.WasRateLimited() {
		return untested(rateLimited()), true
	}
	return finding.Untested(finding.NoPrecondition, "the visit step issued no session id before login",
		"if the API gives anonymous visitors a session anywhere, make that request the visit step"), true
}

// rotated reports whether the victim carried something else after the login
// than the frozen jar that she began with.
func rotated(t trace.Trace) bool {
	mine, kept := t.Reads(victim, after), t.Reads(frozen, after)
	return len(mine) > 0 && len(kept) > 0 && !mine[0].Carried.Same(kept[0].Carried)
}

func hostPrefixed(facts trace.Facts) bool {
	for _, slot := range facts.Carrier {
		switch cookie.Prefix(slot.Name) {
		case "__Host-", "__Host-Http-":
		default:
			return false
		}
	}
	return len(facts.Carrier) > 0
}
