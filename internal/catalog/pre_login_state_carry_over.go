package catalog

import (
	"context"
	"slices"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var carriesOver = finding.Rule{
	ID:     "pre-login-state-carry-over",
	Title:  "A CSRF token from before the login is good after it",
	Family: finding.Fixation, Severity: 53, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:N/I:H/A:N",
	CWE: []int{384, 352}, ASVS: []string{"v5.0.0-7.2.4", "v5.0.0-3.5.1"}, OWASPAPI: []string{"API2:2023"},
	WSTG: []string{"WSTG-SESS-05", "WSTG-SESS-03"},
	Why:  "Whoever planted the anonymous session knows its token, and forges requests of the victim with it although the session id was rotated.",
	Fix:  "Begin signed-in sessions empty, with a CSRF secret of their own, and delete the session from before.",
	FastAPI: `session = Session(data={}, csrf_secret=secrets.token_bytes(32))   # nothing copied but an allow-list
` + rotateAtLogin,
}

var preLoginStateCarryOver = probe.Probe{
	Rule: carriesOver, Steps: []string{login, identity, stateChange}, Flow: plantedToken, Judge: judgeCarryOver,
	Open: []string{
		"the state-change step captures no CSRF token in a request before its last",
		"the state-change step is accepted without a token",
		oldIDSignedIn,
	},
	How: []string{
		"The attacker takes the CSRF token of an anonymous session, and the victim logs in with that session.",
		"The victim's browser performs the state-change step with that token, and with one that the attacker takes from the old session after the login.",
		"It fails when one of them is accepted.",
		"Controls: her own token is accepted; none at all, and that of an unrelated session, are refused.",
	},
}

// The moments at which the guarded request is sent, by the token it holds.
const (
	withPlanted   = "with the token from before the login"
	withLater     = "with a token of the old session from after the login"
	withNone      = "without a token"
	withUnrelated = "with the token of an unrelated session"
)

// plantedToken sends a guarded request with tokens that are not the session's.
// Those that must be refused may end it, so that her own comes last.
var plantedToken = &probe.Flow{
	Name: "planted-token", Steps: []string{login, identity, stateChange},
	Run: func(ctx context.Context, stage probe.Stage) error {
		old, other := stage.Actor(attacker), stage.Actor(control)
		if err := old.Begin(ctx, stateChange); err != nil {
			return err
		}
		planted := old.Captured(stateChange)
		if len(planted) == 0 {
			return nil // the judge says so
		}
		v := old.Copy(victim)
		if err := signIn(ctx, v, stage.Facts().Victim()); err != nil {
			return err
		}
		old.Identify(ctx, after)
		for _, visitor := range []probe.Actor{old, other} {
			if err := visitor.Begin(ctx, stateChange); err != nil && !refused(err) {
				return err
			}
		}
		none := map[string]secret.Text{}
		for name := range planted {
			none[name] = secret.Text{}
		}
		for _, try := range []struct {
			moment string
			values map[string]secret.Text
		}{{withPlanted, planted}, {withLater, old.Captured(stateChange)}, {withNone, none}, {withUnrelated, other.Captured(stateChange)}} {
			if err := v.Finish(ctx, stateChange, try.moment, try.values); err != nil && !refused(err) {
				return err
			}
		}
		return v.Do(ctx, stateChange)
	},
}

func judgeCarryOver(t trace.Trace) finding.Verdict {
	user := t.Facts.Victim()
	if reason, bad := carryOverControls(t, user); bad {
		return untested(reason)
	}
	var how string
	for _, moment := range []string{withPlanted, withLater} {
		tried := withToken(t, moment)
		switch {
		case tried == nil || tried.Response.Status == 0 || tried.Response.Status >= 500:
			return untested(unfinished(t, "the request "+moment+" gave no usable answer"))
		case !tried.Refused && how == "":
			how = moment
		}
	}
	if how == "" {
		return finding.Passed("")
	}
	return finding.Failed(finding.Finding{
		Rule: carriesOver.ID, Subject: "CSRF token", Step: login,
		Message: "In " + user + "'s signed-in session " + lastLine(t, how) + " was accepted " + how + ", which an attacker can know; " +
			"without a token, and with that of an unrelated session, it was refused.",
		Evidence: story(t),
	})
}

func lastLine(t trace.Trace, moment string) string { return withToken(t, moment).Request.Line() }

// withToken is the victim's request with that token; nil if it was not sent.
func withToken(t trace.Trace, moment string) *trace.Exchange {
	sent := t.Step(victim, stateChange)
	i := slices.IndexFunc(sent, func(x trace.Exchange) bool { return x.Moment == moment })
	if i < 0 {
		return nil
	}
	return &sent[i]
}

func carryOverControls(t trace.Trace, user string) (finding.Reason, bool) {
	own, old := t.Reads(victim, after), t.Reads(attacker, after)
	sent := t.Step(victim, stateChange)
	switch {
	case t.WasRateLimited():
		return rateLimited(), true
	case len(t.Exchanges) > 0 && t.Problem == "" && len(t.Step(victim, login)) == 0:
		return finding.Reason{Code: finding.NoPrecondition, Text: "the state-change step captures no CSRF token in a request before its last",
			Remedy: "let the first request of steps.state-change capture the token that its last one sends"}, true
	case len(own) == 0 || len(old) == 0:
		return unfinished(t, "the victim's login was not completed"), true
	case !own[0].Who.Is(user):
		return broken("after the login the victim's own browser is taken for %s, not for %s", own[0].Who, user), true
	case old[0].Who.Is(user):
		return finding.Reason{Code: finding.Decided, Text: "the old id is signed in itself; session-id-not-rotated-on-login and session-fixation-dangling-id decide"}, true
	case !old[0].Who.IsAnonymous():
		return unclear(old[0]), true
	case len(t.Step(control, stateChange)) == 0:
		return unfinished(t, "no unrelated session was begun"), true
	}
	for _, moment := range []string{withNone, withUnrelated} {
		switch tried := withToken(t, moment); {
		case tried == nil || tried.Response.Status == 0 || tried.Response.Status >= 500:
			return unfinished(t, "the request "+moment+" gave no usable answer"), true
		case !tried.Refused:
			return broken("%s is accepted %s: the token guards nothing, or the step does not say what it expects", tried.Request.Line(), moment), true
		}
	}
	if last := sent[len(sent)-1]; last.Moment != "" || last.Refused || last.Response.Status == 0 || t.Problem != "" {
		return unfinished(t, "the request with the victim's own token was not accepted"), true
	}
	return finding.Reason{}, false
}
