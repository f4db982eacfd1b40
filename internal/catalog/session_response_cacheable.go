package catalog

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var cacheable = finding.Rule{
	ID:     "session-response-cacheable",
	Title:  "A shared cache may keep an answer that sets or needs the session",
	Family: finding.Exposure, Severity: 59, Vector: "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:H/I:L/A:N",
	CWE: []int{524, 525, 488}, ASVS: []string{"v5.0.0-14.2.2", "v5.0.0-14.3.2"}, OWASPAPI: []string{"API8:2023"},
	WSTG: []string{"WSTG-SESS-04", "WSTG-ATHN-06"},
	Why:  "A proxy or CDN that keeps the answer gives one user's cookie or profile to the next; a browser that keeps it gives it to whoever comes to the machine.",
	Fix:  "Send Cache-Control: no-store with every answer that sets a session or depends on one.",
	FastAPI: `@app.middleware("http")
async def no_store(request, call_next):
    response = await call_next(request)
    response.headers.setdefault("Cache-Control", "no-store")
    return response`,
}

var noStoreMissing = variant(cacheable, "no-store-missing", "An answer with a user's data lacks no-store",
	31, "CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N")

var sessionResponseCacheable = probe.Probe{
	Rule: cacheable, Variants: []finding.Rule{noStoreMissing}, Steps: []string{login, identity}, Strangers: true, Judge: judgeCacheable,
	Open: []string{"no answer shows a signed-in user's data or sets the session"},
	How: []string{
		"Every answer to GET that sets the session or shows a signed-in user's data is read as a shared cache would (RFC 9111 §3 and §4.2).",
		"It fails where the cache may keep it and give it to somebody else: a lifetime or public, neither private nor no-store nor no-cache, and no Vary that tells sessions apart.",
		"The variant fails where a user's data comes without no-store, so that the user's own browser may keep it.",
	},
}

func judgeCacheable(t trace.Trace) finding.Verdict {
	if len(t.Facts.Carrier) == 0 {
		return untested(unfinished(t, "calibration did not find what carries the session"))
	}
	var findings []finding.Finding
	times := map[string]int{}
	signedIn := 0
	for _, exchange := range t.Exchanges {
		if isAsked(exchange) { // what a page of the API does, its other pages do
			continue
		}
		shows := exchange.Who.Kind == trace.SignedIn
		if shows {
			signedIn++
		}
		rule, what := storable(t.Facts, exchange, shows)
		if rule == "" {
			continue
		}
		key := rule + " " + exchange.Step
		if times[key]++; times[key] > 1 {
			continue
		}
		findings = append(findings, finding.Finding{
			Rule: rule, Subject: exchange.Request.Line(), Step: exchange.Step,
			Message: exchange.Request.Line() + " " + what,
			Evidence: []finding.Evidence{{Actor: exchange.Actor, Request: exchange.Request.Line(), Status: exchange.Response.Status,
				Note: "Cache-Control: " + directives(exchange.Response).shown(), Exchange: exchange.Seq}},
		})
	}
	switch {
	case len(findings) > 0:
		verdict := finding.Failed(findings...)
		verdict.Reproduced = !slices.ContainsFunc(findings, func(f finding.Finding) bool { return times[f.Rule+" "+f.Step] < 2 })
		return verdict
	case signedIn == 0:
		return untested(unfinished(t, "no answer showed a signed-in user's data"))
	}
	return finding.Passed("")
}

// storable names the rule that an answer breaks. Answers to other methods than
// GET and HEAD are kept by no cache that matters (RFC 9110 §9.2.3).
func storable(facts trace.Facts, exchange trace.Exchange, shows bool) (rule, what string) {
	method, control := exchange.Request.Method, directives(exchange.Response)
	sets := len(exchange.Issued(facts.Carrier)) > 0
	if method != "GET" && method != "HEAD" || exchange.Response.Status == 0 || !shows && !sets {
		return "", ""
	}
	switch shared := sharedCache(exchange, control); {
	case shared && sets && !varies(exchange.Response, "*") && !keptApart(facts, exchange):
		return cacheable.ID, "sets the session cookie, and a shared cache may give the same one to the next visitor."
	case shared && shows && !varies(exchange.Response, "*", "Cookie") && !carriedInURL(facts):
		return cacheable.ID, "shows " + exchange.Who.User + "'s data, and a shared cache may give it to somebody else."
	case shows && !control.has("no-store"):
		return noStoreMissing.ID, "shows " + exchange.Who.User + "'s data without Cache-Control: no-store."
	}
	return "", ""
}

// keptApart reports whether a cache gives the answer only to who sends the very
// Cookie header that it was for, and that one held an id (RFC 9111 §4.1). A
// visitor without one shares the answer with all others.
func keptApart(facts trace.Facts, exchange trace.Exchange) bool {
	if !varies(exchange.Response, "Cookie") {
		return false
	}
	for _, field := range exchange.Request.Header {
		for _, name := range facts.Cookies() {
			if strings.EqualFold(field.Name, "Cookie") && field.Value.Contains(secret.New(name+"=")) {
				return true
			}
		}
	}
	return false
}

// sharedCache reports whether RFC 9111 §3 lets a shared cache keep the answer
// and §4.2 lets it be used again unasked.
func sharedCache(exchange trace.Exchange, control cacheControl) bool {
	response := exchange.Response
	for _, forbids := range []string{"no-store", "private", "no-cache"} {
		if control.has(forbids) {
			return false
		}
	}
	if exchange.Request.Sent("Authorization") && !control.has("public") && !control.has("s-maxage") && !control.has("must-revalidate") {
		return false // §3.5
	}
	for _, name := range []string{"s-maxage", "max-age"} {
		if control.has(name) {
			seconds, err := strconv.Atoi(control[name])
			return err == nil && seconds > 0
		}
	}
	if !response.Get("Expires").IsZero() {
		at, valid := response.Date("Expires")
		return valid && at.After(exchange.Began)
	}
	// Without a lifetime a cache may guess one (§4.2.2), from Last-Modified as
	// most do, or because the answer is called public.
	return control.has("public") || !response.Get("Last-Modified").IsZero() && response.Status == 200
}

func carriedInURL(facts trace.Facts) bool {
	return slices.ContainsFunc(facts.Carrier, func(s trace.Slot) bool { return s.Kind == trace.InQuery || s.Kind == trace.InPath })
}

func varies(response trace.Response, names ...string) bool {
	return slices.ContainsFunc(response.List("Vary"), func(header string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, header) })
	})
}

// cacheControl are the directives of an answer by their names in lower case.
type cacheControl map[string]string

func (c cacheControl) has(name string) bool { _, there := c[name]; return there }

func (c cacheControl) shown() string {
	var told []string
	for _, name := range []string{"public", "private", "no-store", "no-cache", "max-age", "s-maxage", "must-revalidate"} {
		if c.has(name) {
			told = append(told, name)
		}
	}
	if len(told) == 0 {
		return "none that matters"
	}
	return strings.Join(told, ", ")
}

func directives(response trace.Response) cacheControl {
	found := cacheControl{}
	for _, part := range response.List("Cache-Control") {
		name, value, _ := strings.Cut(part, "=")
		found[strings.ToLower(name)] = strings.Trim(value, `"`)
	}
	return found
}
