package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// setting is one Set-Cookie line of the carrier: the cookies that calibration
// found to authenticate, never a guess by name (probes.md K3).
type setting struct {
	exchange trace.Exchange
	cookie   trace.SetCookie
}

func (s setting) deletes() bool { return s.cookie.Deletes(s.exchange.Began) || s.cookie.Value.IsZero() }

func carrierSettings(t trace.Trace) []setting {
	names := t.Facts.Cookies()
	var settings []setting
	for _, exchange := range t.Exchanges {
		if exchange.Actor == hostActor {
			continue // a Domain made of a false Host is cookie-attribute-injection's
		}
		for _, set := range exchange.Response.SetCookie {
			if slices.Contains(names, set.Name) {
				settings = append(settings, setting{exchange, set})
			}
		}
	}
	return settings
}

// attribute is a rule over how the carrier is set. It returns the rule that a
// setting breaks, with the words for it, or "" where the setting is right.
type attribute func(setting) (rule, problem string)

// judgeSettings applies the attribute to each issuing of the carrier. Each
// login issues afresh, so two settings with the same fault are its repetition.
func judgeSettings(t trace.Trace, deletionsToo bool, wrong attribute) finding.Verdict {
	if len(t.Facts.Carrier) == 0 {
		return untested(unfinished(t, "calibration did not find what carries the session"))
	}
	if len(t.Facts.Cookies()) == 0 {
		return finding.Untested(finding.NoPrecondition, "the session travels in the "+t.Facts.CarrierName()+", not in a cookie", "")
	}
	var findings []finding.Finding
	times := map[string]int{}
	seen := 0
	for _, s := range carrierSettings(t) {
		if s.deletes() && !deletionsToo {
			continue
		}
		seen++
		rule, problem := wrong(s)
		if rule == "" {
			continue
		}
		key := rule + s.cookie.Name
		if times[key]++; times[key] > 1 {
			continue
		}
		findings = append(findings, finding.Finding{
			Rule: rule, Subject: "cookie " + s.cookie.Name, Step: s.exchange.Step,
			Message: fmt.Sprintf("%s sets the session cookie %s %s.", s.exchange.Request.Line(), s.cookie.Name, problem),
			Evidence: []finding.Evidence{{Actor: s.exchange.Actor, Request: s.exchange.Request.Line(),
				Status: s.exchange.Response.Status, Note: "Set-Cookie: " + shown(s.cookie), Exchange: s.exchange.Seq}},
		})
	}
	switch {
	case len(findings) > 0:
		verdict := finding.Failed(findings...)
		verdict.Reproduced = !slices.ContainsFunc(findings, func(f finding.Finding) bool {
			return times[f.Rule+strings.TrimPrefix(f.Subject, "cookie ")] < 2
		})
		return verdict
	case seen == 0:
		return untested(unfinished(t, "no answer set the session cookie"))
	}
	return finding.Passed("")
}

// shown is the Set-Cookie line with the tag in place of the value.
func shown(set trace.SetCookie) string {
	line := set.Name + "=" + set.Value.Tag()
	if set.HasPath {
		line += "; Path=" + set.Path
	}
	if set.HasDomain {
		line += "; Domain=" + set.Domain
	}
	if set.HasMaxAge {
		line += fmt.Sprintf("; Max-Age=%d", set.MaxAge)
	}
	if set.HasExpires {
		line += "; Expires=" + set.Expires.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")
	}
	for _, flag := range []struct {
		on   bool
		name string
	}{{set.Secure, "Secure"}, {set.HTTPOnly, "HttpOnly"}, {set.Partitioned, "Partitioned"}} {
		if flag.on {
			line += "; " + flag.name
		}
	}
	if set.SameSiteRaw != "" {
		line += "; SameSite=" + set.SameSiteRaw
	}
	return line
}

const neverSet = "no answer of the run sets the session cookie"
