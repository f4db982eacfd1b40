package catalog_test

import (
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/trace"
)

func TestDelivery(t *testing.T) {
	t.Parallel()
	check(t, append(append(cacheExamples(), foreignLoginExamples()...), injectedExamples()...))
}

func cacheExamples() []example {
	const story = `
	victim | visit                    | {sets=sets anon-0123456789} | {first=Cache-Control: no-store}
	victim | login                    | sets live-0123456789 | Cache-Control: max-age=60
	victim | identity after the login | carries live-0123456789 | {answer=Cache-Control: no-store} | {more=} | {victim=alice}`
	shared := maker{rule: "session-response-cacheable", subject: "GET /me", step: "identity"}
	first := maker{rule: shared.rule, subject: "GET /", step: "visit"}
	own := maker{rule: "session-response-cacheable/no-store-missing", subject: "GET /me", step: "identity"}
	bearerToken := own
	bearerToken.subject, bearerToken.facts = "GET /me", carriedBy(bearer())
	answer := func(fields ...string) string { return with(story, "answer", strings.Join(fields, " | ")) }
	twice := shared.fail("twice", answer("Cache-Control: public")+answer("Cache-Control: public"))
	twice.reproduced = true
	unknown := shared.open("the carrier is not known", finding.NoCalibration, `victim | identity after the login | alice`)
	unknown.facts = carriedBy()
	return []example{
		twice,
		shared.fail("public", answer("Cache-Control: public")),
		shared.fail("max-age", answer("Cache-Control: max-age=60, must-revalidate")),
		shared.fail("s-maxage", answer(`cache-control: max-age=0, S-MaxAge="60"`)),
		shared.fail("Expires", answer("Expires: Wed, 14 Mar 2029 09:26:53 GMT")),
		shared.fail("Last-Modified", answer("Last-Modified: Wed, 14 Mar 2001 09:26:53 GMT")),
		shared.fail("Vary for something else", answer("Cache-Control: max-age=60", "Vary: Accept")),
		first.fail("a page that sets the cookie", with(story, "first", "Cache-Control: public, max-age=60 | Vary: Cookie")),
		shared.pass("", with(story)),
		shared.pass("a page that sets it anew for who sent it", with(story, "first", "carries anon-0123456789 | Cache-Control: public, max-age=60 | Vary: Cookie")),
		shared.pass("a page that sets nothing", with(story, "sets", "200", "first", "Cache-Control: public")),
		shared.open("nobody was signed in", finding.NoCalibration, with(story, "victim", "anonymous")),
		unknown,
		own.fail("nothing said", answer("Date: now")),
		own.fail("private", answer("Cache-Control: private, max-age=60")),
		own.fail("no-cache", answer("Cache-Control: no-cache, public")),
		own.fail("Vary: Cookie", answer("Cache-Control: max-age=60", "Vary: Accept, cookie")),
		own.fail("expired", answer("Expires: 0")),
		own.fail("max-age=0", answer("Cache-Control: max-age=0, public")),
		own.pass("", answer("Cache-Control: private", "Cache-Control: no-store")),
		own.open("nobody was signed in", finding.NoCalibration, with(story, "victim", "anonymous")),
		bearerToken.fail("a bearer token, which no shared cache keeps by itself", `
	victim | identity after the login | carries live-0123456789 | Cache-Control: max-age=60 | alice`),
		{rule: shared.rule, outcome: finding.Fail, name: "a bearer token, public", subject: "GET /me", step: "identity", facts: carriedBy(bearer()), lines: `
	victim | identity after the login | carries live-0123456789 | Cache-Control: public, max-age=60 | alice`},
	}
}

