package catalog

import (
	"context"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var privilegeKeeps = finding.Rule{
	ID:     "session-id-not-rotated-on-privilege-change",
	Title:  "The session id survives a step up in privilege",
	Family: finding.Fixation, Severity: 68, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:H/I:H/A:N",
	CWE: []int{384}, ASVS: []string{"v5.0.0-7.2.4", "v5.0.0-7.5.1", "v5.0.0-7.5.3"}, OWASPAPI: []string{"API2:2023", "API5:2023"},
	WSTG: []string{"WSTG-SESS-03", "WSTG-ATHN-11"},
	Why:  "A copy of the id made before the second factor, the sudo prompt or the password asked again has the higher privilege afterwards without having given any of them.",
	Fix:  "Rotate the id at every change of authentication or privilege, also when the user stays the same.",
	FastAPI: `# one dependency for login, verify_otp, sudo, reset and oauth_callback:
` + rotateAtLogin,
}

var sessionIDNotRotatedOnPrivilegeChange = probe.Probe{
	Rule: privilegeKeeps, Steps: []string{login, identity, elevate, elevated}, Flow: elevation, Judge: judgeElevation,
	Open: []string{
		"the privileged page (elevate.then) answers the user after the step as it did before",
		"the privileged page is open to another session of the user, too, after one took the step",
	},
	How: []string{
		"The victim logs in and her jar is frozen; then she takes the elevate step and opens the privileged page.",
		"The frozen jar asks for the same page, before and after.",
		"It fails when the frozen jar is still hers and the page is open to it, unlike before.",
		"Controls: the page is open to her; it is closed to another session of hers that did not take the step.",
	},
}

// The moments at which the privileged page is asked for.
const (
	unelevated = "before the elevation"
	stepUp     = "after the elevation"
)

// elevation steps up in one of two sessions, a copy of which was made before.
var elevation = &probe.Flow{
	Name: "elevation", Steps: []string{login, identity, elevate, elevated},
	Run: func(ctx context.Context, stage probe.Stage) error {
		user := stage.Facts().Victim()
		other, v := stage.Actor(control), stage.Actor(victim)
		if !stage.Facts().Exclusive { // else the next login would end it
			if err := other.Login(ctx, user); err != nil {
				return err
			}
		}
		if err := v.Login(ctx, user); err != nil {
			return err
		}
		kept := v.Freeze(frozen)
		if err := kept.Enter(ctx, elevate, unelevated); err != nil {
			return err
		}
		if err := v.Do(ctx, elevate); err != nil {
			return err
		}
		for _, one := range []probe.Actor{v, kept, other} {
			one.Identify(ctx, after)
			if err := one.Enter(ctx, elevate, stepUp); err != nil {
				return err
			}
		}
		return ctx.Err()
	},
}

func judgeElevation(t trace.Trace) finding.Verdict {
	user := t.Facts.Victim()
	if reason, bad := elevationControls(t, user); bad {
		return untested(reason)
	}
	closed, open := page(t, frozen, unelevated), page(t, victim, stepUp)
	reads, got := t.Reads(frozen, after), page(t, frozen, stepUp)
	switch {
	case len(reads) == 0 || got == nil:
		return untested(unfinished(t, "the frozen jar was not tried after the elevation"))
	case !reads[0].Who.Is(user) && !reads[0].Who.IsAnonymous():
		return untested(unclear(reads[0]))
	case !reads[0].Who.Is(user):
		return finding.Passed("")
	case got.Response.Status == 0 || got.Response.Status >= 500:
		got.Who.Kind = trace.Broken
		return untested(unclear(*got))
	case !opened(*got, *closed, *open):
		return finding.Passed("the id from before is still signed in, without the higher privilege")
	}
	return finding.Failed(finding.Finding{
		Rule: privilegeKeeps.ID, Subject: t.Facts.CarrierName(), Step: elevate,
		Message: "The elevation kept the id: a jar frozen before " + user + " stepped up now opens " + got.Request.Line() +
			", which was closed to it before and is closed to another session of hers.",
		Evidence: append(story(t), witnessed(t, plantedID(t), elevate)...),
	})
}

func elevationControls(t trace.Trace, user string) (finding.Reason, bool) {
	closed, open, other := page(t, frozen, unelevated), page(t, victim, stepUp), page(t, control, stepUp)
	own, guards := t.Reads(victim, after), t.Reads(control, after)
	wanted := user
	if t.Facts.Exclusive {
		wanted = "" // a second session of the same user would not have survived
	}
	switch {
	case t.WasRateLimited():
		return rateLimited(), true
	case len(own) == 0 || closed == nil || open == nil:
		return unfinished(t, "the elevation was not completed"), true
	case !own[0].Who.Is(user):
		return broken("after the elevation the victim's own browser is taken for %s, not for %s", own[0].Who, user), true
	case len(guards) == 0 || other == nil:
		return unfinished(t, "the control jar was not tried"), true
	case guards[0].Who != whoIs(wanted):
		return broken("the control jar is taken for %s instead of %s", guards[0].Who, whoIs(wanted)), true
	case !opened(*open, *closed, *open):
		return finding.Reason{Code: finding.NoCalibration,
			Text:   "after the elevation " + open.Request.Line() + " answers " + user + " as it did before (" + status(*open) + ")",
			Remedy: "let elevate.then name a page that is closed before the elevation and open after it"}, true
	case opened(*other, *closed, *open):
		return finding.Reason{Code: finding.Ambiguous,
			Text:   "after the elevation " + open.Request.Line() + " is open to another session of " + user + ", too: the API keeps the step up for the user, or the page differs each time",
			Remedy: "keep the step up in the session that took it, or name a page whose answer is stable"}, true
	}
	return finding.Reason{}, false
}

// page is the actor's last answer at a moment of what is open after a step; nil
// if there is none.
func page(t trace.Trace, actor, moment string) *trace.Exchange {
	var last *trace.Exchange
	for _, exchange := range t.Step(actor, elevate) {
		if exchange.Moment == moment {
			last = &exchange
		}
	}
	return last
}

// opened reports whether an answer is one of the privileged kind: it has the
// status that the privileged browser got, and is not what was there before.
func opened(got, closed, open trace.Exchange) bool {
	status := got.Response.Status
	return status > 0 && status < 400 && status == open.Response.Status && !alike(got, closed)
}

// alike reports whether two answers are the same to a client.
func alike(a, b trace.Exchange) bool {
	return a.Response.Status == b.Response.Status && a.Response.Body == b.Response.Body &&
		a.Response.Get("Location") == b.Response.Get("Location")
}
