package catalog

import (
	"fmt"
	"time"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var lifetimeExcessive = finding.Rule{
	ID:     "session-lifetime-excessive",
	Title:  "Sessions are made to live longer than the policy allows",
	Family: finding.Termination, Severity: 31, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N",
	CWE: []int{613, 539}, ASVS: []string{"v5.0.0-7.3.2", "v5.0.0-7.1.1"}, OWASPAPI: []string{"API2:2023"},
	WSTG:    []string{"WSTG-SESS-07", "WSTG-SESS-02"},
	Why:     "A stolen id is of use for as long as its session lives.",
	Fix:     "Give sessions an absolute end that fits what they protect: NIST SP 800-63B-4 says 24 hours at AAL2, 30 days at most.",
	FastAPI: `expires_at = now() + interval '8 hours'      # and no max_age on the cookie`,
}

var sessionLifetimeExcessive = probe.Probe{
	Rule: lifetimeExcessive, Steps: []string{login, identity}, Flow: journey, Judge: judgeLifetime,
	Open: []string{"neither the cookie nor the session store says how long a session lives"},
	How: []string{
		"After a login the lifetime is read where it is declared: Max-Age or Expires of the cookie, and the expiry of the session's row.",
		"It fails above the absolute-timeout of the recipe's policy, without one above 30 days.",
	},
}

func judgeLifetime(t trace.Trace) finding.Verdict {
	own := t.Reads(victim, after)
	if len(own) == 0 || !own[0].Who.Is(t.Facts.Victim()) {
		return untested(unfinished(t, "the victim's login was not completed"))
	}
	longest, where := cookieLifetime(t)
	if look, _, seen := looked(t); seen {
		for _, place := range look.Places {
			expires, has := place.Row.With("expires")
			if at, known := expires.Time(); has && known && at.Sub(look.At) > longest {
				longest, where = at.Sub(look.At), place.Row.Table+"."+expires.Name
			}
		}
	}
	switch {
	case where == "":
		return finding.Untested(finding.NoDatabase, "neither the cookie nor the store says how long a session lives",
			"let the gate see the session store (database:), or give sessions an expiry")
	case longest <= t.Facts.Lifetime():
		return finding.Passed(fmt.Sprintf("%s says %s", where, days(longest)))
	}
	return finding.Failed(finding.Finding{
		Rule: lifetimeExcessive.ID, Subject: where, Step: login,
		Message:  fmt.Sprintf("A new session is to live for %s according to %s; the policy allows %s.", days(longest), where, days(t.Facts.Lifetime())),
		Evidence: story(t),
	})
}

func cookieLifetime(t trace.Trace) (longest time.Duration, where string) {
	for _, s := range carrierSettings(t) {
		if s.deletes() {
			continue
		}
		if lifetime, persists := s.cookie.Requested(s.exchange.Began); persists && lifetime >= longest {
			longest, where = lifetime, "cookie "+s.cookie.Name
		}
	}
	return longest, where
}

func days(d time.Duration) string {
	if d < 48*time.Hour {
		return fmt.Sprintf("%.1f hours", d.Hours())
	}
	return fmt.Sprintf("%.0f days", d.Hours()/24)
}
