package catalog

import (
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var sessionIDAcceptedInJSONBody = func() probe.Probe {
	from := channel{kind: probe.JSON, form: trace.LoginJSON,
		names: []string{"session_id", "sessionId", "sid", "sessionid", "session", "session_token", "token"}}
	rule := finding.Rule{
		ID:     "session-id-accepted-in-json-body",
		Title:  "The session id is taken from the JSON body",
		Family: finding.Fixation, Severity: 81, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:N",
		CWE: []int{384, 915}, ASVS: []string{"v5.0.0-7.2.4"}, OWASPAPI: []string{"API2:2023"}, WSTG: []string{"WSTG-SESS-03"},
		Why:     "Whoever can influence the login request, through a link, a front end or a script, chooses the id that the victim's session will have, and so owns that session.",
		Fix:     "Accept the session id from exactly one carrier, the cookie, and make a new one at every login; ignore or refuse it anywhere else.",
		FastAPI: acceptOnlyTheCookie,
	}
	return probe.Probe{Rule: rule, Steps: []string{login, identity}, Flow: from.flow(), Judge: from.judge(rule),
		Open: []string{plantRefused, storeDisputes},
		How: []string{
			"The victim logs in while a made-up id travels as a member of the login JSON, under the carrier's name and the usual ones.",
			"The attacker reads the identity endpoint with that id in the carrier.",
			"The same with an id that the server issued to the attacker, where it issues any before login.",
			"Where the login with all names at once is refused, the first four go alone; in the deep profile each.",
			"Controls: the victim is signed in, the id was nobody's before, another made-up id stays nobody's; a refused login counts only while the plain one works.",
		}}
}()
