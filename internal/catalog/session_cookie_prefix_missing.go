package catalog

import (
	"github.com/sessiongate/sessiongate/internal/cookie"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var prefixMissing = finding.Rule{
	ID:     "session-cookie-prefix-missing",
	Title:  "The session cookie has no __Host- prefix",
	Family: finding.Cookie, Severity: 31, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:N/I:L/A:N",
	CWE: []int{565, 346}, ASVS: []string{"v5.0.0-3.3.1", "v5.0.0-3.3.3"}, OWASPAPI: []string{"API8:2023"}, WSTG: []string{"WSTG-SESS-02", "WSTG-SESS-03"},
	Why:     "A sibling domain, or anybody on a plain-http path, can set a cookie of that name, which is how session ids are planted.",
	Fix:     "Name the cookie __Host-…, with Secure, Path=/ and no Domain.",
	FastAPI: strictCookie,
}

var sessionCookiePrefixMissing = probe.Probe{
	Rule: prefixMissing, Steps: []string{login, identity}, Strangers: true,
	Open: []string{neverSet},
	How:  []string{"Every Set-Cookie line of the run that gives the authenticating cookie a value is read by the rules of RFC 6265bis.", "It fails when the name begins with neither __Host- nor __Host-Http-."},
	Judge: func(t trace.Trace) finding.Verdict {
		return judgeSettings(t, false, func(s setting) (string, string) {
			switch cookie.Prefix(s.cookie.Name) {
			case "__Host-", "__Host-Http-":
				return "", ""
			}
			return prefixMissing.ID, "under a name without the __Host- prefix"
		})
	},
}
