package catalog

import (
	"fmt"
	"slices"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/idquality"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var hashed = finding.Rule{
	ID:     "session-id-hash-of-guessable",
	Title:  "Session ids are the digest of something guessable",
	Family: finding.IDQuality, Severity: 91, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",
	CWE: []int{341, 330, 328}, ASVS: []string{"v5.0.0-7.2.3"}, OWASPAPI: []string{"API2:2023"},
	WSTG:    []string{"WSTG-SESS-01", "WSTG-CRYP-04"},
	Why:     "A digest looks random and is no secret: whoever knows the user's name and about when she logged in computes her session id.",
	Fix:     "Draw ids from a cryptographic generator instead of computing them.",
	FastAPI: `session_id = secrets.token_urlsafe(32)   # not hashlib.md5(f"{user}{time.time()}".encode())`,
}

var sessionIDHashOfGuessable = probe.Probe{
	Rule: hashed, Steps: []string{login, identity}, Judge: judgeHashed,
	Open: append(slices.Clone(fewDrawn), idsTooShort),
	How: []string{
		"A dictionary is made of numbers, the times around the issue, the users' names and addresses, and names with times.",
		"Its digests (MD5, SHA-1, SHA-2, SHA-3) are compared with six ids of visits and of logins, whole or cut to 64 bits and more.",
		"It fails when three of them are there. None found is none detected: it does not show that ids are random.",
	},
}

// fewestHits is what fails: a match of 64 bits has a chance of 2^-39 by itself.
const fewestHits = 3

func judgeHashed(t trace.Trace) finding.Verdict {
	effort := idquality.Quick
	if t.Facts.Deep {
		effort = idquality.Thorough
	}
	most, short := 0, false
	all := drawnIDs(t, visit, login)
	for _, s := range all {
		if s.guarded(t.Facts, all) {
			most = max(most, len(s.drawn))
			continue
		}
		if s.step == login {
			most = max(most, len(s.drawn))
		}
		if guess, found := idquality.FindGuess(s.issues(), effort); found && guess.Hits >= fewestHits {
			return weakIDs(t, s, hashed.ID, fmt.Sprintf("%d of the ids looked at are the %s, and nothing else.", guess.Hits, guess.Recipe))
		}
		ids := unsigned(t.Facts, s.distinct().ids())
		short = short || s.step == login && len(ids) >= fewestHits && idquality.Capacity(ids) < largeBound
	}
	switch {
	case t.WasRateLimited():
		return untested(rateLimited())
	case short: // too short to tell a digest from chance
		return finding.Untested(finding.Decided, "the ids have no room for 64 bits; session-id-insufficient-length decides", "")
	case most < fewestHits:
		return tooFewDrawn(t, fmt.Sprintf("the server made %d ids of its own at logins, %d are needed", most, fewestHits))
	}
	return finding.Passed("")
}
