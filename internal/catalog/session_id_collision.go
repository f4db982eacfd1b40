package catalog

import (
	"fmt"
	"slices"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var collision = finding.Rule{
	ID:     "session-id-collision",
	Title:  "The same session id is issued twice",
	Family: finding.IDQuality, Severity: 91, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",
	CWE: []int{334, 488, 798}, ASVS: []string{"v5.0.0-7.2.3"}, OWASPAPI: []string{"API2:2023"},
	WSTG: []string{"WSTG-SESS-01"},
	Why:  "Two people share one session: one sees and does what the other may.",
	Fix:  "Draw at least 128 bits from a cryptographic generator, and let a primary key refuse what is there already. Let no cache store an answer that sets a cookie.",
	FastAPI: `session_id = secrets.token_urlsafe(32)
connection.execute("INSERT INTO sessions (id_hash, user_id) VALUES (%s, %s)", (digest(session_id), user.id))   # id_hash is the PRIMARY KEY`,
}

var sameUser = variant(collision, "same-user", "Every login of a user is given the same session id", 0, "")

var sessionIDCollision = probe.Probe{
	Rule: collision, Variants: []finding.Rule{sameUser}, Steps: []string{login, identity}, Flow: idSample, Judge: judgeCollision,
	Open: append(slices.Clone(fewDrawn), "an answer that sets the id comes from a cache"),
	How: []string{
		"Empty jars visit and log in, one after the other and side by side.",
		"It fails when logins of different users are given the same id, or when visitors are: twice, or once and once more when it is repeated.",
		"One value for all visitors is no session, but a word for none; the same id for each login of one user is a note.",
		"No collision shows nothing but that ids have more than ten bits or so.",
	},
}

func judgeCollision(t trace.Trace) finding.Verdict {
	all := drawnIDs(t, visit, login)
	logins, repeats := 0, finding.Verdict{}
	placeholder := ""
	for _, s := range all {
		if s.step == login {
			logins += len(s.drawn)
		}
		// Of 40 random ids of 64 bits two are equal with 4e-17, of 2,000 with
		// 1.1e-13 (probes.md §6).
		shared, times := s.shared()
		switch {
		case times == 0 || s.guarded(t.Facts, all):
		case t.Facts.Stateless && shared.ofOneUser(): // the same content is the same token
		case len(s.distinct().drawn) == 1 && s.step == visit:
			placeholder = "every visitor is given the same value"
		case fromCache(shared):
			return finding.Untested(finding.NoEnvironment, "an answer that sets the id came from a cache", "scan the API itself; and let no cache store an answer that sets a cookie")
		case s.step == login && shared.ofOneUser():
			repeats = weakIDs(t, shared, sameUser.ID, "Logins of one user, from empty jars, were given the same id: a login does not begin a session of its own, and a logout ends them all.")
		default:
			verdict := weakIDs(t, shared, collision.ID, fmt.Sprintf("%d of %d ids that were issued to empty jars had been issued to another jar before.", times, len(s.drawn)))
			verdict.Reproduced = times > 1
			return verdict
		}
	}
	switch {
	case repeats.Outcome == finding.Fail:
		return repeats
	case t.WasRateLimited():
		return untested(rateLimited())
	case logins < 2 || len(t.Reads(victim, after)) == 0:
		return tooFewDrawn(t, fmt.Sprintf("logins were given %d ids", logins))
	}
	for _, read := range t.Reads(victim, after) {
		if !read.Who.Is(t.Facts.Victim()) {
			return untested(broken("after the login a copy of the victim's id is taken for %s, not for %s", read.Who, t.Facts.Victim()))
		}
	}
	return finding.Passed(placeholder)
}

// shared is the part of the series whose ids were given to more than one jar,
// and how many were given again. An id that a jar brought along is none: that
// it stays is another rule's matter.
func (s series) shared() (part series, times int) {
	part = series{slot: s.slot, step: s.step}
	first := map[secret.Text]drawn{}
	for _, one := range s.drawn {
		earlier, known := first[one.ID]
		if !known {
			first[one.ID] = one
			continue
		}
		times++
		if len(part.drawn) == 0 {
			part.drawn = append(part.drawn, earlier)
		}
		part.drawn = append(part.drawn, one)
	}
	return part, times
}

func (s series) ofOneUser() bool {
	user := map[secret.Text]string{}
	for _, one := range s.drawn {
		if known, has := user[one.ID]; has && known != one.by.User {
			return false
		}
		user[one.ID] = one.by.User
	}
	return true
}

// fromCache reports whether a cache says that it answered (RFC 9111 §5.1).
func fromCache(s series) bool {
	for _, one := range s.drawn {
		if !one.by.Response.Get("Age").IsZero() {
			return true
		}
	}
	return false
}
