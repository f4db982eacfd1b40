package catalog

import (
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/idquality"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var userData = finding.Rule{
	ID:     "session-id-contains-user-data",
	Title:  "The session id tells who its user is",
	Family: finding.IDQuality, Severity: 31, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N",
	CWE: []int{200, 315, 539}, ASVS: []string{"v5.0.0-14.3.3", "v5.0.0-14.2.6"}, OWASPAPI: []string{"API3:2023"},
	WSTG:    []string{"WSTG-SESS-01"},
	Why:     "Ids stand in logs, proxies and browser profiles, and are not treated like personal data there. NIST SP 800-63B-4 §5.1.1 forbids it in clear.",
	Fix:     "Make the id opaque and keep what belongs to the user on the server.",
	FastAPI: `session_id = secrets.token_urlsafe(32)   # the user is a column of the row, not a part of the id`,
}

var namedInSubject = variant(userData, "subject", "The sub claim of the session token names its user", 0, "")

var sessionIDContainsUserData = probe.Probe{
	Rule: userData, Variants: []finding.Rule{namedInSubject}, Steps: []string{login, identity}, Judge: judgeUserData,
	Open: fewDrawn,
	How: []string{
		"The users' names, and the addresses that their profiles show, are looked for in their ids: as they stand, and in what the ids and their parts decode to.",
		"It fails when all ids of a user, three at least, hold her name or address, and those of another user do not.",
		"A name in the sub claim of a JWT is a note: that is what the claim is for.",
	},
}

func judgeUserData(t trace.Trace) finding.Verdict {
	words, most := knownWords(t), 0
	var noted finding.Verdict
	for _, s := range drawnIDs(t, login) {
		for _, user := range t.Facts.Users {
			own, others := s.split(user)
			most = max(most, len(own.drawn))
			for _, word := range words[user] {
				// A name of three letters stands in a random id of 43 with 2^-12, in
				// three of them with 2^-37.
				where := own.holds(word)
				if len(own.drawn) < fewestHits || where == idquality.Nowhere || len(others.drawn) > 0 && others.holds(word) != idquality.Nowhere {
					continue
				}
				if where == idquality.InSubject && !strings.Contains(word.Reveal(), "@") {
					noted = weakIDs(t, own, namedInSubject.ID, "The ids of "+user+" name her in "+string(where)+".")
					continue
				}
				return weakIDs(t, own, userData.ID, "All ids of "+user+" hold her name or address, in "+string(where)+"; those of others do not.")
			}
		}
	}
	switch {
	case t.WasRateLimited():
		return untested(rateLimited())
	case noted.Outcome == finding.Fail:
		return noted
	case most < fewestHits:
		return tooFewDrawn(t, "the server made fewer than three different ids of its own for each user")
	}
	return finding.Passed("")
}

// split parts the ids of one user, each once, from those of all others.
func (s series) split(user string) (own, others series) {
	own, others = series{slot: s.slot, step: s.step}, series{slot: s.slot, step: s.step}
	for _, one := range s.distinct().drawn {
		if one.by.User == user {
			own.drawn = append(own.drawn, one)
			continue
		}
		others.drawn = append(others.drawn, one)
	}
	return own, others
}

// holds is where all ids of the series hold the word.
func (s series) holds(word secret.Text) idquality.Where {
	var places []idquality.Where
	for _, one := range s.drawn {
		where := idquality.Holds(one.ID, word)
		if where == idquality.Nowhere {
			return idquality.Nowhere
		}
		places = append(places, where)
	}
	if len(places) == 0 {
		return idquality.Nowhere
	}
	slices.Sort(places)
	return places[0]
}
