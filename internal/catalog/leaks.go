package catalog

import (
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// shortestSearched is the length from which an id is no accident in a text:
// eleven characters of base64 are 64 bits (ZAP issue 1396 took sId=5 for one).
const shortestSearched = 11

// mostSearched bounds the ids, since each is looked for in every answer: the
// deep profile draws two thousand, and what leaks one leaks them all.
const mostSearched = 300

// judgeLeaks searches the ids that were signed in during the run in every
// answer. Ids that a probe planted are the client's own and no leak.
func judgeLeaks(t trace.Trace, kind trace.LeakKind, tell func(trace.Exchange, trace.Leak) finding.Finding) finding.Verdict {
	if len(t.Facts.Carrier) == 0 {
		return untested(unfinished(t, "calibration did not find what carries the session"))
	}
	ids := liveIDs(t)
	if len(ids) == 0 {
		return finding.Untested(finding.NoPrecondition, "no signed-in session id of 64 bits or more was seen", "")
	}
	var findings []finding.Finding
	times, sought := map[string]int{}, trace.Seek(ids)
	for _, exchange := range t.Exchanges {
		there := sought.In(exchange.Response)
		if exchange.OfPage() {
			there = ownOf(t.Facts, exchange, there)
		}
		place, found := exchange.FindLeak(undisguised(exchange, there), kind)
		if !found {
			continue
		}
		if times[exchange.Step]++; times[exchange.Step] > 1 {
			continue
		}
		f := tell(exchange, place)
		f.Subject, f.Step = t.Facts.CarrierName(), exchange.Step
		f.Message = exchange.Request.Line() + f.Message
		f.Evidence = []finding.Evidence{{Actor: exchange.Actor, Request: exchange.Request.Line(), Status: exchange.Response.Status,
			Note: place.Name + " holds " + place.ID.Tag(), Exchange: exchange.Seq}}
		findings = append(findings, f)
	}
	if len(findings) == 0 {
		return finding.Passed("")
	}
	verdict := finding.Failed(findings...)
	verdict.Reproduced = true
	for _, f := range findings {
		verdict.Reproduced = verdict.Reproduced && times[f.Step] > 1
	}
	return verdict
}

// ownOf are the ids of whoever made the request. What a page shows of others is for
// session-ids-shown-to-strangers to judge.
func ownOf(facts trace.Facts, exchange trace.Exchange, ids []secret.Text) []secret.Text {
	own := slices.Concat(exchange.Carried, exchange.Issued(facts.Carrier))
	return slices.DeleteFunc(slices.Clone(ids), func(id secret.Text) bool {
		return !slices.ContainsFunc(own, func(held trace.Held) bool { return held.ID == id })
	})
}

// undisguised are the ids but for those that the request held in another dress: an
// answer that repeats that repeats what a probe made up.
func undisguised(exchange trace.Exchange, ids []secret.Text) []secret.Text {
	return slices.DeleteFunc(slices.Clone(ids), func(id secret.Text) bool {
		for _, held := range exchange.Carried {
			if held.ID != id && held.ID.Contains(id) {
				return true
			}
		}
		return len(exchange.Carried) == 0 && slices.ContainsFunc(exchange.Request.Header, func(f trace.Field) bool {
			return strings.EqualFold(f.Name, "Cookie") && f.Value.Contains(id)
		})
	})
}

// liveIDs are the ids the server gave to a browser that was then signed in; to
// any visitor, where nobody can log in.
func liveIDs(t trace.Trace) []secret.Text {
	step := login
	if t.Facts.Strangers {
		step = visit
	}
	var ids []secret.Text
	for _, drawn := range drawnIDs(t, step) {
		for _, id := range drawn.distinct().ids() {
			if id.Len() >= shortestSearched && len(ids) < mostSearched {
				ids = append(ids, id)
			}
		}
	}
	return ids
}
