package catalog

import (
	"fmt"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/idquality"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var sequential = finding.Rule{
	ID:     "session-id-sequential",
	Title:  "The next session id is the last one and a constant step",
	Family: finding.IDQuality, Severity: 91, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",
	CWE: []int{341, 343, 340}, ASVS: []string{"v5.0.0-7.2.3", "v5.0.0-11.5.1"}, OWASPAPI: []string{"API2:2023"},
	WSTG:    []string{"WSTG-SESS-01"},
	Why:     "Whoever has one id of her own knows those issued before and after it: every session is open to everybody.",
	Fix:     "Draw ids from a cryptographic generator; a SERIAL column or unique_rowid() is no session id.",
	FastAPI: `session_id = secrets.token_urlsafe(32)   # never the key that the database counts`,
}

var sessionIDSequential = probe.Probe{
	Rule: sequential, Steps: []string{login, identity}, Flow: idSample, Judge: judgeSequential,
	Open: fewDrawn,
	How: []string{
		"Ids are drawn one after the other, each into an empty jar, while nothing else is running: by visits, and by logins.",
		"Each id is read as a number in a dozen ways; from the two before it the next one is computed, and compared with the one that comes.",
		"It fails when at least two, and half of all, come out exactly.",
		"Ids that only ascend are no failure: so do UUIDv7 and ULID.",
	},
}

func judgeSequential(t trace.Trace) finding.Verdict {
	undecided, tested, ordered := "", false, false
	all := inOrder(t)
	for _, s := range all {
		hits, tries := idquality.Predicted(s.ids())
		// 12 readings of 40 ids of 64 random bits give two hits with 2^-114.
		if hits >= 2 && 2*hits >= tries && !s.guarded(t.Facts, all) {
			return weakIDs(t, s, sequential.ID, fmt.Sprintf("From each two ids the next one was computed before it was compared: %d of %d came out exactly. The step between them is constant.", hits, tries))
		}
		if tries < 2 {
			undecided = s.step
		} else if s.step == login {
			tested = true
		}
		ordered = ordered || idquality.Ascents(s.ids()) > orderedBeyond
	}
	switch {
	case t.WasRateLimited():
		return untested(rateLimited())
	case !tested || undecided != "":
		return tooFewDrawn(t, fmt.Sprintf("fewer than %d ids were drawn in a row", fewestInTurn))
	case ordered:
		return finding.Passed("the ids ascend, and yet the next one could not be computed")
	}
	return finding.Passed("")
}

// orderedBeyond is where chance ends: p < 1e-15 (probes.md §6).
const orderedBeyond = 8

// weakIDs is the failure of a series. Each of its ids is a draw of its own, so
// that it shows the weakness many times.
func weakIDs(t trace.Trace, s series, rule, message string) finding.Verdict {
	verdict := finding.Failed(finding.Finding{
		Rule: rule, Subject: s.slot.String(), Step: s.step, Message: message, Evidence: story(s.evidence(t)),
	})
	verdict.Reproduced = true
	return verdict
}

// tooFewDrawn is the answer where the sample does not show enough.
func tooFewDrawn(t trace.Trace, text string) finding.Verdict {
	switch {
	case t.WasRateLimited():
		return untested(rateLimited())
	case len(t.Facts.Chosen) > 0 && t.Problem == "":
		return finding.Untested(finding.NoPrecondition, "the server makes no ids of its own, it takes the client's", "")
	case t.Problem != "":
		text += ": " + t.Problem
	}
	return finding.Untested(finding.TooFew, text, "scan with --profile deep, which draws more; or see which logins failed")
}
