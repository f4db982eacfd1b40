package catalog

import (
	"context"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var csrf = finding.Rule{
	ID:     "login-csrf",
	Title:  "Another site can log the victim's browser in as the attacker",
	Family: finding.Delivery, Severity: 43, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:N/I:L/A:N",
	CWE: []int{352, 384, 346}, ASVS: []string{"v5.0.0-3.5.1", "v5.0.0-3.5.2", "v5.0.0-7.6.2"}, OWASPAPI: []string{"API2:2023"}, WSTG: []string{"WSTG-SESS-05"},
	Why: "The victim works in the attacker's account without knowing, and what she enters there is the attacker's. SameSite does not help: a top-level navigation may set any cookie.",
	Fix: "Refuse logins whose Origin or Sec-Fetch-Site is another site's, and take application/json only.",
	FastAPI: `def same_site(request: Request) -> None:
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise HTTPException(403)`,
}

var loginCSRF = probe.Probe{
	Rule: csrf, Steps: []string{login, identity}, Users: 2, Flow: foreignLogin, Judge: judgeLoginCSRF,
	Open: []string{"the attacker's own login does not work, or the foreign one is answered with an error"},
	How: []string{
		"A page of another site sends the attacker's credentials from the victim's browser, with a hostile Origin and Sec-Fetch-Site: cross-site, in every form that needs no preflight: the recipe's own, or its JSON as text/plain and without a type, and a form (the deep profile: multipart too).",
		"Of a login in several requests the page makes the last one, with what the attacker's own browser captured before.",
		"It fails when the victim's browser is then signed in as the attacker.",
		"Control: the attacker's own login works.",
	},
}

// guises of a login that a page of another site can send without being asked
// (Fetch, "CORS-safelisted request-header").
type simple struct {
	name   string
	form   trace.LoginForm
	header []trace.Field
}

func simpleLogins(facts trace.Facts) []simple {
	if facts.Login != trace.LoginJSON {
		return []simple{{name: "as it is", form: facts.Login}}
	}
	ways := []simple{
		{"as text/plain", trace.LoginJSON, []trace.Field{{Name: "Content-Type", Value: secret.New("text/plain")}}},
		{"without a type", trace.LoginJSON, []trace.Field{{Name: "Content-Type"}}},
		{"as a form", trace.LoginForms, nil},
	}
	if facts.Deep {
		ways = append(ways, simple{"as multipart", trace.LoginMultipart, nil})
	}
	return ways
}

var hostile = []trace.Field{{Name: "Origin", Value: secret.New("https://sessiongate-probe.example")}, {Name: "Referer", Value: secret.New("https://sessiongate-probe.example/")},
	{Name: "Sec-Fetch-Site", Value: secret.New("cross-site")}, {Name: "Sec-Fetch-Mode", Value: secret.New("navigate")}, {Name: "Sec-Fetch-Dest", Value: secret.New("document")}}

const foreignPage = "the victim's browser"

var foreignLogin = &probe.Flow{
	Name: "foreign-login", Steps: []string{login, identity}, Users: 2,
	Run: func(ctx context.Context, stage probe.Stage) error {
		facts := stage.Facts()
		own := stage.Actor(attacker)
		if err := own.Login(ctx, facts.Users[1]); err != nil {
			return err
		}
		own.Identify(ctx, before)
		seed := stage.Actor(foreignPage)
		seed.Learn(own)
		if facts.PreLogin { // as a browser that has been there before
			if err := optional(ctx, stage, seed, visit); err != nil {
				return err
			}
		}
		for _, way := range simpleLogins(facts) {
			if err := way.send(ctx, stage, seed.Copy(foreignPage+", "+way.name)); err != nil {
				return err
			}
		}
		return ctx.Err()
	},
}

// send is one login from the victim's browser.
func (w simple) send(ctx context.Context, stage probe.Stage, page probe.Actor) error {
	page.Dress(probe.Guise{Foreign: true, Header: append(slices.Clone(hostile), w.header...)})
	if err := page.LoginAs(ctx, stage.Facts().Users[1], w.form); err != nil {
		if refused(err) {
			return nil // the judge sees the refusal
		}
		return err
	}
	page.Dress(probe.Guise{})
	page.Identify(ctx, after)
	return ctx.Err()
}

func judgeLoginCSRF(t trace.Trace) finding.Verdict {
	switch {
	case len(t.Facts.Users) < 2:
		return untested(unfinished(t, "there is no second user to log the victim in as"))
	case len(t.Facts.Carrier) > 0 && len(t.Facts.Cookies()) == 0:
		return finding.Untested(finding.NoPrecondition, "the session travels in the "+t.Facts.CarrierName()+", which no other site can give to a browser", "")
	case t.WasRateLimited():
		return untested(rateLimited())
	}
	mallory := t.Facts.Users[1]
	own := t.Reads(attacker, before)
	if len(own) == 0 || !own[0].Who.Is(mallory) {
		return untested(unfinished(t, "the attacker's own login was not completed"))
	}
	var ways []string
	var open finding.Reason
	tried := 0
	for _, way := range simpleLogins(t.Facts) {
		page := foreignPage + ", " + way.name
		logins, reads := t.Step(page, login), t.Reads(page, after)
		switch {
		case len(logins) == 0:
			open = unfinished(t, "the login "+way.name+" was not sent")
		case len(reads) > 0 && reads[0].Who.Is(mallory):
			ways = append(ways, way.name)
		case len(reads) > 0 && !reads[0].Who.IsAnonymous():
			open = unclear(reads[0])
		case len(reads) > 0 || isRefusal(logins[len(logins)-1]):
			tried++
		default:
			open = unfinished(t, "the login "+way.name+" was not answered in good order")
		}
	}
	switch {
	case len(ways) > 0:
		return finding.Failed(finding.Finding{Rule: csrf.ID, Subject: t.Facts.CarrierName(), Step: login,
			Message:  "A login that another site sends (" + strings.Join(ways, ", ") + ") signs the victim's browser in as " + mallory + ", without a token and with a hostile Origin.",
			Evidence: story(t)})
	case open.Code != "":
		return untested(open)
	}
	return finding.Passed("")
}

func isRefusal(answer trace.Exchange) bool {
	return answer.Response.Status >= 400 && answer.Response.Status < 500
}
