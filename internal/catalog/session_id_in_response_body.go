package catalog

import (
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var idInBody = finding.Rule{
	ID:     "session-id-in-response-body",
	Title:  "An answer repeats the session id of the cookie",
	Family: finding.Exposure, Severity: 31, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N",
	CWE: []int{200, 1004}, ASVS: []string{"v5.0.0-3.3.4"}, OWASPAPI: []string{"API3:2023", "API2:2023"},
	WSTG: []string{"WSTG-SESS-04"},
	Why:  "HttpOnly keeps scripts from the cookie; a copy of the id in a body or another header hands it to them.",
	Fix:  "Return no session ids; where sessions are listed, show a label or a hash.",
	FastAPI: `class Session(BaseModel):      # response_model without the id
    label: str
    created_at: datetime`,
}

var sessionIDInResponseBody = probe.Probe{
	Rule: idInBody, Steps: []string{login, identity}, Strangers: true,
	How: []string{
		"Every id that the run saw signed in is searched, as its exact value, in all bodies and headers except Set-Cookie and URLs (session-id-in-url).",
		"A TRACE request with the session shows whether the server repeats the Cookie header.",
	},
	Judge: func(t trace.Trace) finding.Verdict {
		if len(t.Facts.Carrier) > 0 && len(t.Facts.Cookies()) == 0 {
			return finding.Untested(finding.NoPrecondition, "the session travels in the "+t.Facts.CarrierName()+": its id is handed out in a body by design", "")
		}
		return judgeLeaks(t, trace.InContent, func(exchange trace.Exchange, place trace.Leak) finding.Finding {
			message := " repeats the session id in its " + place.Name + ", where scripts can read it."
			if exchange.Request.Method == traceMethod {
				message = " answers with the request's Cookie header, HttpOnly or not. Browsers let no script send TRACE, so that it takes another client, or a proxy that turns a request into one."
			}
			return finding.Finding{Rule: idInBody.ID, Message: message}
		})
	},
}
