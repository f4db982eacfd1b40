package catalog

import (
	"context"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var overGET = finding.Rule{
	ID:     "login-over-get",
	Title:  "The login takes its credentials from a query string",
	Family: finding.Delivery, Severity: 43, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:L/I:N/A:N",
	CWE: []int{598}, ASVS: []string{"v5.0.0-14.2.1", "v5.0.0-3.5.3"}, OWASPAPI: []string{"API2:2023"}, WSTG: []string{"WSTG-SESS-04"},
	Why:     "Passwords in URLs end in histories, server logs and Referer headers, and a mere link logs a browser in.",
	Fix:     "Take credentials by POST from the body only.",
	FastAPI: `@app.post("/login")      # no @app.get beside it, no Query() credentials`,
}

var loginOverGET = probe.Probe{
	Rule: overGET, Steps: []string{login, identity}, Flow: loginByGET, Judge: judgeOverGET,
	Open: []string{"the login by GET is answered with an error, or not at all"},
	How: []string{
		"The login is sent as GET with its fields in the query; it fails when the browser is then signed in.",
		"Control: calibration logs the same user in as the recipe says, before and after.",
	},
}

const byGET = "a browser that follows a link"

var loginByGET = &probe.Flow{
	Name: "login-by-get", Steps: []string{login, identity},
	Run: func(ctx context.Context, stage probe.Stage) error {
		actor := stage.Actor(byGET)
		actor.Dress(probe.Guise{Method: "GET"})
		if err := actor.Login(ctx, stage.Facts().Victim()); err != nil {
			if refused(err) {
				return nil
			}
			return err
		}
		actor.Dress(probe.Guise{})
		actor.Identify(ctx, after)
		return ctx.Err()
	},
}

func judgeOverGET(t trace.Trace) finding.Verdict {
	if t.WasRateLimited() {
		return untested(rateLimited())
	}
	logins, reads := t.Step(byGET, login), t.Reads(byGET, after)
	switch {
	case len(logins) == 0:
		return untested(unfinished(t, "the login by GET was not made"))
	case len(reads) == 0 && isRefusal(logins[len(logins)-1]):
		return finding.Passed("")
	case len(reads) == 0:
		return untested(unfinished(t, "the login by GET was not answered in good order"))
	case reads[0].Who.Is(t.Facts.Victim()):
		return finding.Failed(finding.Finding{Rule: overGET.ID, Subject: "query of the login", Step: login,
			Message:  "A GET with " + t.Facts.Victim() + "'s name and password in its query signs the browser in.",
			Evidence: story(t)})
	case !reads[0].Who.IsAnonymous():
		return untested(unclear(reads[0]))
	}
	return finding.Passed("")
}
