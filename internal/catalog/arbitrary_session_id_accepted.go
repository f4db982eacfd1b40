package catalog

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var arbitraryID = finding.Rule{
	ID:     "arbitrary-session-id-accepted",
	Title:  "A session id the server never issued becomes a signed-in session",
	Family: finding.Fixation, Core: true, Severity: 81, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:N",
	CWE: []int{384, 472}, ASVS: []string{"v5.0.0-7.2.3", "v5.0.0-7.2.4"}, OWASPAPI: []string{"API2:2023"},
	WSTG: []string{"WSTG-SESS-03", "WSTG-SESS-01"},
	Why:  "The attacker need not even visit: any string she plants in the victim's browser becomes the victim's session at login.",
	Fix:  "Treat an unknown id as no id at all, and make every id on the server.",
	FastAPI: `row = find_session(digest(cookie)) if cookie else None
if row is None:
    session = None          # never INSERT or UPSERT keyed by what the client sent
` + rotateAtLogin,
}

var arbitrarySessionIDAccepted = probe.Probe{
	Rule: arbitraryID, Steps: []string{login, identity}, Flow: forgedID, Judge: judgeArbitraryID,
	Open: []string{"every login with a made-up id is refused", storeDisputes},
	How: []string{
		"A made-up id in the carrier reads as nobody: one shaped like the server's own, and words; in the deep profile one character as well.",
		"The victim's browser holds it, visits, holds it again and logs in; once more without the visit.",
		"The attacker reads the identity endpoint with it.",
		"Controls: the victim is signed in; another made-up id stays nobody's.",
	},
}

func judgeArbitraryID(t trace.Trace) finding.Verdict {
	rounds := t.Rounds()
	if len(rounds) == 0 {
		return untested(unfinished(t, "the login with a made-up id was not made"))
	}
	var hits []hit
	var shapes []string
	var open finding.Reason
	decided := 0
	for _, name := range rounds {
		round := t.Round(name)
		if turnedDown(round) && len(round.Reads(victim, after)) == 0 {
			continue // the API said no to an id of that shape
		}
		got := takeover{victim: t.Facts.Victim()}.decide(round)
		switch {
		case len(got.stolen) > 0:
			hits = append(hits, hit{round, got.stolen})
			shapes = append(shapes, name)
		case got.conclusive():
			decided++
		case open.Code == "":
			open = got.open
		}
	}
	switch {
	case len(hits) > 0:
		return reportArbitrary(t, hits, shapes)
	case open.Code != "":
		return untested(open)
	case decided == 0: // a login that was never taken is no control
		return untested(unfinished(t, "every login with a made-up id was refused"))
	case t.Facts.Stateless:
		return finding.Passed("the session is signed; an id of the right shape with a wrong signature is nobody's")
	}
	return finding.Passed("")
}

func reportArbitrary(t trace.Trace, hits []hit, shapes []string) finding.Verdict {
	// The rounds run side by side: none of this is to depend on which was first.
	slices.Sort(shapes)
	told := slices.MinFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(len(a.round.Exchanges), len(b.round.Exchanges)), cmp.Compare(a.round.Rounds()[0], b.round.Rounds()[0]))
	}).round
	user := t.Facts.Victim()
	verdict := finding.Failed(finding.Finding{
		Rule: arbitraryID.ID, Subject: t.Facts.CarrierName(), Step: login,
		Message: "The login adopted an id that the server had never issued (" + strings.Join(shapes, "; ") +
			"): the attacker who made it up reads " + user + "'s profile with it, while another made-up id is nobody's.",
		Evidence: append(story(told), witnessed(told, plantedID(told), login)...),
	})
	verdict.Reproduced = len(hits) > 1
	return verdict
}
