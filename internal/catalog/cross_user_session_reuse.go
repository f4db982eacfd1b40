package catalog

import (
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var crossUserReuse = finding.Rule{
	ID:     "cross-user-session-reuse",
	Title:  "Logging in inside another user's session keeps its id",
	Family: finding.Fixation, Core: true, Severity: 68, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:H/I:H/A:N",
	CWE: []int{384, 488, 639}, ASVS: []string{"v5.0.0-7.2.4"}, OWASPAPI: []string{"API2:2023"},
	WSTG:    []string{"WSTG-SESS-03", "WSTG-SESS-08"},
	Why:     "The attacker plants her own signed-in session; the victim logs in on top of it, and the attacker's copy of the id is now the victim's.",
	Fix:     "Start a fresh session at every successful authentication, whoever was signed in before.",
	FastAPI: rotateAtLogin,
}

var crossUserSessionReuse = probe.Probe{
	Rule: crossUserReuse, Steps: []string{login, identity}, Users: 2, Flow: crossUser, Judge: judgeCrossUser,
	Open: []string{loginInsideRefused, storeDisputes},
	How: []string{
		"The first user logs in and freezes her jar.",
		"A browser with a copy of it logs in as the second user.",
		"The frozen jar, and the one that follows Set-Cookie, read the identity endpoint.",
		"Controls: the second user is signed in; another session of the first user stays hers.",
	},
}

func judgeCrossUser(t trace.Trace) finding.Verdict {
	if len(t.Facts.Users) < 2 || len(t.Exchanges) == 0 {
		return untested(unfinished(t, "the login inside another session was not made"))
	}
	own, target := t.Facts.Users[0], t.Facts.Users[1]
	if turnedAway(t, own) {
		return finding.Untested(finding.NoPrecondition, "the API refuses a login inside a session",
			"nothing to do: where nobody can log in inside another's session, nobody takes it over that way")
	}
	question := takeover{victim: target, start: own, control: own}
	if t.Facts.Exclusive {
		question.control = "" // a second session of the same user would not have survived
	}
	got := question.decide(t)
	switch {
	case !got.conclusive():
		return untested(got.open)
	case len(got.stolen) == 0:
		return finding.Passed("")
	}
	return finding.Failed(finding.Finding{
		Rule: crossUserReuse.ID, Subject: t.Facts.CarrierName(), Step: login,
		Message: target + " logged in inside a session of " + own + "'s and the id stayed: the jar " + own +
			" had frozen before now reads " + target + "'s profile.",
		Evidence: append(story(t), witnessed(t, plantedID(t), login)...),
	})
}

// turnedAway reports whether the API refused the login for the session it came
// with: it said so, or it redirected and left the first user signed in. That the
// second user can log in elsewhere, calibration has shown.
func turnedAway(t trace.Trace, own string) bool {
	logins, reads := t.Step(victim, login), t.Reads(victim, after)
	if len(logins) == 0 || t.WasRateLimited() {
		return false
	}
	status := logins[len(logins)-1].Response.Status
	return notTaken(t, victim) || status >= 300 && status < 400 && len(reads) > 0 && reads[0].Who.Is(own)
}
