package catalog

import (
	"fmt"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var persistent = finding.Rule{
	ID:     "session-cookie-persistent",
	Title:  "The session cookie outlives the policy",
	Family: finding.Cookie, Severity: 31, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N",
	CWE: []int{539}, ASVS: []string{"v5.0.0-7.3.2", "v5.0.0-14.3.3"}, OWASPAPI: []string{"API8:2023"}, WSTG: []string{"WSTG-SESS-02"},
	Why:     "The id stays on the disk of a shared or stolen machine long after its owner left.",
	Fix:     "Leave Max-Age and Expires out, or keep them short.",
	FastAPI: strictCookie,
}

var sessionCookiePersistent = probe.Probe{
	Rule: persistent, Steps: []string{login, identity}, Strangers: true,
	Open: []string{neverSet},
	How:  []string{"Every Set-Cookie line of the run that gives the authenticating cookie a value is read by the rules of RFC 6265bis.", "Max-Age counts before Expires; browsers cap both at 400 days.", "It fails above the absolute-timeout of the recipe's policy, without one above 30 days."},
	Judge: func(t trace.Trace) finding.Verdict {
		return judgeSettings(t, false, func(s setting) (string, string) {
			lifetime, persists := s.cookie.Lifetime(s.exchange.Began)
			if !persists || lifetime <= t.Facts.Lifetime() {
				return "", ""
			}
			return persistent.ID, fmt.Sprintf("to live for %.0f days; the policy allows %.1f",
				lifetime.Hours()/24, t.Facts.Lifetime().Hours()/24)
		})
	},
}
