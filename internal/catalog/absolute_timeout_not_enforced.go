package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var expiryIgnored = finding.Rule{
	ID:     "absolute-timeout-not-enforced",
	Title:  "A session outlives its end",
	Family: finding.Termination, Severity: 42, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:L/A:N",
	CWE: []int{613, 539}, ASVS: []string{"v5.0.0-7.3.2"}, OWASPAPI: []string{"API2:2023"}, WSTG: []string{"WSTG-SESS-07"},
	Why: "A cookie's Max-Age binds the browser only, and a job that deletes old rows leaves them readable until it runs (CockroachDB's row-level TTL does): whoever copied the id goes on.",
	Fix: "Compare the expiry in the statement that looks the session up, and do not let use move it past an absolute limit.",
	FastAPI: `row = connection.execute("SELECT user_id FROM sessions WHERE id_hash = %s AND expires_at > now()",
                         (digest(session_id),)).fetchone()   # a TTL only collects garbage`,
}

var absoluteTimeoutNotEnforced = probe.Probe{
	Rule: expiryIgnored, Steps: []string{login, identity}, Flow: ageing, Judge: judgeAbsolute,
	Open: append(slices.Clone(ageless), "the session's row has no expiry, and the recipe no policy.absolute-timeout or the row no created_at to move back"),
	How: []string{
		"The expiry in the row of a session is set to a minute ago; the session must be refused.",
		"With a policy.absolute-timeout: where use moves the expiry on, or the row has none, the time of its beginning is moved back by that much and a minute.",
		"Controls: the row of a twin session is deleted, and the API must miss it; an update that changes nothing must not end the session; put back byte for byte, the session must work again.",
	},
}

func judgeAbsolute(t trace.Trace) finding.Verdict {
	if reason, bad := ageingControls(t); bad {
		return untested(reason)
	}
	over, old := tryOut(t, expired), tryOut(t, begunLongAgo)
	slides := over.made && expiryMoves(t)
	switch {
	case over.ignores:
		return finding.Failed(finding.Finding{
			Rule: expiryIgnored.ID, Subject: strings.Join(over.columns, ", "), Step: identity,
			Message: fmt.Sprintf("With %s set to a minute ago the session of %s still works: nothing compares it when the session is looked up.",
				strings.Join(over.columns, ", "), t.Facts.Victim()),
			Evidence: ageingStory(t, expired),
		})
	case over.open.Code != "":
		return untested(over.open)
	case over.honours && t.Facts.AbsoluteTimeout == 0:
		return finding.Passed(strings.Join(over.columns, ", ") + " decides")
	case over.honours && !slides:
		return finding.Passed(strings.Join(over.columns, ", ") + " decides, and use does not move it")
	case !over.made && !old.made && t.Facts.AbsoluteTimeout == 0:
		return finding.Untested(finding.NoPrecondition, "the session's row has no expiry, and the recipe no policy.absolute-timeout",
			"add policy: {absolute-timeout: 12h}, or what the API promises")
	case !old.made:
		return finding.Untested(finding.NoSchema, "no column of the session's row is known by its name as the time of its beginning", "call it created_at")
	case old.open.Code != "":
		return untested(old.open)
	case old.honours:
		return finding.Passed(strings.Join(old.columns, ", ") + " decides")
	}
	return finding.Failed(finding.Finding{
		Rule: expiryIgnored.ID, Subject: strings.Join(old.columns, ", "), Step: identity,
		Message: fmt.Sprintf("With %s moved back by more than %s the session of %s still works: use keeps it alive past the absolute timeout of the policy.",
			strings.Join(old.columns, ", "), t.Facts.AbsoluteTimeout, t.Facts.Victim()),
		Evidence: ageingStory(t, begunLongAgo),
	})
}

// expiryMoves reports whether a request with a session shortly before its end
// moved the end on.
func expiryMoves(t trace.Trace) bool {
	for _, earlier := range t.Looks {
		for _, later := range t.Looks {
			if earlier.Moment == nearlyOver && later.Moment == ageingLook && earlier.ID == later.ID && laterExpiry(earlier, later) {
				return true
			}
		}
	}
	return false
}

func laterExpiry(earlier, later trace.Look) bool {
	for _, was := range earlier.Places {
		for _, is := range later.Places {
			before, had := was.Row.With("expires")
			now, has := is.Row.With("expires")
			if !had || !has || was.Row.Table != is.Row.Table || was.Column != is.Column || before.Name != now.Name {
				continue
			}
			first, known := before.Time()
			second, too := now.Time()
			if known && too && second.After(first) {
				return true
			}
		}
	}
	return false
}
