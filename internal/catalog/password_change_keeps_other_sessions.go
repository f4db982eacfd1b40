package catalog

import (
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var passwordKeepsOthers = finding.Rule{
	ID:     "password-change-keeps-other-sessions",
	Title:  "A password change leaves the user's other sessions signed in",
	Family: finding.Termination, Severity: 59, Vector: "CVSS:3.1/AV:N/AC:H/PR:L/UI:N/S:U/C:H/I:L/A:N",
	CWE: []int{613, 384}, ASVS: []string{"v5.0.0-7.4.3"}, OWASPAPI: []string{"API2:2023"},
	WSTG:    []string{"WSTG-SESS-06", "WSTG-ATHN-09"},
	Why:     "Whoever signed in with the old password stays signed in: the change does not lock the thief out.",
	Fix:     "End all other sessions and remembered logins of the user in the transaction that changes the password. Where keeping them is a documented choice, declare the rule not applicable.",
	FastAPI: endAllSessions,
}

var passwordChangeKeepsOtherSessions = probe.Probe{
	Rule: passwordKeepsOthers, Steps: []string{login, identity, changePassword}, Flow: passwordChange, Judge: judgePasswordKeepsOthers,
	Open: []string{passwordUnchanged},
	How: []string{
		"The user logs in twice and changes her password in one of the sessions.",
		"It fails when the other session still reads her profile.",
		"Controls: both sessions were hers, the old password signs nobody in any more, the new one does. At the end it is changed back.",
	},
}

func judgePasswordKeepsOthers(t trace.Trace) finding.Verdict {
	if t.Facts.Exclusive {
		return oneAtATime()
	}
	if len(t.Exchanges) > 0 && len(t.Reads(elsewhere, before)) == 0 {
		return untested(unfinished(t, "the user's other session was not read before the change"))
	}
	got := passwordChanged(t, elsewhere)
	switch {
	case !got.conclusive():
		return untested(got.open)
	case len(got.stolen) == 0:
		return finding.Passed("")
	}
	user := t.Facts.Victim()
	return finding.Failed(finding.Finding{
		Rule: passwordKeepsOthers.ID, Subject: t.Facts.CarrierName(), Step: changePassword,
		Message:  user + " changed her password in one session, and her other one, begun with the old password, still reads her profile." + aftermath(t),
		Evidence: append(story(t), witnessed(t, plantedID(t), changePassword)...),
	})
}
