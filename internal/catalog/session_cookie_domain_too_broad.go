package catalog

import (
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var domainTooBroad = finding.Rule{
	ID:     "session-cookie-domain-too-broad",
	Title:  "The session cookie has a Domain attribute",
	Family: finding.Cookie, Severity: 42, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:L/A:N",
	CWE: []int{565, 668}, ASVS: []string{"v5.0.0-3.3.3", "v5.0.0-3.5.4"}, OWASPAPI: []string{"API8:2023"}, WSTG: []string{"WSTG-SESS-02"},
	Why:     "Every subdomain receives the session id and can set it; even Domain=the host itself widens the cookie to all below it.",
	Fix:     "Leave the Domain attribute out.",
	FastAPI: strictCookie,
}

var sessionCookieDomainTooBroad = probe.Probe{
	Rule: domainTooBroad, Steps: []string{login, identity}, Strangers: true,
	Open: []string{neverSet},
	How:  []string{"Every Set-Cookie line of the run that gives the authenticating cookie a value is read by the rules of RFC 6265bis.", "It fails when one of them has a Domain attribute."},
	Judge: func(t trace.Trace) finding.Verdict {
		return judgeSettings(t, false, func(s setting) (string, string) {
			if !s.cookie.HasDomain {
				return "", ""
			}
			return domainTooBroad.ID, "with a Domain attribute, which widens it to every subdomain"
		})
	},
}
