package catalog

import (
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var rejectedByBrowser = finding.Rule{
	ID:     "session-cookie-rejected-by-browser",
	Title:  "Browsers drop a Set-Cookie line of the session cookie",
	Family: finding.Cookie, Severity: 31, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:N/I:L/A:N",
	CWE: []int{1275, 614}, ASVS: []string{"v5.0.0-3.3.1", "v5.0.0-3.3.3", "v5.0.0-3.3.5"}, OWASPAPI: []string{"API8:2023"}, WSTG: []string{"WSTG-SESS-02"},
	Why:     "A protection, or a deletion at logout, that the browser ignores does not exist (CVE-2025-55162).",
	Fix:     "Give every line, the deleting one included, the attributes that its prefix and SameSite value demand.",
	FastAPI: `response.delete_cookie("__Host-session_id", path="/", secure=True, httponly=True, samesite="lax")`,
}

var sessionCookieRejectedByBrowser = probe.Probe{
	Rule: rejectedByBrowser, Steps: []string{login, identity}, Strangers: true,
	Open: []string{neverSet},
	How:  []string{"The storage rules of RFC 6265bis §5.7 are applied to every Set-Cookie line of the authenticating cookie, deletions included.", "It fails when one of them says that browsers ignore the line."},
	Judge: func(t trace.Trace) finding.Verdict {
		return judgeSettings(t, true, func(s setting) (string, string) {
			if len(s.cookie.Rejections) == 0 {
				return "", ""
			}
			return rejectedByBrowser.ID, "in a way that browsers ignore: " + s.cookie.Rejections[0].Reason
		})
	},
}
