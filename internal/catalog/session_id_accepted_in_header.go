package catalog

import (
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
)

var sessionIDAcceptedInHeader = func() probe.Probe {
	from := channel{kind: probe.Header, reads: true,
		names: []string{"X-Session-ID", "X-Session-Token", "X-Auth-Token", "Session-Id", "Authorization"}}
	rule := finding.Rule{
		ID:     "session-id-accepted-in-header",
		Title:  "The session id is taken from a request header",
		Family: finding.Fixation, Severity: 71, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:L/A:N",
		CWE: []int{384, 807}, ASVS: []string{"v5.0.0-7.2.4", "v5.0.0-4.1.3"}, OWASPAPI: []string{"API2:2023"}, WSTG: []string{"WSTG-SESS-03"},
		Why:     "A proxy, a front end or a script that sets the header chooses the id of the victim's session; the id it knows is then signed in.",
		Fix:     "Accept the session id from exactly one carrier, the cookie, and make a new one at every login; ignore or refuse it anywhere else.",
		FastAPI: acceptOnlyTheCookie,
	}
	return probe.Probe{Rule: rule, Steps: []string{login, identity}, Flow: from.flow(), Judge: from.judge(rule),
		Open: []string{plantRefused, storeDisputes},
		How: []string{
			"The victim logs in while a made-up id travels as a request header, under the carrier's name and the usual ones.",
			"The attacker reads the identity endpoint with that id in the carrier, and in the same place.",
			"The deep profile does the same with an id that the server issued to the attacker.",
			"Controls: the victim is signed in, the id was nobody's before, another made-up id stays nobody's; a refused login counts only while the plain one works.",
		}}
}()
