package catalog

import (
	"context"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var stateUnbound = finding.Rule{
	ID:     "oauth-state-not-bound",
	Title:  "The callback of a login elsewhere works in a browser that did not begin it",
	Family: finding.Delivery, Severity: 54, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:L/I:L/A:N",
	CWE: []int{352, 384}, ASVS: []string{"v5.0.0-10.1.2", "v5.0.0-10.2.1"}, OWASPAPI: []string{"API2:2023"}, WSTG: []string{"WSTG-ATHZ-05"},
	Why: "The attacker begins a login as herself and makes the victim's browser load its end: the victim works in the attacker's account without knowing, or links it to hers.",
	Fix: "Bind state to the browser that began, by a cookie of its own, and use PKCE.",
	FastAPI: `state = request.cookies.get("__Host-oauth_state")     # set where the login began
if state is None or not secrets.compare_digest(state, query_state):
    raise HTTPException(403)
# fastapi-users does so from 15.0.2 on`,
}

var oauthStateNotBound = probe.Probe{
	Rule: stateUnbound, Steps: []string{identity, callback}, Users: 2, Flow: foreignCallback, Judge: judgeStateUnbound,
	Open: []string{"the callback step has one request only, so that there is nothing an attacker could begin"},
	How: []string{
		"The attacker performs the callback step as the second user, but for its last request, which another browser sends with the values that she captured.",
		"It fails when that browser is signed in as her.",
		"Controls: where she sends the last request herself, she is signed in; an empty jar is nobody.",
	},
}

// The browsers of a callback beside the attacker's, who begins it.
const (
	deceived = "browser that began nothing"
	herself  = "attacker herself"
)

// foreignCallback ends in one browser what was begun in another.
var foreignCallback = &probe.Flow{
	Name: "foreign-callback", Steps: []string{identity, callback}, Users: 2,
	Run: func(ctx context.Context, stage probe.Stage) error {
		owner := stage.Facts().Users[1]
		thief, own, other := stage.Actor(attacker), stage.Actor(herself), stage.Actor(deceived)
		thief.Become(owner)
		if err := thief.Begin(ctx, callback); err != nil {
			return err
		}
		other.Become(owner) // the address that it loads is hers
		if err := other.Finish(ctx, callback, "with the attacker's values", thief.Captured(callback)); err != nil && !refused(err) {
			return err
		}
		other.Identify(ctx, after)
		own.Become(owner)
		if err := own.Do(ctx, callback); err != nil {
			return err
		}
		own.Identify(ctx, after)
		stage.Actor(control).Identify(ctx, after)
		return ctx.Err()
	},
}

func judgeStateUnbound(t trace.Trace) finding.Verdict {
	if len(t.Facts.Users) < 2 || len(t.Exchanges) == 0 {
		return untested(unfinished(t, "the callback was not tried"))
	}
	owner := t.Facts.Users[1]
	own, got, guards := t.Reads(herself, after), t.Reads(deceived, after), t.Reads(control, after)
	switch {
	case t.WasRateLimited():
		return untested(rateLimited())
	case len(own) == 0 || len(got) == 0 || len(guards) == 0:
		return untested(unfinished(t, "the callback was not tried in both browsers"))
	case !own[0].Who.Is(owner):
		return untested(broken("the browser that began the login and ended it is taken for %s, not for %s", own[0].Who, owner))
	case !guards[0].Who.IsAnonymous():
		return untested(broken("an empty jar is taken for %s", guards[0].Who))
	case len(t.Step(attacker, callback)) == 0:
		return finding.Untested(finding.NoPrecondition, "the callback step has one request only, so that there is nothing an attacker could begin",
			"write steps.callback as a list: what begins the login and captures its values, and the callback as the last")
	case got[0].Who.Is(owner):
		return finding.Failed(finding.Finding{
			Rule: stateUnbound.ID, Subject: "login elsewhere", Step: callback,
			Message:  "A browser that had begun no login loaded the callback of one that " + owner + " had begun in hers, and is signed in as " + owner + " now.",
			Evidence: story(t),
		})
	case !got[0].Who.IsAnonymous():
		return untested(unclear(got[0]))
	case t.Problem != "":
		return untested(unfinished(t, ""))
	}
	return finding.Passed("")
}
