package catalog

import (
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var attributeInjection = finding.Rule{
	ID:     "cookie-attribute-injection",
	Title:  "What a client sends becomes an attribute of a cookie, or a cookie of its own",
	Family: finding.Cookie, Severity: 53, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:N/I:H/A:N",
	CWE: []int{113, 88, 644}, ASVS: []string{"v5.0.0-1.2.1", "v5.0.0-3.3.3", "v5.0.0-4.1.3"}, OWASPAPI: []string{"API8:2023"},
	WSTG:    []string{"WSTG-INPV-15", "WSTG-INPV-17"},
	Why:     "The attacker sets cookies in the victim's browser, or widens the session's scope to a domain of hers.",
	Fix:     "Keep Domain and Path constant, check Host against a list, and refuse controls and semicolons in what goes into a cookie.",
	FastAPI: `app.add_middleware(TrustedHostMiddleware, allowed_hosts=["api.example.com"])   # and never domain=request.url.hostname`,
}

var cookieAttributeInjection = probe.Probe{
	Rule: attributeInjection, Steps: []string{login, identity}, Flow: injectedValues, Judge: judgeAttributeInjection,
	Open: []string{otherHostRefused},
	How: []string{
		"A login is sent with a canary as Host and X-Forwarded-Host; where the front server refuses that Host, with the latter alone.",
		"A canary with a semicolon and line breaks is sent as session cookie, encoded, and in the query under usual names.",
		"It fails when the canary comes back as Domain or as a cookie of its own; inside a value it is harmless.",
	},
}

func judgeAttributeInjection(t trace.Trace) finding.Verdict {
	reason, open := injectionSeen(t)
	for _, exchange := range t.Exchanges {
		for _, set := range exchange.Response.SetCookie {
			what := ""
			switch {
			case set.Name == canaryCookie:
				what = "a cookie of its own"
			case strings.Contains(set.Domain, canaryDomain):
				what = "the Domain of the cookie " + set.Name
			default:
				continue
			}
			return finding.Failed(finding.Finding{Rule: attributeInjection.ID, Subject: "Set-Cookie of " + exchange.Request.Line(), Step: exchange.Step,
				Message: "A value that the client sent comes back from " + exchange.Request.Line() + " as " + what + ".", Evidence: storyOf(t, exchange)})
		}
	}
	if open {
		return untested(reason)
	}
	return finding.Passed("")
}

// storyOf is the one exchange that says it all.
func storyOf(t trace.Trace, exchange trace.Exchange) []finding.Evidence {
	part := t
	part.Exchanges = slices.DeleteFunc(slices.Clone(t.Exchanges), func(e trace.Exchange) bool { return e.Seq != exchange.Seq })
	return story(part)
}
