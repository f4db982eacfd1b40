package catalog

import (
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var reflected = finding.Rule{
	ID:     "session-id-reflected-unencoded",
	Title:  "A session id is written into a page or a header as it came",
	Family: finding.Injection, Severity: 54, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:L/I:L/A:N",
	CWE: []int{79, 113}, ASVS: []string{"v5.0.0-1.2.1"}, OWASPAPI: []string{"API8:2023"}, WSTG: []string{"WSTG-INPV-01", "WSTG-INPV-15"},
	Why:     "Whoever can plant a cookie or a link writes scripts into the API's pages.",
	Fix:     "Do not repeat ids; encode what is repeated.",
	FastAPI: `raise HTTPException(401, "Invalid session")   # JSON, without the id; X-Content-Type-Options: nosniff`,
}

var sessionIDReflectedUnencoded = probe.Probe{
	Rule: reflected, Steps: []string{login, identity}, Flow: injectedValues, Judge: judgeReflected,
	Open: []string{otherHostRefused},
	How: []string{
		"An id with markup, and one with line breaks, are sent in the carrier and in the query under the carrier's and usual names.",
		"It fails when the markup stands in an HTML answer as it was sent, or the line breaks begin a header; JSON is harmless.",
	},
}

func judgeReflected(t trace.Trace) finding.Verdict {
	reason, open := injectionSeen(t)
	for _, exchange := range t.Exchanges {
		what := ""
		switch {
		case !exchange.Response.Get(canaryHeader).IsZero():
			what = "as a header of its own"
		case isPage(exchange.Response) && exchange.Response.Body.Contains(secret.New(markup)):
			what = "in its HTML, markup and all"
		default:
			continue
		}
		return finding.Failed(finding.Finding{Rule: reflected.ID, Subject: "answer to " + exchange.Request.Line(), Step: exchange.Step,
			Message: "A session id that the client sent comes back from " + exchange.Request.Line() + " " + what + ".", Evidence: storyOf(t, exchange)})
	}
	if open {
		return untested(reason)
	}
	return finding.Passed("")
}

// isPage reports whether browsers read the answer as HTML.
func isPage(response trace.Response) bool {
	kinds := response.List("Content-Type")
	return len(kinds) == 0 || strings.HasPrefix(strings.ToLower(kinds[0]), "text/html") || strings.HasPrefix(strings.ToLower(kinds[0]), "application/xhtml")
}
