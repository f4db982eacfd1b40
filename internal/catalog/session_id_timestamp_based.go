package catalog

import (
	"fmt"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/idquality"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var timestamped = finding.Rule{
	ID:     "session-id-timestamp-based",
	Title:  "Session ids are made of the time",
	Family: finding.IDQuality, Severity: 91, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",
	CWE: []int{340, 341, 330}, ASVS: []string{"v5.0.0-7.2.3", "v5.0.0-11.5.1"}, OWASPAPI: []string{"API2:2023"},
	WSTG:    []string{"WSTG-SESS-01"},
	Why:     "Whoever knows when somebody logged in has most of the id, and tries out the rest. Host, process and counter beside the time are no secrets.",
	Fix:     "Let no part of the secret come from a clock, a host or a counter.",
	FastAPI: `session_id = secrets.token_urlsafe(32)   # never uuid.uuid1(), bson.ObjectId() or time.time_ns()`,
}

var timeOrdered = variant(timestamped, "time-ordered", "Session ids tell when they were issued (UUIDv7, ULID, KSUID)", 0, "")

var sessionIDTimestampBased = probe.Probe{
	Rule: timestamped, Variants: []finding.Rule{timeOrdered}, Steps: []string{login, identity}, Judge: judgeTimestamped,
	Open: fewDrawn,
	How: []string{
		"A part that tells the time of issue within five seconds is looked for in all ids of the run: in the layouts of UUID, ULID, KSUID, ObjectId, xid and snowflake, and in every window of digits and bytes.",
		"It must be right for 95 of 100 ids, eight at least.",
		"It fails when what is left without it holds less than 64 bits. UUIDv7, ULID and KSUID leave 74 and more, which is a note.",
	},
}

func judgeTimestamped(t trace.Trace) finding.Verdict {
	most, note := 0, ""
	var sortable finding.Verdict
	all := drawnIDs(t, visit, login)
	for _, s := range all {
		s = s.distinct()
		if s.step == login {
			most = max(most, len(s.drawn))
		}
		// A window of 32 bits is right by chance with 11/2^32: for eight ids with
		// 2^-228, and there are some hundred windows.
		if len(s.drawn) < fewestIDs {
			continue
		}
		clock, found := idquality.FindClock(s.issues())
		switch {
		case !found || t.Facts.Stateless || s.guarded(t.Facts, all):
		case clock.Rest < largeBound:
			return weakIDs(t, s, timestamped.ID, fmt.Sprintf("The %d ids hold the time of their issue (%s). What is left without it holds %.0f bits at most.",
				len(s.drawn), clock.Format, clock.Rest))
		case clock.Sortable:
			sortable = weakIDs(t, s, timeOrdered.ID, fmt.Sprintf("The ids are %ss: they tell when the session began, and beside that they are random.", clock.Format))
		default:
			note = "the ids hold the time of their issue beside a part that is long enough"
		}
	}
	switch {
	case t.WasRateLimited():
		return untested(rateLimited())
	case sortable.Outcome == finding.Fail:
		return sortable
	case most < fewestIDs:
		return tooFewDrawn(t, fmt.Sprintf("the server made %d different ids of its own at logins, %d are needed", most, fewestIDs))
	}
	return finding.Passed(note)
}
