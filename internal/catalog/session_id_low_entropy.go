package catalog

import (
	"fmt"
	"slices"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/idquality"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var lowEntropy = finding.Rule{
	ID:     "session-id-low-entropy",
	Title:  "Session ids are long and hardly vary",
	Family: finding.IDQuality, Severity: 74, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N",
	CWE: []int{331, 334, 340}, ASVS: []string{"v5.0.0-7.2.3"}, OWASPAPI: []string{"API2:2023"},
	WSTG:    []string{"WSTG-SESS-01"},
	Why:     "An id is as hard to guess as the part of it that varies. The rest is for show.",
	Fix:     "Let the whole id be random: at least 128 bits from a cryptographic generator.",
	FastAPI: `session_id = secrets.token_urlsafe(32)   # 256 bits`,
}

var sessionIDLowEntropy = probe.Probe{
	Rule: lowEntropy, Steps: []string{login, identity}, Judge: judgeLowEntropy,
	Open: append(slices.Clone(fewDrawn), idsTooShort),
	How: []string{
		"The entropy of each place is estimated from all ids of the run, as characters, hex digits and bits, and the largest of the three sums counts: an upper bound of the whole.",
		"It fails when the bound is below 64 bits in both halves of at least 400 ids; of 20 ids and more, below 40.",
		"It never says that ids are strong: a counter that was hashed has all its bits.",
	},
}

// The bounds of the entropy, by the ids in each half of a sample. In 5,000
// simulated samples each of eleven kinds of ids with 64 random bits and more
// none of 10 ids came out below 40 bits, and none of 200 below 64. The lower bound of SP 800-90B is not used:
// it gives a perfect id of 128 bits 88 of them (probes.md §6).
const (
	smallHalf, smallBound = 10, 40
	largeHalf, largeBound = 200, 64
)

func judgeLowEntropy(t trace.Trace) finding.Verdict {
	tested, most := false, 0
	between := false
	all := drawnIDs(t, visit, login)
	for _, s := range all {
		s = s.distinct()
		if s.step == login {
			most = max(most, len(s.drawn))
		}
		half := len(s.drawn) / 2
		if half < smallHalf {
			continue
		}
		tested = tested || s.step == login
		if s.guarded(t.Facts, all) {
			continue
		}
		ids := unsigned(t.Facts, s.ids())
		if idquality.Capacity(ids) < largeBound {
			return finding.Untested(finding.Decided, "the ids have no room for 64 bits; session-id-insufficient-length decides", "")
		}
		bits := max(idquality.Entropy(ids[:half]), idquality.Entropy(ids[half:]))
		if bits < boundOf(half) && !t.Facts.Stateless {
			return weakIDs(t, s, lowEntropy.ID, fmt.Sprintf("%d ids have room for %.0f bits and hold %.0f at most: the rest hardly varies.",
				len(ids), idquality.Capacity(ids), bits))
		}
		between = between || bits < largeBound
	}
	switch {
	case t.WasRateLimited():
		return untested(rateLimited())
	case !tested:
		return tooFewDrawn(t, fmt.Sprintf("the server made %d different ids of its own at logins, %d are needed", most, 2*smallHalf))
	case between && !t.Facts.Stateless:
		return finding.Untested(finding.TooFew, "the ids may hold less than 64 bits, and so few of them do not show it", "scan with --profile deep, which draws more")
	}
	return finding.Passed("")
}

func boundOf(half int) float64 {
	if half >= largeHalf {
		return largeBound
	}
	return smallBound
}
