package catalog

import (
	"context"
	"fmt"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var everywhereKeeps = finding.Rule{
	ID:     "logout-everywhere-incomplete",
	Title:  "Logging out everywhere leaves sessions alive",
	Family: finding.Termination, Severity: 59, Vector: "CVSS:3.1/AV:N/AC:H/PR:L/UI:N/S:U/C:H/I:L/A:N",
	CWE: []int{613}, ASVS: []string{"v5.0.0-7.5.2", "v5.0.0-7.4.5"}, OWASPAPI: []string{"API2:2023"},
	WSTG:    []string{"WSTG-SESS-06", "WSTG-SESS-11"},
	Why:     "It is what users do about a lost phone; the session on the phone goes on.",
	Fix:     "Delete the sessions by user, not by id, and those of no other user.",
	FastAPI: endAllSessions,
}

var logoutEverywhereIncomplete = probe.Probe{
	Rule: everywhereKeeps, Steps: []string{login, identity, everywhere}, Users: 2, Flow: signOutEverywhere, Judge: judgeEverywhere,
	Open: []string{"the request to log out everywhere ends no session at all"},
	How: []string{
		"One user logs in three times, another once; the first asks in one session to be logged out everywhere.",
		"It fails when one of her other sessions still reads her profile, or when the other user is signed out.",
		"Controls: all were signed in before; the request ended something.",
	},
}

// third is one more session of the victim's.
const third = "third session"

// signOutEverywhere ends all sessions of a user from one of them.
var signOutEverywhere = &probe.Flow{
	Name: "sign-out-everywhere", Steps: []string{login, identity, everywhere}, Users: 2, Alone: true,
	Run: func(ctx context.Context, stage probe.Stage) error {
		facts := stage.Facts()
		if facts.Exclusive || scarce(facts) {
			return nil // the judge says so
		}
		bob, v := stage.Actor(control), stage.Actor(victim)
		if err := bob.Login(ctx, facts.Users[1]); err != nil {
			return err
		}
		browsers := []probe.Actor{stage.Actor(elsewhere), stage.Actor(third), v}
		for _, browser := range browsers {
			if err := browser.Login(ctx, facts.Victim()); err != nil {
				return err
			}
		}
		for _, browser := range append(browsers, bob) {
			browser.Identify(ctx, before)
		}
		if err := v.Do(ctx, everywhere); err != nil {
			return err
		}
		for _, browser := range append(browsers, bob) {
			browser.Identify(ctx, after)
		}
		return ctx.Err()
	},
}

func judgeEverywhere(t trace.Trace) finding.Verdict {
	if t.Facts.Exclusive {
		return oneAtATime()
	}
	if scarce(t.Facts) {
		return finding.Untested(finding.NoPrecondition, "it takes three sessions of a user, and policy.max-sessions allows fewer", "")
	}
	if len(t.Facts.Users) < 2 || len(t.Exchanges) == 0 {
		return untested(unfinished(t, "nobody was logged out everywhere"))
	}
	user, bob := t.Facts.Users[0], t.Facts.Users[1]
	if len(t.Reads(elsewhere, before)) == 0 || len(t.Reads(third, before)) == 0 {
		return untested(unfinished(t, "the user's other sessions were not read before"))
	}
	if signedOut(t, bob) {
		return failEverywhere(t, "another user's session", "Logging "+user+" out everywhere signed "+bob+" out, too.")
	}
	got := survival{user: user, jars: []string{elsewhere, third}, control: bob}.decide(t)
	own := t.Reads(victim, after)
	switch {
	case !got.conclusive():
		return untested(got.open)
	case len(own) == 0:
		return untested(unfinished(t, "the browser that asked was not read afterwards"))
	case !own[0].Who.Is(user) && !own[0].Who.IsAnonymous():
		return untested(unclear(own[0]))
	case len(got.stolen) == 0:
		return finding.Passed("")
	case len(got.stolen) == 2 && own[0].Who.Is(user):
		return finding.Untested(finding.NoCalibration, "the request to log out everywhere was answered and ended no session at all",
			"check the logout-everywhere step: it may need a CSRF token, another method or a confirmation")
	}
	return failEverywhere(t, t.Facts.CarrierName(),
		fmt.Sprintf("After %s was logged out everywhere, %d of her 2 other sessions still read her profile.", user, len(got.stolen)))
}

// scarce reports whether the policy allows fewer sessions than this takes.
func scarce(facts trace.Facts) bool { return facts.MaxSessions > 0 && facts.MaxSessions < 3 }

func failEverywhere(t trace.Trace, subject, message string) finding.Verdict {
	return finding.Failed(finding.Finding{Rule: everywhereKeeps.ID, Subject: subject, Step: everywhere, Message: message, Evidence: story(t)})
}

// signedOut reports whether the other user was signed in before and is nobody
// afterwards. A 429 shows nothing.
func signedOut(t trace.Trace, bob string) bool {
	began, ended, own := t.Reads(control, before), t.Reads(control, after), t.Reads(victim, before)
	return !t.WasRateLimited() && len(own) > 0 && own[0].Who.Is(t.Facts.Victim()) &&
		len(began) > 0 && began[0].Who.Is(bob) && len(ended) > 0 && ended[0].Who.IsAnonymous()
}
