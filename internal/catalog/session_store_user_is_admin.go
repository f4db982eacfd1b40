package catalog

import (
	"fmt"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var storeAdmin = finding.Rule{
	ID:     "session-store-user-is-admin",
	Title:  "The API logs in to its session store as an administrator",
	Family: finding.Exposure, Severity: 0,
	CWE: []int{250}, ASVS: []string{"v5.0.0-13.2.2"}, OWASPAPI: []string{"API8:2023"}, WSTG: []string{"WSTG-CONF-02"},
	Why: "An injection anywhere in the API then reads and writes every database of the server, and grants stop nobody. CockroachDB's own image makes the user it creates an administrator.",
	Fix: "Give the API a user of its own that may SELECT, INSERT, UPDATE and DELETE in its tables, and nothing else.",
	FastAPI: `# CREATE USER api; GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE sessions, users TO api;
engine = create_engine(URL.create("cockroachdb+psycopg", username="api", password=os.environ["DB_PASSWORD"], host="db", database="app"))`,
}

var sessionStoreUserIsAdmin = probe.Probe{
	Rule: storeAdmin, Steps: []string{login, identity}, Judge: judgeStoreAdmin,
	Open: []string{"the API was not seen to log in to its store"},
	How: []string{
		"The gate sits on the wire between the API and its store, sees the names under which the API logs in, and asks the store what they may do.",
		"A throw-away database in CI is often used so: it is a note and costs nothing.",
	},
}

func judgeStoreAdmin(t trace.Trace) finding.Verdict {
	switch {
	case !t.Facts.Store:
		return untested(blind(t.Facts))
	case len(t.Step("", login)) == 0: // the API may open its connections at the first one
		return untested(unfinished(t, "no login was made"))
	case len(t.StoreUsers) == 0:
		return finding.Untested(finding.NoDatabase, "the gate did not see the API log in to the store",
			"let it start the API (target.process), and name the variable it reads its DSN from in database.environment-variable")
	}
	for _, user := range t.StoreUsers {
		if user.Admin {
			verdict := finding.Failed(finding.Finding{Rule: storeAdmin.ID, Subject: "store user " + user.Name, Step: login,
				Message:  fmt.Sprintf("The API logs in to the session store as %s, who may do everything there.", user.Name),
				Evidence: []finding.Evidence{{Actor: "API", Request: "login to the store", Note: "as " + user.Name}}})
			verdict.Reproduced = true // a fact of the store, the same at every look
			return verdict
		}
	}
	for _, user := range t.StoreUsers {
		if user.Problem != "" {
			return finding.Untested(finding.NoDatabase, user.Problem, "")
		}
	}
	return finding.Passed("")
}
