package catalog

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var idleIgnored = finding.Rule{
	ID:     "idle-timeout-not-enforced",
	Title:  "A session that nobody uses does not end",
	Family: finding.Termination, Severity: 42, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:L/A:N",
	CWE: []int{613}, ASVS: []string{"v5.0.0-7.3.1", "v5.0.0-7.1.1"}, OWASPAPI: []string{"API2:2023"}, WSTG: []string{"WSTG-SESS-07"},
	Why: "An id that was stolen, or left behind on a shared machine, works long after its owner has gone.",
	Fix: "Keep the time of last use in the session's row, and refuse the session in the lookup when it is older than the idle timeout.",
	FastAPI: `row = connection.execute("SELECT user_id FROM sessions WHERE id_hash = %s AND expires_at > now()"
                         " AND last_seen > now() - INTERVAL '30 minutes'", (digest(session_id),)).fetchone()`,
}

var idleTimeoutNotEnforced = probe.Probe{
	Rule: idleIgnored, Steps: []string{login, identity}, Flow: ageing, Judge: judgeIdle,
	Open: append(slices.Clone(ageless), "no column of the session's row is known by its name as a time (last_seen, created_at, expires_at)"),
	How: []string{
		"The time of last use in the row of a session is moved back by the recipe's policy.idle-timeout and a minute; the session must be refused.",
		"Where it is not, every time in the row is moved back, as if nobody had used the session for so long.",
		"Controls: the row of a twin session is deleted, and the API must miss it; an update that changes nothing must not end the session; put back byte for byte, the session must work again.",
		"Only rows of sessions that the gate itself made are changed, and no database of others.",
	},
}

func judgeIdle(t trace.Trace) finding.Verdict {
	if reason, bad := ageingControls(t); bad {
		return untested(reason)
	}
	if t.Facts.IdleTimeout == 0 {
		return finding.Untested(finding.NoPrecondition, "the recipe has no policy.idle-timeout", "add policy: {idle-timeout: 30m}, or what the API promises")
	}
	seen, all := tryOut(t, unused), tryOut(t, allUnused)
	switch {
	case !seen.made && !all.made:
		return finding.Untested(finding.NoSchema, "no column of the session's row is known by its name as a time", "call it last_seen, created_at or expires_at")
	case seen.open.Code != "":
		return untested(seen.open)
	case seen.honours:
		return finding.Passed(strings.Join(seen.columns, ", ") + " decides")
	case all.open.Code != "":
		return untested(all.open)
	case all.honours:
		return finding.Passed(strings.Join(all.columns, ", ") + " decide together")
	case !all.ignores:
		return untested(unfinished(t, "the reads with the aged session were not made"))
	}
	return finding.Failed(finding.Finding{
		Rule: idleIgnored.ID, Subject: t.Facts.CarrierName(), Step: identity,
		Message: fmt.Sprintf("With every time in its row moved back by %s the session of %s still works; the policy ends it after %s without use.",
			t.Facts.IdleTimeout+time.Minute, t.Facts.Victim(), t.Facts.IdleTimeout),
		Evidence: ageingStory(t, allUnused),
	})
}
