package catalog

import (
	"fmt"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var identityFromNetwork = finding.Rule{
	ID:     "session-identity-from-network",
	Title:  "A request without any credential is taken for the user who is signed in",
	Family: finding.Isolation, Core: true, Severity: 91, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",
	CWE: []int{488, 290, 639}, ASVS: []string{"v5.0.0-7.2.1", "v5.0.0-15.4.1"}, OWASPAPI: []string{"API2:2023"},
	WSTG: []string{"WSTG-SESS-01", "WSTG-SESS-09"},
	Why:  "The API recognises users by address, by headers or by what the request before left behind: anybody behind the same proxy is signed in as them.",
	Fix:  "Take the identity from a verified secret in the request, and from nothing else.",
	FastAPI: `def require_user(session_id: str = Depends(APIKeyCookie(name="__Host-session_id"))) -> User:
    ...   # never a module-level current_user, never request.client.host`,
}

var sessionIdentityFromNetwork = probe.Probe{
	Rule: identityFromNetwork, Steps: []string{login, identity}, Flow: bystanders, Bare: true, Judge: judgeIdentityFromNetwork,
	Open: []string{
		"the identity step answers a client without a credential with an error, or as it answers neither a user nor a stranger",
	},
	How: []string{
		"The victim logs in.",
		"Clients without any credential read the identity endpoint between her requests: over her own connection with her headers, and over new connections with others.",
		"Control: the victim is signed in before and after.",
	},
}

func judgeIdentityFromNetwork(t trace.Trace) finding.Verdict {
	if t.WasRateLimited() {
		return untested(rateLimited())
	}
	user := t.Facts.Victim()
	own := t.Reads(victim, after)
	if len(own) < 2 {
		return untested(unfinished(t, "the victim's login was not completed"))
	}
	for _, read := range own {
		if !read.Who.Is(user) {
			return untested(broken("after the login the victim's own browser is taken for %s, not for %s", read.Who, user))
		}
	}
	reads := 0
	var taken, lost []trace.Exchange
	for _, read := range t.Reads("", after) {
		switch {
		case read.Actor == victim:
			continue
		case read.Who.Is(user):
			taken = append(taken, read)
		case !read.Who.IsAnonymous():
			lost = append(lost, read)
		}
		reads++
	}
	switch {
	case len(taken) > 0:
		return finding.Failed(finding.Finding{
			Rule: identityFromNetwork.ID, Subject: "requests without a session id", Step: identity,
			Message: fmt.Sprintf("While %s was signed in, %d of %d requests that carried no credential at all were answered with %s's profile.",
				user, len(taken), reads, user),
			Evidence: story(t),
		})
	case len(lost) > 0:
		return untested(unclear(lost[0]))
	case reads < bystanderReads:
		return untested(unfinished(t, "too few requests without a credential were made"))
	}
	return finding.Passed("")
}
