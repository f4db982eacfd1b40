package catalog

import (
	"fmt"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/idquality"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var predictablePRNG = finding.Rule{
	ID:     "session-id-predictable-prng",
	Title:  "Session ids come from a generator whose next output can be computed",
	Family: finding.IDQuality, Severity: 91, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",
	CWE: []int{338, 335, 337}, ASVS: []string{"v5.0.0-7.2.3", "v5.0.0-11.5.1"}, OWASPAPI: []string{"API2:2023"},
	WSTG:    []string{"WSTG-SESS-01", "WSTG-CRYP-04"},
	Why:     "A few hundred ids of her own give an attacker the state of the generator, and with it every id that others are given.",
	Fix:     "Use the generator of the operating system: no random.Random, no mt_rand, no seed of one's own.",
	FastAPI: `session_id = secrets.token_urlsafe(32)   # secrets, not random`,
}

var sessionIDPredictablePRNG = probe.Probe{
	Rule: predictablePRNG, Steps: []string{login, identity}, Flow: idSample, Deep: true, Judge: judgePRNG,
	Open: fewDrawn,
	How: []string{
		"Up to 2,000 ids are drawn one after the other, while nothing else is running.",
		"The state of MT19937 is taken from 624 words of them, and each later id is computed before it is compared; the generators of Python and Go are tried with the time of issue as their seed.",
		"It fails when three ids come out exactly. Not computed is not detected.",
	},
}

// fewestForState is the ids of 128 bits that hold the state of MT19937, and some more.
const fewestForState = 200

func judgePRNG(t trace.Trace) finding.Verdict {
	most := 0
	all := inOrder(t)
	for _, s := range all {
		most = max(most, len(s.drawn))
		if s.guarded(t.Facts, all) {
			continue
		}
		if hits := idquality.TwisterPredicts(s.ids()); hits >= fewestHits {
			return weakIDs(t, s, predictablePRNG.ID, fmt.Sprintf("%d of %d ids were computed from the ids before them, exactly: they are the output of MT19937.", hits, len(s.drawn)))
		}
		if hits := max(idquality.TwisterSeeded(s.issues()), idquality.GoSeeded(s.issues())); hits >= fewestHits {
			return weakIDs(t, s, predictablePRNG.ID, fmt.Sprintf("%d of %d ids are the first output of a generator that was seeded with the time.", hits, len(s.drawn)))
		}
	}
	switch {
	case t.WasRateLimited():
		return untested(rateLimited())
	case most < fewestForState:
		return tooFewDrawn(t, fmt.Sprintf("%d ids were drawn in a row, %d are needed", most, fewestForState))
	}
	return finding.Passed("")
}
