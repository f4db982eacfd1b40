package catalog

import (
	"github.com/sessiongate/sessiongate/internal/cookie"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var notPartitioned = finding.Rule{
	ID:     "session-cookie-not-partitioned",
	Title:  "A cross-site session cookie is not partitioned",
	Family: finding.Cookie,
	CWE:    []int{1275}, ASVS: []string{"v5.0.0-3.3.2"}, OWASPAPI: []string{"API8:2023"}, WSTG: []string{"WSTG-SESS-02"},
	Why:     "With SameSite=None the one session is open to whatever site embeds the API; browsers that block third-party cookies drop it.",
	Fix:     "Add Partitioned (CHIPS) beside Secure and the __Host- prefix, or leave SameSite=None.",
	FastAPI: `response.set_cookie("__Host-session_id", session_id, path="/", secure=True, httponly=True, samesite="none", partitioned=True)`,
}

var sessionCookieNotPartitioned = probe.Probe{
	Rule: notPartitioned, Steps: []string{login, identity}, Strangers: true,
	Open: []string{neverSet},
	How:  []string{"Every Set-Cookie line of the run that gives the authenticating cookie a value is read.", "It is a note where the line has SameSite=None and no Partitioned."},
	Judge: func(t trace.Trace) finding.Verdict {
		return judgeSettings(t, false, func(s setting) (string, string) {
			if s.cookie.SameSite == cookie.SameSiteNone && !s.cookie.Partitioned {
				return notPartitioned.ID, "with SameSite=None and without Partitioned"
			}
			return "", ""
		})
	},
}
