package catalog

import (
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
)

var sessionIDAcceptedInPath = func() probe.Probe {
	from := channel{kind: probe.Path, reads: true,
		names: []string{"jsessionid", "sid", "/s/"}}
	rule := finding.Rule{
		ID:     "session-id-accepted-in-path",
		Title:  "The session id is taken from the path",
		Family: finding.Fixation, Severity: 81, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:N",
		CWE: []int{384, 598}, ASVS: []string{"v5.0.0-7.2.4", "v5.0.0-14.2.1"}, OWASPAPI: []string{"API2:2023"}, WSTG: []string{"WSTG-SESS-03", "WSTG-SESS-04"},
		Why:     "URL rewriting lets a link carry the id: whoever follows it and logs in hands the attacker a signed-in session.",
		Fix:     "Accept the session id from exactly one carrier, the cookie, and make a new one at every login; ignore or refuse it anywhere else.",
		FastAPI: acceptOnlyTheCookie,
	}
	return probe.Probe{Rule: rule, Steps: []string{login, identity}, Flow: from.flow(), Judge: from.judge(rule),
		Open: []string{plantRefused, storeDisputes},
		How: []string{
			"The victim logs in while a made-up id travels as a path parameter (/login;jsessionid=…) or a leading segment (/s/…/login), under the carrier's name and the usual ones.",
			"The attacker reads the identity endpoint with that id in the carrier, and in the same place.",
			"The same with an id that the server issued to the attacker, where it issues any before login.",
			"Where the login with all names at once is refused, the first four go alone; in the deep profile each.",
			"Controls: the victim is signed in, the id was nobody's before, another made-up id stays nobody's; a refused login counts only while the plain one works.",
		}}
}()
