package catalog

import (
	"context"
	"fmt"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var noSessionLimit = finding.Rule{
	ID:     "concurrent-session-limit-not-enforced",
	Title:  "A user can have more sessions than the policy allows",
	Family: finding.Termination, Severity: 31, Vector: "CVSS:3.1/AV:N/AC:H/PR:L/UI:N/S:U/C:L/I:N/A:N",
	CWE: []int{770, 613}, ASVS: []string{"v5.0.0-7.1.2"}, OWASPAPI: []string{"API2:2023", "API4:2023"}, WSTG: []string{"WSTG-SESS-11"},
	Why: "A stolen password can be used beside its owner for as long as nobody counts, and every login adds a row.",
	Fix: "Count at login, in the same transaction, and end the oldest session or refuse the login.",
	FastAPI: `connection.execute("""DELETE FROM sessions WHERE user_id = %s AND id_hash NOT IN (
    SELECT id_hash FROM sessions WHERE user_id = %s ORDER BY created_at DESC LIMIT %s)""", (user.id, user.id, limit))`,
}

var concurrentSessionLimitNotEnforced = probe.Probe{
	Rule: noSessionLimit, Steps: []string{login, identity}, Flow: manySessions, Judge: judgeSessionLimit,
	Open: []string{"policy.max-sessions is higher than a scan logs in"},
	How: []string{
		"With policy.max-sessions: N the user logs in N+1 times, each time in another browser.",
		"It fails when all of them read her profile; it passes when the oldest ended or the last login was refused.",
		"Without a declared limit there is nothing to enforce, and it is not tested.",
	},
}

// mostSessions bounds the logins that a policy can ask for.
const mostSessions = 20

// manySessions goes one session over the limit, if there is one.
var manySessions = &probe.Flow{
	Name: "many-sessions", Steps: []string{login, identity}, Alone: true,
	Run: func(ctx context.Context, stage probe.Stage) error {
		limit, user := stage.Facts().MaxSessions, stage.Facts().Victim()
		if limit < 1 || limit > mostSessions {
			return nil // the judge says so
		}
		browsers := []probe.Actor{stage.Actor(victim)}
		for n := 2; n <= limit+1; n++ {
			browsers = append(browsers, stage.Actor(fmt.Sprintf("session %d", n)))
		}
		for n, browser := range browsers {
			if err := browser.Login(ctx, user); err != nil && (n < limit || !refused(err)) {
				return err
			}
			if n == 0 {
				browser.Identify(ctx, before)
			}
		}
		for _, browser := range append(browsers, stage.Actor(control)) {
			browser.Identify(ctx, after)
		}
		return ctx.Err()
	},
}

func judgeSessionLimit(t trace.Trace) finding.Verdict {
	limit, user := t.Facts.MaxSessions, t.Facts.Victim()
	switch {
	case limit < 1:
		return finding.Untested(finding.NoPrecondition, "the recipe declares no limit of sessions for a user", "declare policy.max-sessions")
	case limit > mostSessions:
		return finding.Untested(finding.TooFew, fmt.Sprintf("the limit of %d sessions would take more than %d logins", limit, mostSessions),
			fmt.Sprintf("declare a policy.max-sessions of %d or less for the test environment", mostSessions))
	}
	if reason, bad := (survival{user: user, began: before, moment: after}).controls(t); bad {
		return untested(reason)
	}
	alive, read := 0, 0
	for _, one := range t.Reads("", after) {
		switch {
		case one.Actor == control:
			continue
		case one.Who.Is(user):
			alive++
		case !one.Who.IsAnonymous():
			return untested(unclear(one))
		}
		read++
	}
	switch {
	case read <= limit || t.Problem != "":
		return untested(unfinished(t, "the user's sessions were not all read"))
	case alive == 0:
		return untested(broken("none of %s's sessions is signed in after the last login", user))
	case alive <= limit:
		return finding.Passed("")
	}
	return finding.Failed(finding.Finding{
		Rule: noSessionLimit.ID, Subject: "sessions of a user", Step: login,
		Message:  fmt.Sprintf("The policy allows %d sessions; %s logged in %d times, and all %d sessions read her profile.", limit, user, limit+1, alive),
		Evidence: story(t),
	})
}
