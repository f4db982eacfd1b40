package catalog

import (
	"fmt"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/personal"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var personalOpen = finding.Rule{
	ID:     "personal-data-without-session",
	Title:  "A page shows strangers what looks like other people's data",
	Family: finding.Exposure, Severity: 53, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N",
	CWE: []int{306, 359}, ASVS: []string{"v5.0.0-8.2.1", "v5.0.0-14.2.6"}, OWASPAPI: []string{"API2:2023", "API5:2023", "API3:2023"},
	WSTG: []string{"WSTG-ATHN-04"},
	Why:  "No session is asked for where it matters: whoever knows the address copies the records of everybody.",
	Fix:  "Ask for a session, and for the right to the record, before anything is read; answer 401 without one, and return only the fields that the caller needs.",
	FastAPI: `@app.get("/users", dependencies=[Depends(require_admin)], response_model=list[PublicUser])
def users(): ...   # or put the dependency on the APIRouter, so that no route is forgotten`,
}

var personalDataWithoutSession = probe.Probe{
	Rule: personalOpen, Steps: []string{login, identity}, Anybody: true, Flow: describedPages, Judge: judgePersonal,
	Open: []string{
		"no description of the API was read, as with a recipe that has both login and identity: the pages are those that a description names",
	},
	How: []string{
		"With users or without, two browsers with an empty jar open up to eight operations of the API's description: GET without path parameters, those first that want a credential or are named for people.",
		"It fails where both are told the same JSON object with two kinds of personal data in the form of their kind (e-mail, phone, date of birth, postal address, identity or card number, with or without a full name), a password or its hash, or somebody's session id; or, under an address that names people, two people or more with a first or user name and an e-mail address or phone number.",
		"Examples, masked values, the contact of an organisation, and what is known of authors, players, actors or the holders of public offices are none; the values are never reported, only the names of the fields.",
	},
}

func judgePersonal(t trace.Trace) finding.Verdict {
	var findings []finding.Finding
	pages := pagesToOpen(t.Facts)
	half := false
	for _, page := range pages {
		one, other := openedBy(t, page)
		half = half || one.Seq == 0
		if !answersWell(one) {
			continue // it is closed to strangers
		}
		half = half || other.Seq == 0
		found := personal.Shared(page.Path, one.Response.Body, other.Response.Body)
		if found.People == 0 || !answersWell(other) {
			continue
		}
		findings = append(findings, finding.Finding{Rule: personalOpen.ID, Subject: one.Request.Line(), Step: page.Step, Message: tellPersonal(one, page, found),
			Evidence: []finding.Evidence{evidenceOf(one, "shows "+strings.Join(found.Fields, ", ")), evidenceOf(other, "shows the same to another stranger")}})
	}
	switch {
	case len(findings) > 0:
		verdict := finding.Failed(findings...)
		verdict.Reproduced = true // two strangers were told the same
		return verdict
	case t.WasRateLimited():
		return untested(rateLimited())
	case len(pages) == 0:
		return undescribed(t.Facts)
	case t.Problem != "" || half:
		return untested(unfinished(t, "a page was not opened by two strangers"))
	}
	return finding.Passed("")
}

// undescribed is the verdict where no page is known. With users it costs nothing: who
// wrote both steps down has given what the other rules need, and no description is read.
func undescribed(facts trace.Facts) finding.Verdict {
	const text, remedy = "no description of the API was read that names a page to open", "serve an OpenAPI description, or keep one in the repository"
	if facts.Outside {
		return finding.Untested(finding.NoPrecondition, text, remedy)
	}
	return finding.Untested(finding.Decided, text+": what the API shows strangers beside its identity step is not known",
		remedy+", and leave login or identity out of the recipe, so that it is looked for")
}

// openedBy are the first answers that two strangers got, who sent no credential;
// the zero exchange where there is none.
func openedBy(t trace.Trace, page trace.Page) (one, other trace.Exchange) {
	for _, exchange := range t.Step("", page.Step) {
		switch {
		case exchange.Response.Status == 0, exchange.Request.Sent("Authorization"):
		case one.Seq == 0:
			one = exchange
		case exchange.Actor != one.Actor && other.Seq == 0:
			other = exchange
		}
	}
	return one, other
}

func answersWell(exchange trace.Exchange) bool {
	return exchange.Response.Status >= 200 && exchange.Response.Status < 300
}

// tellPersonal says what is shown in names and a number: the values are nobody's
// business here either.
func tellPersonal(exchange trace.Exchange, page trace.Page, found personal.Found) string {
	number := fmt.Sprintf("%d people's", found.People)
	if found.People == 1 {
		number = "one person's"
	}
	if found.More {
		number = "at least " + number
	}
	message := fmt.Sprintf("%s shows %s %s to a stranger.", exchange.Request.Line(), number, strings.Join(found.Fields, ", "))
	if page.Secured {
		message += " The API's own description says that the operation wants a credential."
	}
	return message
}
