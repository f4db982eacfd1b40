package catalog

import (
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var missingHTTPOnly = finding.Rule{
	ID:     "session-cookie-missing-httponly",
	Title:  "The session cookie lacks HttpOnly",
	Family: finding.Cookie, Core: true, Severity: 42, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:L/A:N",
	CWE: []int{1004}, ASVS: []string{"v5.0.0-3.3.4"}, OWASPAPI: []string{"API8:2023"}, WSTG: []string{"WSTG-SESS-02"},
	Why:     "One injected script is enough to read the session id and use it elsewhere.",
	Fix:     "Set HttpOnly on the cookie that authenticates.",
	FastAPI: strictCookie,
}

var sessionCookieMissingHTTPOnly = probe.Probe{
	Rule: missingHTTPOnly, Steps: []string{login, identity}, Strangers: true,
	Open: []string{neverSet},
	How:  []string{"Every Set-Cookie line of the run that gives the authenticating cookie a value is read by the rules of RFC 6265bis.", "It fails when one of them lacks HttpOnly; a CSRF cookie that scripts must read is not in the authenticating set."},
	Judge: func(t trace.Trace) finding.Verdict {
		return judgeSettings(t, false, func(s setting) (string, string) {
			if s.cookie.HTTPOnly {
				return "", ""
			}
			return missingHTTPOnly.ID, "without HttpOnly"
		})
	},
}
