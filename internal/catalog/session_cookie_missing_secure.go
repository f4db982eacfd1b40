package catalog

import (
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var missingSecure = finding.Rule{
	ID:     "session-cookie-missing-secure",
	Title:  "The session cookie lacks Secure",
	Family: finding.Cookie, Severity: 53, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:H/I:N/A:N",
	CWE: []int{614}, ASVS: []string{"v5.0.0-3.3.1"}, OWASPAPI: []string{"API8:2023"}, WSTG: []string{"WSTG-SESS-02"},
	Why:     "Browsers send the cookie over plain http too, where anybody on the network path reads it.",
	Fix:     "Set Secure always, whatever the scheme between proxy and API is.",
	FastAPI: strictCookie,
}

var sessionCookieMissingSecure = probe.Probe{
	Rule: missingSecure, Steps: []string{login, identity}, Strangers: true,
	Open: []string{neverSet},
	How:  []string{"Every Set-Cookie line of the run that gives the authenticating cookie a value is read by the rules of RFC 6265bis.", "The requests say X-Forwarded-Proto: https, as a proxy that ends TLS would.", "It fails when one of them lacks Secure."},
	Judge: func(t trace.Trace) finding.Verdict {
		return judgeSettings(t, false, func(s setting) (string, string) {
			if s.cookie.Secure {
				return "", ""
			}
			return missingSecure.ID, "without Secure, although the request came over https"
		})
	},
}
