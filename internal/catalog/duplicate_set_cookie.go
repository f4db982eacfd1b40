package catalog

import (
	"fmt"
	"slices"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var duplicateCookie = finding.Rule{
	ID:     "duplicate-set-cookie",
	Title:  "One answer sets the session cookie more than once",
	Family: finding.Cookie, Severity: 31, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:N/I:L/A:N",
	CWE: []int{384}, ASVS: []string{"v5.0.0-7.2.3"}, OWASPAPI: []string{"API8:2023"}, WSTG: []string{"WSTG-SESS-02"},
	Why:     "Each value is a live session, the browser keeps one, and the other is nobody's to end (RFC 6265bis §4.1.1: servers MUST NOT).",
	Fix:     "Set each cookie once per answer.",
	FastAPI: `# response.set_cookie appends: do not combine it with SessionMiddleware under the same name`,
}

var duplicateSetCookie = probe.Probe{
	Rule: duplicateCookie, Steps: []string{login, identity}, Flow: journey, Judge: judgeDuplicates,
	Open: []string{"one of several values that a login gives to the cookie could not be tried"},
	How: []string{
		"A user logs in; the values that the answer gives to the authenticating cookie are counted.",
		"Every one of several is carried alone to the identity endpoint.",
		"It fails when two different ones are signed in, or when they differ in Domain or Path; a deletion followed by one value is right.",
	},
}

func judgeDuplicates(t trace.Trace) finding.Verdict {
	if len(t.Facts.Cookies()) == 0 {
		return judgeSettings(t, false, nil)
	}
	user := t.Facts.Victim()
	own := t.Reads(victim, after)
	if len(own) == 0 || !own[0].Who.Is(user) {
		return untested(unfinished(t, "the victim's login was not completed"))
	}
	name, values, scopes := repeated(t)
	if name == "" {
		return finding.Passed("")
	}
	alive, read := 0, 0
	for _, holder := range t.Reads("", after) {
		switch {
		case holder.Actor == victim:
			continue
		case holder.Who.Is(user):
			alive++
		case !holder.Who.IsAnonymous():
			return untested(unclear(holder))
		}
		read++
	}
	if read < values {
		return untested(unfinished(t, "not every value of the cookie was tried"))
	}
	if alive < 2 && scopes < 2 {
		return finding.Passed("the cookie is set twice, and one value only is signed in")
	}
	return finding.Failed(finding.Finding{
		Rule: duplicateCookie.ID, Subject: "cookie " + name, Step: login,
		Message:  fmt.Sprintf("The login sets the session cookie %s several times in one answer; %d of the values are signed in.", name, alive),
		Evidence: story(t),
	})
}

// repeated names the first carrier cookie that one answer of the login gave
// different values, how many, and in how many scopes. The same value twice is
// one session all the same.
func repeated(t trace.Trace) (name string, count, scopes int) {
	for _, exchange := range t.Step(victim, login) {
		given, places := map[string][]secret.Text{}, map[string]map[string]bool{}
		for _, s := range carrierSettings(trace.Trace{Facts: t.Facts, Exchanges: []trace.Exchange{exchange}}) {
			if s.deletes() {
				continue
			}
			if !slices.Contains(given[s.cookie.Name], s.cookie.Value) {
				given[s.cookie.Name] = append(given[s.cookie.Name], s.cookie.Value)
			}
			if places[s.cookie.Name] == nil {
				places[s.cookie.Name] = map[string]bool{}
			}
			places[s.cookie.Name][s.cookie.Domain+" "+s.cookie.Path] = true
		}
		for _, name := range t.Facts.Cookies() {
			if len(given[name]) > 1 {
				return name, len(given[name]), len(places[name])
			}
		}
	}
	return "", 0, 0
}
