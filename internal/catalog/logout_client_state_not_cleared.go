package catalog

import (
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var clientStateStays = finding.Rule{
	ID:     "logout-client-state-not-cleared",
	Title:  "Logout leaves the session cookie in the browser",
	Family: finding.Termination,
	CWE:    []int{613, 525}, ASVS: []string{"v5.0.0-14.3.1"}, OWASPAPI: []string{"API8:2023"}, WSTG: []string{"WSTG-SESS-06"},
	Why: "What ends a session is the server; but a cookie that stays is sent with the next login, and tells the next user of the machine who was there.",
	Fix: "Expire the cookie with the attributes it was set with, or send Clear-Site-Data.",
	FastAPI: `response.delete_cookie("__Host-session_id", path="/", secure=True, httponly=True, samesite="lax")
response.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'`,
}

var logoutClientStateNotCleared = probe.Probe{
	Rule: clientStateStays, Steps: []string{login, identity, logout}, Flow: signOut, Judge: judgeClientState,
	Open: []string{"the session travels in no cookie, and so its client keeps it", "the logout step is not answered as the recipe expects"},
	How: []string{
		"After the logout it is looked what the user's own browser still carries. It keeps and drops cookies as browsers do, so that a deletion with another Path or Domain, or one that browsers reject, deletes nothing.",
		"It is noted when the cookie is still there and no answer of the logout had Clear-Site-Data for cookies.",
	},
}

func judgeClientState(t trace.Trace) finding.Verdict {
	began, own := t.Reads(victim, before), t.Reads(victim, after)
	switch {
	case t.WasRateLimited():
		return untested(rateLimited())
	case len(t.Exchanges) > 0 && len(t.Facts.Cookies()) == 0:
		return finding.Untested(finding.NoPrecondition, "the session travels in the "+t.Facts.CarrierName()+", which its client keeps", "")
	case len(began) == 0 || !began[0].Who.Is(t.Facts.Victim()):
		return untested(unfinished(t, "the login before the logout did not sign the user in"))
	case len(own) == 0:
		return untested(unfinished(t, "the logout was not completed"))
	case !own[0].Who.IsAnonymous():
		return untested(unclear(own[0]))
	case !keeps(own[0].Carried, began[0].Carried) && !refusedDeletion(t):
		return finding.Passed("")
	case clearsSite(t):
		return finding.Passed("Clear-Site-Data tells the browser to drop its cookies")
	}
	message := "The logout sets no cookie that browsers would take for a deletion, and sends no Clear-Site-Data: the session cookie stays."
	if deletes(t) {
		message = "The logout deletes the session cookie with a Path, a Domain or other attributes than it was set with: browsers keep it."
	}
	return finding.Failed(finding.Finding{
		Rule: clientStateStays.ID, Subject: t.Facts.CarrierName(), Step: logout, Message: message, Evidence: story(t),
	})
}

// keeps reports whether a browser still carries one of the cookies it had.
func keeps(now, then trace.Credential) bool {
	return slices.ContainsFunc(now, func(held trace.Held) bool { return held.Kind == trace.InCookie && slices.Contains(then, held) })
}

// clearsSite reads Clear-Site-Data: a list of quoted types, of which "*" is all.
func clearsSite(t trace.Trace) bool {
	for _, exchange := range t.Step(victim, logout) {
		for _, kind := range strings.Split(exchange.Response.Get("Clear-Site-Data").Reveal(), ",") {
			if kind = strings.TrimSpace(kind); kind == `"cookies"` || kind == `"*"` {
				return true
			}
		}
	}
	return false
}

func deletes(t trace.Trace) bool { return slices.ContainsFunc(settings(t, logout), setting.deletes) }

// settings are those of the carrier in a step of the user's own browser.
func settings(t trace.Trace, step string) []setting {
	return carrierSettings(trace.Trace{Facts: t.Facts, Exchanges: t.Step(victim, step)})
}

// refusedDeletion reports whether browsers, which took the cookie, would not
// take its deletion.
func refusedDeletion(t trace.Trace) bool {
	refuses := func(s setting) bool { return len(s.cookie.Rejections) > 0 }
	deletion := func(s setting) bool { return s.deletes() && !refuses(s) }
	return deletes(t) && !slices.ContainsFunc(settings(t, logout), deletion) && !slices.ContainsFunc(settings(t, login), refuses)
}
