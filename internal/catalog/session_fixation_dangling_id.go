package catalog

import (
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var danglingID = finding.Rule{
	ID:     "session-fixation-dangling-id",
	Title:  "Login issues a new id, but the old one is signed in as well",
	Family: finding.Fixation, Core: true, Severity: 81, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:N",
	CWE: []int{384, 613}, ASVS: []string{"v5.0.0-7.2.4", "v5.0.0-7.4.1"}, OWASPAPI: []string{"API2:2023"},
	WSTG:    []string{"WSTG-SESS-03", "WSTG-SESS-06"},
	Why:     "The cookie changes at login, so the rotation looks right, but the planted id still leads to the session: the attacker is signed in all the same.",
	Fix:     "Delete the old record at login; do not keep it as an alias, and never hand the new id to a bearer of the old one.",
	FastAPI: rotateAtLogin,
}

var sessionFixationDanglingID = probe.Probe{
	Rule: danglingID, Steps: []string{visit, login, identity}, Flow: issuedID, Judge: judgeDanglingID,
	Open: []string{noIDBeforeLogin, "login issues no new id; session-id-not-rotated-on-login decides", storeDisputes},
	How: []string{
		"As for session-id-not-rotated-on-login, where the login did issue a new id.",
		"The attacker reads with the old id at once and after the victim's next requests, and with the jar that follows Set-Cookie.",
		"Controls: the victim is signed in; an anonymous session made at the same time stays anonymous.",
	},
}

func judgeDanglingID(t trace.Trace) finding.Verdict {
	if verdict, none := noPreLoginID(t); none {
		return verdict
	}
	got := takeover{victim: t.Facts.Victim()}.decide(t)
	switch {
	case !got.conclusive():
		return untested(got.open)
	case !rotated(t):
		return finding.Untested(finding.Decided, "login issued no new id, so no old one was left over; session-id-not-rotated-on-login decides", "")
	case len(got.stolen) == 0:
		return finding.Passed("")
	}
	user := t.Facts.Victim()
	return finding.Failed(finding.Finding{
		Rule: danglingID.ID, Subject: t.Facts.CarrierName(), Step: login,
		Message: "Login issued a new id, yet the " + got.stolen[0].Actor + ", who holds the old one, reads " + user +
			"'s profile; an anonymous session made at the same time does not.",
		Evidence: append(story(t), witnessed(t, plantedID(t), login)...),
	})
}
