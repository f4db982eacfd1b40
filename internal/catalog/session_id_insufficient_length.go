package catalog

import (
	"fmt"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/idquality"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var shortID = finding.Rule{
	ID:     "session-id-insufficient-length",
	Title:  "Session ids come from a space of less than 32 bits",
	Family: finding.IDQuality, Core: true, Severity: 91, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",
	CWE: []int{334, 331}, ASVS: []string{"v5.0.0-7.2.3", "v5.0.0-11.5.1"}, OWASPAPI: []string{"API2:2023"},
	WSTG:    []string{"WSTG-SESS-01"},
	Why:     "Live ids can be found by trying; no login is needed.",
	Fix:     "Draw at least 128 bits from a cryptographic generator.",
	FastAPI: `session_id = secrets.token_urlsafe(32)   # 256 bits`,
}

var (
	shortID64 = variant(shortID, "below-64-bits", "Session ids come from a space of less than 64 bits",
		74, "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N")
	shortID128 = variant(shortID, "below-128-bits", "Session ids come from a space of less than 128 bits", 0, "")
)

var sessionIDInsufficientLength = probe.Probe{
	Rule: shortID, Variants: []finding.Rule{shortID64, shortID128},
	Steps: []string{login, identity}, Judge: judgeIDLength,
	Open: fewDrawn,
	How: []string{
		"Every id that a login of the run issued is looked at, eight at least.",
		"Positions that never change are dropped; each other one counts as the alphabet it is drawn from, generously.",
		"The sum is an upper bound of the entropy: below 32, 64 and 128 bits the rule and its variants fail. It never says that ids are strong.",
	},
}

// fewestIDs keeps the chance of mistaking the alphabet of a short id small:
// four hex digits look like decimal ones in eight ids once in (16/10)^32 runs.
const fewestIDs = 8

func judgeIDLength(t trace.Trace) finding.Verdict {
	bits, n := 0.0, 0
	for _, ids := range loginIDs(t) {
		bits += idquality.Capacity(unsigned(t.Facts, ids))
		n = max(n, len(ids))
	}
	if n < fewestIDs {
		if t.WasRateLimited() {
			return untested(rateLimited())
		}
		if n == 0 && len(t.Reads("", "")) > 0 && len(t.Facts.Chosen) > 0 {
			return finding.Untested(finding.NoPrecondition, "the server makes no ids of its own, it takes the client's", "")
		}
		if n > 0 && t.Facts.Stateless { // two logins in one second may well be signed alike
			return finding.Untested(finding.NoPrecondition, "the session is signed and holds no id of its own to guess", "")
		}
		return finding.Untested(finding.TooFew, fmt.Sprintf("the server made %d different ids of its own at logins, %d are needed", n, fewestIDs),
			"see which logins failed, or let the server make the ids")
	}
	rule := finding.Rule{}
	switch {
	case bits < 32:
		rule = shortID
	case bits < 64:
		rule = shortID64
	case bits < 128:
		rule = shortID128
	default:
		return finding.Passed("")
	}
	verdict := finding.Failed(finding.Finding{
		Rule: rule.ID, Subject: t.Facts.CarrierName(), Step: login,
		Message: fmt.Sprintf("The %d ids that logins issued vary in places that together hold at most %.0f bits.", n, bits),
	})
	verdict.Reproduced = true // the ids are independent draws
	return verdict
}

// unsigned are the ids without the envelope that signs them: what the server
// looks up is what has to be large (probes.md §6). Where nothing is looked up,
// the signature is all that keeps an id from being guessed, and stays.
func unsigned(facts trace.Facts, ids []secret.Text) []secret.Text {
	if facts.Stateless {
		return ids
	}
	plain := make([]secret.Text, len(ids))
	for i, id := range ids {
		plain[i] = idquality.Unsigned(id)
	}
	return plain
}

// loginIDs are the ids that logins issued, by slot of the carrier, each once.
func loginIDs(t trace.Trace) map[trace.Slot][]secret.Text {
	ids := map[trace.Slot][]secret.Text{}
	for _, s := range drawnIDs(t, login) {
		ids[s.slot] = s.distinct().ids()
	}
	return ids
}