func foreignLoginExamples() []example {
	csrf := maker{rule: "login-csrf", subject: "cookie session", step: "login"}
	const story = `
	attacker | login                     | as bob | sets bob#1
	attacker | identity before the login | carries bob#1 | {own=bob}
	the victim's browser, as text/plain  | login                    | as bob | {text=403}
	the victim's browser, without a type | login                    | as bob | {bare=200}
	the victim's browser, without a type | identity after the login | {read=anonymous}
	the victim's browser, as a form      | login                    | as bob | {form=415}`
	header, one, form := csrf, csrf, csrf
	header.facts = carriedBy(bearer())
	one.facts = func(facts *trace.Facts) { facts.Users = facts.Users[:1] }
	form.facts = func(facts *trace.Facts) { facts.Login = trace.LoginForms }
	const asItIs = `
	attacker | identity before the login | carries bob#1 | bob
	the victim's browser, as it is | login                    | as bob | sets bob#2
	the victim's browser, as it is | identity after the login | carries bob#2 | {read=bob}`
	get := maker{rule: "login-over-get", subject: "query of the login", step: "login"}
	const link = `
	a browser that follows a link | login                    | {login=sets alice#1}
	a browser that follows a link | identity after the login | {read=anonymous}`
	refused := func(status string) string {
		return until(with(link, "login", status), "a browser that follows a link | identity")
	}
	return []example{
		csrf.fail("", with(story, "read", "bob")),
		form.fail("a form", with(asItIs)),
		form.pass("a form", with(asItIs, "read", "anonymous")),
		csrf.pass("", with(story)),
		csrf.open("the attacker cannot log in", finding.NoCalibration, with(story, "own", "anonymous", "read", "bob")),
		csrf.open("a login fails", finding.NoCalibration, with(story, "text", "500")),
		csrf.open("a login was not sent", finding.NoCalibration, without(with(story), "as a form")),
		csrf.open("a read is broken", finding.Flaky, with(story, "read", "broken")),
		csrf.open("the victim stays who she was", finding.Ambiguous, with(story, "read", "alice")),
		csrf.open("a login is rate limited", finding.RateLimited, with(story, "form", "429")),
		header.open("a bearer token", finding.NoPrecondition, `attacker | identity before the login | carries bob#1 | bob`),
		one.open("one user", finding.NoCalibration, ""),
		get.fail("", with(link, "read", "alice")),
		get.pass("a page", with(link)),
		get.pass("refused", refused("405")),
		get.open("an error", finding.NoCalibration, refused("500")),
		get.open("rate limited", finding.RateLimited, refused("429")),
		get.open("the read is broken", finding.Flaky, with(link, "read", "broken")),
		get.open("the read is somebody else", finding.Ambiguous, with(link, "read", "bob")),
	}
}

func injectedExamples() []example {
	const story = `
	victim by another host name | login                    | {login=sets alice#1} | {host=}
	attacker with odd values    | visit                    | carries odd#1 | {visit=}
	attacker with odd values    | identity after the login | carries odd#2 | {answer=} | {who=anonymous}`
	var all []example
	for _, m := range []maker{
		{rule: "cookie-attribute-injection"}, {rule: "session-id-reflected-unencoded"},
	} {
		all = append(all,
			m.pass("", with(story)),
			m.pass("the front server refuses the host", with(story, "login", "400")),
			m.pass("the value stands inside a value", with(story, "visit", "Set-Cookie: lang=sg%3B%20Domain=sessiongate-canary.example", "answer", `Content-Type: application/json | says {"sid": "sg<b>sessiongatecanary</b>"}`)),
			m.open("the login was not made", finding.NoCalibration, without(with(story), "another host")),
			m.open("the login fails", finding.NoCalibration, with(story, "login", "500")),
			m.open("the values were not sent", finding.NoCalibration, until(with(story), "attacker with odd values    | identity")),
			m.open("an answer is an error", finding.Flaky, with(story, "who", "broken")),
			m.open("an odd value is somebody's", finding.Ambiguous, with(story, "who", "alice")),
			m.open("a login is rate limited", finding.RateLimited, with(story, "login", "429")),
		)
	}
	domain := maker{rule: "cookie-attribute-injection", subject: "Set-Cookie of POST /login", step: "login"}
	own := maker{rule: domain.rule, subject: "Set-Cookie of GET /", step: "visit"}
	page := maker{rule: "session-id-reflected-unencoded", subject: "answer to GET /me", step: "identity"}
	header := maker{rule: page.rule, subject: "answer to GET /", step: "visit"}
	return append(all,
		domain.fail("the host", with(story, "host", "Set-Cookie: session=alice#2; Domain=.sessiongate-canary.example")),
		own.fail("a cookie of its own", with(story, "visit", "Set-Cookie: sessiongatecanary=1")),
		own.fail("an attribute", with(story, "visit", "Set-Cookie: lang=sg; Domain=sessiongate-canary.example")),
		page.fail("markup", with(story, "answer", "Content-Type: text/html; charset=utf-8 | says <p>unknown session sg<b>sessiongatecanary</b></p>")),
		page.fail("markup in an answer without a type", with(story, "answer", "says sg<b>sessiongatecanary</b>")),
		page.pass("encoded markup", with(story, "answer", "Content-Type: text/html | says sg&lt;b&gt;sessiongatecanary")),
		header.fail("a header of its own", with(story, "visit", "X-Sessiongate-Canary: 1")),
	)
}
