package catalog

import (
	"fmt"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var idInLogs = finding.Rule{
	ID:     "session-id-in-logs",
	Title:  "The API prints session ids into its log",
	Family: finding.Exposure, Severity: 37, Vector: "CVSS:3.1/AV:L/AC:L/PR:H/UI:N/S:U/C:H/I:N/A:N",
	CWE: []int{532}, ASVS: []string{"v5.0.0-16.2.5"}, OWASPAPI: []string{"API8:2023"}, WSTG: []string{"WSTG-SESS-04"},
	Why: "Logs are copied, shipped and kept, and read by more people than the session store; each live id in them is a way in.",
	Fix: "Log a hash or the first characters of an id, and keep statements with their parameters out of the log.",
	FastAPI: `log.info("session %s", hashlib.sha256(session_id.encode()).hexdigest()[:8])
engine = create_engine(url, echo=False, hide_parameters=True)`,
}

var sessionIDInLogs = probe.Probe{
	Rule: idInLogs, Steps: []string{login, identity}, Judge: judgeLogs,
	Open: []string{"no signed-in session id of 64 bits or more was seen", "the API prints more than the gate keeps, and no id stands in what was kept"},
	How: []string{
		"The gate starts the API and keeps what it prints.",
		"Every id that the run saw signed in is searched in it, as its exact value; ids shorter than 64 bits are not.",
	},
}

func judgeLogs(t trace.Trace) finding.Verdict {
	ids := liveIDs(t)
	switch {
	case len(t.Facts.Carrier) == 0:
		return untested(unfinished(t, "calibration did not find what carries the session"))
	case !t.Log.Seen:
		return finding.Untested(finding.NoEnvironment, "the gate did not start the API and cannot see its log",
			"start it from the recipe (target.process)")
	case len(ids) == 0:
		return finding.Untested(finding.NoPrecondition, "no signed-in session id of 64 bits or more was seen", "")
	}
	found := 0
	var first string
	for _, id := range ids {
		if t.Log.Text.Contains(id) {
			if found++; found == 1 {
				first = id.Tag()
			}
		}
	}
	switch {
	case found > 0:
		verdict := finding.Failed(finding.Finding{
			Rule: idInLogs.ID, Subject: t.Facts.CarrierName(), Step: login,
			Message:  fmt.Sprintf("The API printed %d of the %d session ids that its logins issued, each in full.", found, len(ids)),
			Evidence: []finding.Evidence{{Actor: "API", Request: "log", Note: "holds " + first}},
		})
		verdict.Reproduced = found > 1
		return verdict
	case !t.Log.Complete:
		return finding.Untested(finding.TooFew, "the API printed more than the gate keeps, and no id stands in what was kept", "let the API log less")
	}
	return finding.Passed("")
}
