package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var idsShown = finding.Rule{
	ID:     "session-ids-shown-to-strangers",
	Title:  "A page shows anybody the live session ids of others",
	Family: finding.Exposure, Severity: 91, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",
	CWE: []int{200, 306, 489}, ASVS: []string{"v5.0.0-13.4.2", "v5.0.0-13.4.5"}, OWASPAPI: []string{"API2:2023", "API8:2023"},
	WSTG: []string{"WSTG-SESS-04", "WSTG-CONF-05"},
	Why:  "Whoever opens the page copies an id from it and is signed in as its owner, without a password and without the owner doing anything.",
	Fix:  "Close debug and monitoring pages to the network, or ask for an administrator's login; where sessions are listed, show a label or a hash instead of the id.",
	FastAPI: `@app.get("/admin/sessions", dependencies=[Depends(require_admin)])
def sessions() -> list[SessionLabel]:      # response_model without the id
    ...   # and no debug routes where settings.debug is off`,
}

var sessionIDsShownToStrangers = probe.Probe{
	Rule: idsShown, Steps: []string{login, identity}, Strangers: true, Flow: openPages, Judge: judgeIDsShown,
	Open: []string{
		"a page that showed an id shows none of the next session",
		"the id has fewer than 64 bits, so that it could stand in a page by chance",
	},
	How: []string{
		"The victim logs in; where nobody can, a visitor is handed an id.",
		"A browser with an empty jar asks for a dozen pages on which servers show what they do: those that the API's description names, /debug/sessions, /actuator/sessions, /server-status, /metrics and their like; and sends TRACE and OPTIONS.",
		"A page that holds the very id is asked again after the victim's next login. It fails when the page then holds the new id, which the first answer did not, and the browser that wears the copied id reads the victim. Where nobody can log in, there is nobody to read, and the id is the proof.",
		"Control: another browser with an empty jar is nobody.",
	},
}

func judgeIDsShown(t trace.Trace) finding.Verdict {
	asked := answeredPages(t)
	first := heldBy(t, victim)
	stolen, reason := readWithShown(t)
	switch {
	case reason.Code != "":
		return untested(reason)
	case len(asked) == 0 || len(first) == 0:
		return untested(unfinished(t, "no page was asked for while somebody had a session"))
	case !slices.ContainsFunc(first, isLongEnough):
		return finding.Untested(finding.NoPrecondition, "the session id has fewer than 64 bits: it could stand in a page by chance", "")
	}
	pages := showing(asked, first)
	if len(pages) == 0 {
		if len(stolen) > 0 {
			return untested(broken("a browser without any credential is taken for %s after it opened pages", t.Facts.Victim()))
		}
		if t.Problem != "" {
			return untested(unfinished(t, ""))
		}
		return finding.Passed(cutShort(asked))
	}
	var findings []finding.Finding
	for _, page := range pages {
		found, why := provedAgain(t, page, asked, stolen)
		if why.Code != "" {
			reason = why
			continue
		}
		findings = append(findings, found...)
	}
	switch {
	case len(findings) > 0:
		return finding.Failed(findings...)
	case reason.Code != "":
		return untested(reason)
	case t.Problem != "": // what was not answered may show more
		return untested(unfinished(t, ""))
	}
	return finding.Passed(pages[0].Request.Line() + " shows a stranger the session id, with which alone nobody is signed in")
}

// readWithShown are the reads of the stranger that show the victim, or why there
// is no answer. Where nobody can log in, nobody reads.
func readWithShown(t trace.Trace) ([]trace.Exchange, finding.Reason) {
	switch {
	case t.WasRateLimited():
		return nil, rateLimited()
	case !t.Facts.Strangers:
		found := takeover{victim: t.Facts.Victim()}.decide(t)
		return found.stolen, found.open
	}
	return nil, finding.Reason{}
}

// answeredPages are the exchanges of the stranger with pages that were answered.
func answeredPages(t trace.Trace) []trace.Exchange {
	var asked []trace.Exchange
	for _, exchange := range t.Exchanges {
		if isAsked(exchange) && exchange.Response.Status != 0 {
			asked = append(asked, exchange)
		}
	}
	return asked
}

// heldBy are the ids of an actor's session: those that it was last signed in with,
// or was handed at its visit.
func heldBy(t trace.Trace, actor string) []secret.Text {
	var held trace.Credential
	for _, exchange := range t.Exchanges {
		switch {
		case exchange.Actor != actor:
		case t.Facts.Strangers && exchange.Step == visit:
			held = exchange.Issued(t.Facts.Carrier)
		case exchange.Who.Is(t.Facts.Victim()):
			held = exchange.Carried
		}
	}
	var ids []secret.Text
	for _, one := range held {
		ids = append(ids, one.ID)
	}
	return ids
}

