package catalog

import (
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var reauthKeeps = variant(privilegeKeeps, "re-authentication", "Logging in again as the same user leaves the old session id alive",
	31, "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:N/I:L/A:N")

// It is a probe beside that of its rule, since it needs no step but the login.
var sessionIDNotRotatedOnReauthentication = probe.Probe{
	Rule: reauthKeeps, Steps: []string{login, identity}, Flow: journey, Judge: judgeReauthentication,
	Open: []string{
		loginInsideRefused,
		"a login inside a session is not looked at: a wrong password is answered as the right one",
		"the session lives in the signed id itself; logout-session-not-invalidated decides",
	},
	How: []string{
		"The victim logs in, her jar is frozen, and she logs in again inside her session.",
		"It fails when the frozen jar still reads her profile (ASVS 7.2.4: a new token, and the end of the current one).",
		"Controls: she is signed in both times, an empty jar is nobody, and the login inside a session tells a right password from a wrong one.",
	},
}

func judgeReauthentication(t trace.Trace) finding.Verdict {
	user := t.Facts.Victim()
	if notTaken(t, sameAgain) {
		return finding.Untested(finding.NoPrecondition, "the API refuses a login inside a session", "")
	}
	got := survival{user: user, jars: []string{frozen}, began: after, moment: afterRelogin}.decide(t)
	again := t.Reads(sameAgain, afterRelogin)
	switch {
	case !got.conclusive():
		return untested(got.open)
	case len(again) == 0 || !again[0].Who.Is(user):
		return untested(unfinished(t, "the second login did not sign the user in"))
	case len(got.stolen) == 0:
		return finding.Passed("")
	case t.Facts.Stateless: // probes.md §10, trap 15
		return finding.Untested(finding.Decided, "the session lives in the signed id itself, which no login ends; logout-session-not-invalidated decides", "")
	}
	right, wrong := t.Step(sameAgain, login), t.Step(wrongAgain, login)
	switch {
	case len(right) == 0 || len(wrong) == 0:
		return untested(unfinished(t, "the login with a wrong password inside the session was not made"))
	case alike(right[len(right)-1], wrong[len(wrong)-1]):
		return finding.Untested(finding.NoPrecondition, "the API does not look at a login inside a session: it answers a wrong password as it does the right one", "")
	}
	return finding.Failed(finding.Finding{
		Rule: reauthKeeps.ID, Subject: t.Facts.CarrierName(), Step: login,
		Message: user + " logged in again inside her session, and the id from before still reads her profile: " +
			"a copy of it outlives the one thing a user can do about it.",
		Evidence: append(story(t), witnessed(t, plantedID(t), login)...),
	})
}

// notTaken reports whether the API refused a login of the actor, which nobody
// was read after.
func notTaken(t trace.Trace, actor string) bool {
	logins := t.Step(actor, login)
	if len(logins) == 0 || len(t.Reads(actor, "")) > 0 {
		return false
	}
	last := logins[len(logins)-1]
	return last.Response.Status >= 300 && last.Response.Status < 500 && last.Response.Status != tooManyRequests
}
