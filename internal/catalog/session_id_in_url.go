package catalog

import (
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var idInURL = finding.Rule{
	ID:     "session-id-in-url",
	Title:  "An answer puts a live session id into a URL",
	Family: finding.Exposure, Severity: 53, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:H/I:N/A:N",
	CWE: []int{598, 200}, ASVS: []string{"v5.0.0-14.2.1", "v5.0.0-3.4.5"}, OWASPAPI: []string{"API2:2023"},
	WSTG:    []string{"WSTG-SESS-04"},
	Why:     "URLs end in browser histories, server and proxy logs and Referer headers; whoever reads one of them is signed in.",
	Fix:     "Keep session ids out of every link, redirect and form action.",
	FastAPI: `return RedirectResponse("/", status_code=303)   # the id travels in the cookie only`,
}

var sessionIDInURL = probe.Probe{
	Rule: idInURL, Steps: []string{login, identity}, Strangers: true,
	How: []string{
		"Every id that the run saw signed in is searched, as its exact value, in the URLs of all answers: Location, Link, Refresh and Content-Location headers, and URLs in bodies.",
		"Ids shorter than 64 bits are not searched, since they could stand there by chance.",
	},
	Judge: func(t trace.Trace) finding.Verdict {
		return judgeLeaks(t, trace.InURL, func(_ trace.Exchange, place trace.Leak) finding.Finding {
			return finding.Finding{Rule: idInURL.ID, Message: " puts the live session id into a URL (" + place.Name + ")."}
		})
	},
}