// givenTo is the last request with which an actor began a session.
func givenTo(t trace.Trace, actor string) (given trace.Exchange) {
	step := login
	if t.Facts.Strangers {
		step = visit
	}
	for _, exchange := range t.Step(actor, step) {
		given = exchange
	}
	return given
}

func isLongEnough(id secret.Text) bool { return id.Len() >= shortestSearched }

// showing are the first answers of pages that hold one of the ids, which is not the
// stranger's own.
func showing(asked []trace.Exchange, ids []secret.Text) []trace.Exchange {
	var pages []trace.Exchange
	for _, page := range asked {
		known := func(e trace.Exchange) bool { return e.Step == page.Step }
		if _, shows := shownIn(page, ids); shows && !slices.ContainsFunc(pages, known) {
			pages = append(pages, page)
		}
	}
	return pages
}

func shownIn(page trace.Exchange, ids []secret.Text) (secret.Text, bool) {
	i := slices.IndexFunc(ids, func(id secret.Text) bool {
		own := slices.ContainsFunc(page.Carried, func(h trace.Held) bool { return h.ID == id })
		return isLongEnough(id) && !own && !page.Request.Brought(id) && page.Response.Shows(id)
	})
	if i < 0 {
		return secret.Text{}, false
	}
	return ids[i], true
}

// provedAgain is the finding of a page whose second answer shows the session that
// was not there at the first. No finding and no reason: what it shows signs nobody in.
func provedAgain(t trace.Trace, page trace.Exchange, asked, stolen []trace.Exchange) ([]finding.Finding, finding.Reason) {
	next := heldBy(t, sameAgain)
	var second trace.Exchange
	for _, exchange := range asked {
		if exchange.Step == page.Step && exchange.Seq > page.Seq {
			second = exchange
		}
	}
	id, shows := shownIn(second, next)
	switch {
	case second.Seq == 0 || len(next) == 0:
		return nil, unfinished(t, page.Request.Line()+" was not asked for again after another login")
	case !shows:
		return nil, finding.Reason{Code: finding.Flaky, Text: page.Request.Line() + " showed a stranger one session id and not the next",
			Remedy: "look at the page by hand; a page that shows some sessions only is worth closing, too"}
	case page.Response.Shows(id):
		return nil, finding.Reason{Code: finding.Ambiguous, Text: page.Request.Line() + " held the session id before it was given out",
			Remedy: "look why an id is given out that was known before; see session-id-collision"}
	}
	earlier, _ := shownIn(page, heldBy(t, victim))
	evidence := []finding.Evidence{evidenceOf(page, "holds the session id "+earlier.Tag())}
	if given := givenTo(t, sameAgain); given.Seq > 0 {
		evidence = append(evidence, evidenceOf(given, note(t.Facts, given)))
	}
	evidence = append(evidence, evidenceOf(second, "holds the next one, "+id.Tag()))
	found := finding.Finding{Rule: idsShown.ID, Subject: t.Facts.CarrierName(), Step: page.Step, Evidence: evidence,
		Message: fmt.Sprintf("%s shows a stranger the live session id that another visitor was handed a moment before.", page.Request.Line())}
	if t.Facts.Strangers {
		return []finding.Finding{found}, finding.Reason{}
	}
	read := slices.IndexFunc(stolen, func(e trace.Exchange) bool {
		return slices.ContainsFunc(e.Carried, func(h trace.Held) bool { return h.ID == id })
	})
	if read < 0 {
		return nil, finding.Reason{}
	}
	found.Evidence = append(found.Evidence, evidenceOf(stolen[read], note(t.Facts, stolen[read])))
	found.Message = fmt.Sprintf("%s shows a stranger the live session id of %s: a browser that wears it reads the profile.", page.Request.Line(), t.Facts.Victim())
	return []finding.Finding{found}, finding.Reason{}
}

func evidenceOf(exchange trace.Exchange, note string) finding.Evidence {
	return finding.Evidence{Actor: exchange.Actor, Request: exchange.Request.Line(), Status: exchange.Response.Status, Note: note, Exchange: exchange.Seq}
}

// cutShort says which pages were longer than what is read of them; "" for none.
func cutShort(asked []trace.Exchange) string {
	var lines []string
	for _, page := range asked {
		if page.Response.Truncated && page.Response.Status < 300 {
			lines = append(lines, page.Request.Line())
		}
	}
	if len(lines) == 0 {
		return ""
	}
	return "only the beginning was read of " + strings.Join(lines, ", ")
}
