package catalog

import (
	"github.com/sessiongate/sessiongate/internal/cookie"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var sameSite = finding.Rule{
	ID:     "session-cookie-samesite",
	Title:  "The session cookie is SameSite=None, or SameSite is invalid",
	Family: finding.Cookie, Core: true, Severity: 43, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:L/A:N",
	CWE: []int{1275}, ASVS: []string{"v5.0.0-3.3.2"}, OWASPAPI: []string{"API8:2023"}, WSTG: []string{"WSTG-SESS-02", "WSTG-SESS-05"},
	Why:     "Requests that other sites make in the victim's browser carry the session.",
	Fix:     "Set SameSite=Lax or SameSite=Strict explicitly.",
	FastAPI: strictCookie,
}

var sameSiteAbsent = variant(sameSite, "absent", "The session cookie has no SameSite attribute",
	31, "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:N/I:L/A:N")

var sessionCookieSameSite = probe.Probe{
	Rule: sameSite, Variants: []finding.Rule{sameSiteAbsent}, Steps: []string{login, identity}, Strangers: true,
	Open: []string{neverSet},
	How:  []string{"Every Set-Cookie line of the run that gives the authenticating cookie a value is read by the rules of RFC 6265bis.", "It fails for None and for a value that is neither None, Lax nor Strict; the variant for a missing attribute, which browsers fill in differently."},
	Judge: func(t trace.Trace) finding.Verdict {
		return judgeSettings(t, false, func(s setting) (string, string) {
			switch s.cookie.SameSite {
			case cookie.SameSiteLax, cookie.SameSiteStrict:
				return "", ""
			case cookie.SameSiteAbsent:
				return sameSiteAbsent.ID, "without SameSite"
			case cookie.SameSiteNone:
				return sameSite.ID, "with SameSite=None"
			}
			return sameSite.ID, "with a SameSite value that browsers do not know"
		})
	},
}
