package catalog

import (
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var passwordKeepsID = finding.Rule{
	ID:     "session-id-not-rotated-on-password-change",
	Title:  "The session id survives a change of the password made in it",
	Family: finding.Fixation, Severity: 54, Vector: "CVSS:3.1/AV:N/AC:H/PR:L/UI:R/S:U/C:H/I:L/A:N",
	CWE: []int{384, 613}, ASVS: []string{"v5.0.0-7.2.4", "v5.0.0-7.4.3"}, OWASPAPI: []string{"API2:2023"},
	WSTG:    []string{"WSTG-SESS-03", "WSTG-ATHN-09"},
	Why:     "Users change a password because somebody may know it; a thief who copied the session id stays signed in.",
	Fix:     "End all sessions of the user when the password changes, and issue one new id to the browser that changed it.",
	FastAPI: endAllSessions,
}

var sessionIDNotRotatedOnPasswordChange = probe.Probe{
	Rule: passwordKeepsID, Steps: []string{login, identity, changePassword}, Flow: passwordChange, Judge: judgePasswordKeepsID,
	Open: []string{passwordUnchanged},
	How: []string{
		"The user logs in, her jar is frozen, and she changes her password.",
		"It fails when the frozen jar still reads her profile.",
		"Controls: the old password signs nobody in any more, the new one does. At the end it is changed back.",
	},
}

func judgePasswordKeepsID(t trace.Trace) finding.Verdict {
	got := passwordChanged(t, frozen)
	switch {
	case !got.conclusive():
		return untested(got.open)
	case len(got.stolen) == 0:
		return finding.Passed("")
	}
	user := t.Facts.Victim()
	return finding.Failed(finding.Finding{
		Rule: passwordKeepsID.ID, Subject: t.Facts.CarrierName(), Step: changePassword,
		Message: "After " + user + " changed her password, a copy of the session id from before still reads her profile: " +
			survivedBy(t) + aftermath(t),
		Evidence: append(story(t), witnessed(t, plantedID(t), changePassword)...),
	})
}

// survivedBy says whether the browser that changed the password was given
// another id, beside which the old one works.
func survivedBy(t trace.Trace) string {
	for _, exchange := range t.Step(victim, changePassword) {
		if len(exchange.Issued(t.Facts.Carrier)) > 0 {
			return "she was given a new one, and the old one was not ended."
		}
	}
	return "it was not rotated."
}
