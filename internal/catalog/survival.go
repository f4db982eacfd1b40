package catalog

import (
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// survival is the question of what ends sessions: after an event that should
// have ended it, does a jar from before still read as its user? As in a
// takeover, without its controls there is no answer.
type survival struct {
	user    string
	jars    []string // whose sessions should have ended
	began   string   // when they were signed in; "" is before
	moment  string   // of the reads that decide; "" is after
	control string   // who the control jar stays; "" is nobody
}

// decide answers for one run. What it finds stolen are the reads that still
// showed the user.
func (s survival) decide(t trace.Trace) answer {
	if s.began == "" {
		s.began = before
	}
	if s.moment == "" {
		s.moment = after
	}
	if reason, bad := s.controls(t); bad {
		return answer{open: reason}
	}
	var alive, lost []trace.Exchange
	for _, jar := range s.jars {
		reads := t.Reads(jar, s.moment)
		if len(reads) == 0 {
			return answer{open: unfinished(t, "the "+jar+" was not read afterwards")}
		}
		for _, read := range reads {
			switch {
			case read.Who.Is(s.user):
				alive = append(alive, read)
			case !read.Who.IsAnonymous():
				lost = append(lost, read)
			}
		}
	}
	switch {
	case len(alive) > 0:
		return answer{stolen: alive}
	case len(lost) > 0:
		return answer{open: unclear(lost[0])}
	case t.Problem != "":
		return answer{open: unfinished(t, "")}
	}
	return answer{}
}

func (s survival) controls(t trace.Trace) (finding.Reason, bool) {
	if t.WasRateLimited() {
		return rateLimited(), true
	}
	if len(t.Reads(victim, s.began)) == 0 {
		return unfinished(t, "the victim's login was not completed"), true
	}
	for _, actor := range append([]string{victim}, s.jars...) {
		for _, read := range t.Reads(actor, s.began) {
			if !read.Who.Is(s.user) {
				return broken("before anything ended, the %s is taken for %s, not for %s", actor, read.Who, s.user), true
			}
		}
	}
	guards := t.Reads(control, s.moment)
	if len(guards) == 0 {
		return unfinished(t, "the control jar was not read"), true
	}
	for _, read := range guards {
		if want := whoIs(s.control); read.Who != want {
			return broken("the control jar is taken for %s instead of %s", read.Who, want), true
		}
	}
	return finding.Reason{}, false
}

// oneAtATime is the answer where a user cannot have two sessions.
func oneAtATime() finding.Verdict {
	return finding.Untested(finding.NoPrecondition, "a login ends the user's other sessions, so that she cannot have two", "")
}

// aftermath adds to a message what went wrong after the attack it tells of.
func aftermath(t trace.Trace) string {
	if t.Problem == "" {
		return ""
	}
	return " Then " + t.Problem + "."
}
