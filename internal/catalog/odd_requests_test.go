package catalog_test

import (
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/trace"
)

func TestOddRequests(t *testing.T) {
	t.Parallel()
	check(t, oddRequestExamples())
}

// oddBase is what all rounds of the flow odd-requests share.
const oddBase = `
	victim        | login                    | {attributes=sets live-0123456789}
	victim        | identity after the login | carries live-0123456789 | {scheme=over https} | {hsts=} | {victim=alice}
	the id itself | identity after the login | carries live-0123456789 | {whole=alice}
	control       | identity after the login | carries unused#1 | {control=anonymous}`

// odd is the flow with the lines of one round.
func odd(round string, lines string, pairs ...string) string {
	return with(oddBase, pairs...) + "\n\tround " + round + lines
}

func oddRequestExamples() []example {
	all := append(append(append(aliasExamples(), tossExamples()...), pathExamples()...), malformedExamples()...)
	return append(append(append(all, originExamples()...), cleartextExamples()...), tamperExamples()...)
}

// maker makes the examples of one rule.
type maker struct {
	rule, subject, step string
	facts               func(*trace.Facts)
}

func (m maker) fail(name, lines string) example {
	return example{rule: m.rule, outcome: finding.Fail, name: name, lines: lines, subject: m.subject, step: m.step, facts: m.facts}
}

func (m maker) pass(name, lines string) example {
	return example{rule: m.rule, outcome: finding.Pass, name: name, lines: lines, facts: m.facts}
}

func (m maker) open(name string, code finding.Code, lines string) example {
	return example{rule: m.rule, outcome: finding.NotTested, name: name, lines: lines, code: code, facts: m.facts}
}

// faulty are the ways in which the shared controls do not hold, whatever the
// round showed.
func (m maker) faulty(round, lines string) []example {
	return []example{
		m.open("the victim is nobody", finding.NoCalibration, odd(round, lines, "victim", "anonymous")),
		m.open("a copy of the id is nobody's", finding.NoCalibration, odd(round, lines, "whole", "anonymous")),
		m.open("any id is the victim's", finding.NoCalibration, odd(round, lines, "control", "alice")),
		m.open("the round was not reached", finding.NoCalibration, with(oddBase)),
		m.open("a control is rate limited", finding.RateLimited, odd(round, lines, "control", "rate limited")),
	}
}

func aliasExamples() []example {
	m := maker{rule: "cookie-prefix-bypass", subject: "cookie session", step: "identity"}
	const round = "other cookie names"
	const groups = `
	group 1 of other names | identity after the login | {one=anonymous}
	group 2 of other names | identity after the login | {two=anonymous}`
	const singles = `
	group 1 of other names | identity after the login | {one=alice}
	as %73ession=ID        | identity after the login | {coded=alice}
	as $session=ID         | identity after the login | {dollar=anonymous}
	control                | identity after the login | {decoy=anonymous}
	group 2 of other names | identity after the login | {two=anonymous}`
	header := m
	header.facts = carriedBy(bearer())
	return append(m.faulty(round, with(singles)),
		m.fail("", odd(round, with(singles))),
		m.fail("all names at once only", odd(round, with(singles, "coded", "anonymous"))),
		m.fail("beside a broken read", odd(round, with(singles, "dollar", "broken"))),
		m.pass("", odd(round, with(groups))),
		m.open("the unrelated name works too", finding.NoCalibration, odd(round, with(singles, "decoy", "alice"))),
		m.open("the unrelated name was not sent", finding.NoCalibration, odd(round, with(groups, "one", "alice"))),
		m.open("a name is an error", finding.Flaky, odd(round, with(groups, "two", "broken"))),
		header.open("a bearer token", finding.NoPrecondition, with(oddBase, "attributes", "200")),
	)
}

func tossExamples() []example {
	m := maker{rule: "duplicate-session-cookie", subject: "cookie session", step: "login"}
	const orders = `
	the live id and then a made-up one | identity after the login | {first=anonymous}
	a made-up id and then the live one | identity after the login | {last=anonymous}`
	const toss = `
	round a tossed cookie
	attacker | visit                    | sets anon#1
	victim   | login                    | {login=sets alice#2}
	victim   | identity after the login | {hers=alice}
	attacker | identity after the login | carries anon#1 | {kept=anonymous}
	control  | identity after the login | carries unused#2 | {decoy=anonymous}`
	const round = "two cookies of one name"
	story := func(one, two string) string { return odd(round, one+two) }
	refused := until(with(toss, "login", "400"), "victim   | identity")
	prefixed := m
	prefixed.facts = carriedBy(cookieSlot("__Host-session"))
	header := m
	header.facts = carriedBy(bearer())
	note := m
	note.rule, note.step = "duplicate-session-cookie/one-of-two", "identity"
	again := note.fail("the first, twice", story(with(orders, "first", "alice")+
		"\n\tthe live id and then a made-up one | identity after the login | alice", with(toss)))
	again.reproduced = true
	return append(m.faulty(round, with(orders)+with(toss, "kept", "alice")),
		m.fail("", story(with(orders, "first", "alice"), with(toss, "kept", "alice"))),
		m.fail("the two are refused elsewhere", story(with(orders), with(toss, "kept", "alice"))),
		m.pass("both are refused", story(with(orders), with(toss))),
		m.pass("the login is refused, too", story(with(orders), refused)),
		prefixed.pass("the first is believed", story(with(orders, "first", "alice", "last", "alice"), with(toss))),
		m.open("the made-up id is the victim's too", finding.NoCalibration, story(with(orders), with(toss, "kept", "alice", "decoy", "alice"))),
		m.open("the login signs nobody in, and the attacker is the victim", finding.NoCalibration, story(with(orders), with(toss, "kept", "alice", "hers", "anonymous"))),
		m.open("the login was not made", finding.NoCalibration, story(with(orders), "")),
		m.open("the login fails", finding.NoCalibration, story(with(orders), until(with(toss, "login", "500"), "victim   | identity"))),
		m.open("an order was not sent", finding.NoCalibration, odd("another", with(toss))),
		m.open("an order is an error", finding.Flaky, story(with(orders, "last", "broken"), with(toss))),
		header.open("a bearer token", finding.NoPrecondition, with(oddBase, "attributes", "200")),
		note.fail("the first", story(with(orders, "first", "alice"), with(toss))),
		again,
		note.fail("the last", story(with(orders, "last", "alice"), refused)),
		note.pass("", story(with(orders), with(toss))),
		note.open("an order is somebody else", finding.Ambiguous, story(with(orders, "first", "alice", "last", "bob"), with(toss))),
	)
}

func pathExamples() []example {
	m := maker{rule: "session-id-path-traversal", subject: "cookie session", step: "identity"}
	const round = "other paths to the id"
	const paths = `
	./ before the id  | identity after the login | carries ./live-0123456789 | {dot=anonymous}{decoy=}
	%00 behind the id | identity after the login | carries live-0123456789%00 | {nul=anonymous}`
	const decoy = `
	control           | identity after the login | carries ./unused#2 | {decoy=anonymous}`
	return append(m.faulty(round, with(paths, "dot", "alice", "decoy", with(decoy))),
		m.fail("", odd(round, with(paths, "dot", "alice", "decoy", with(decoy)))),
		m.fail("cut at %00", odd(round, with(paths, "nul", "alice")+with(decoy))),
		m.pass("", odd(round, with(paths))),
		m.open("a made-up id works too", finding.NoCalibration, odd(round, with(paths, "dot", "alice", "decoy", with(decoy, "decoy", "alice")))),
		m.open("the decoy was not sent", finding.NoCalibration, odd(round, with(paths, "dot", "alice"))),
		m.open("a path is an error", finding.Flaky, odd(round, with(paths, "nul", "broken"))),
		m.open("a path is somebody else", finding.Ambiguous, odd(round, with(paths, "nul", "bob"))),
	)
}

func malformedExamples() []example {
	m := maker{rule: "session-id-malformed-input", subject: "cookie session", step: "identity"}
	const round = "malformed ids"
	const values = `
	an empty id        | identity after the login | {empty=anonymous} | {took=took 1ms}
	an id with a NUL   | identity after the login | {first=anonymous}{again=}
	victim still there | identity after the login | carries live-0123456789 | {still=alice}`
	const twice = `
	an id with a NUL   | identity after the login | {second=broken}
	victim still there | identity after the login | carries live-0123456789 | alice`
	broken := func(pairs ...string) string {
		return with(values, append([]string{"first", "broken", "again", with(twice)}, pairs...)...)
	}
	fail := m.fail("", odd(round, broken()))
	unanswered := m.fail("no answer", odd(round, broken("first", "broken | no answer")))
	fail.reproduced, unanswered.reproduced = true, true
	return append(m.faulty(round, broken()),
		fail, unanswered,
		m.pass("", odd(round, with(values))),
		m.pass("it is refused as such", odd(round, with(values, "empty", "anonymous | 400"))),
		m.open("the API is gone afterwards", finding.NoCalibration, odd(round, broken("still", "broken"))),
		m.open("an error once", finding.Flaky, odd(round, with(values, "first", "broken"))),
		m.open("slow once", finding.Flaky, odd(round, with(values, "took", "took 6s"))),
		m.open("an empty id is somebody", finding.Ambiguous, odd(round, with(values, "empty", "alice"))),
		m.open("nothing malformed was sent", finding.NoCalibration, odd(round, "\n\tvictim still there | identity after the login | alice")),
		m.open("the read afterwards was not made", finding.NoCalibration, odd(round, without(with(values), "victim still"))),
	)
}

func originExamples() []example {
	const round = "foreign origins"
	const pages = `
	a foreign site           | identity after the login | carries live-0123456789 | sends Origin: https://evil.example | {foreign=} | {site=alice}
	a sandboxed page         | identity after the login | carries live-0123456789 | sends Origin: null | {null=} | {page=alice}
	a site of a similar name | identity after the login | carries live-0123456789 | sends Origin: https://api.test.evil.example | {similar=} | {name=alice}`
	none := "Set-Cookie: session=live-0123456789; Path=/; Secure; HttpOnly; SameSite=None"
	allow := func(origin string) string {
		return "Access-Control-Allow-Origin: " + origin + " | Access-Control-Allow-Credentials: true"
	}
	story := func(cookie string, pairs ...string) string {
		return odd(round, with(pages, pairs...), "attributes", cookie)
	}
	lax := "sets live-0123456789"
	m := maker{rule: "cors-credentials-any-origin", subject: "GET /me", step: "identity"}
	null, sameSite, header := m, m, m
	null.rule, sameSite.rule, header.facts = m.rule+"/null", m.rule+"/same-site", carriedBy(bearer())
	all := m.faulty(round, with(pages, "foreign", allow("https://evil.example")))
	all = append(all,
		m.fail("", story(none, "foreign", allow("https://evil.example"))),
		m.fail("a similar name", story(none, "similar", allow("https://api.test.evil.example"), "null", allow("null"))),
		m.fail("no SameSite", story("Set-Cookie: session=live-0123456789; Secure", "foreign", allow("https://evil.example"))),
		m.pass("", story(none)),
		m.pass("every origin without credentials", story(none, "foreign", "Access-Control-Allow-Origin: *", "null", "Access-Control-Allow-Origin: null")),
		m.pass("every origin with credentials, which browsers refuse", story(none, "foreign", allow("*"))),
		m.pass("its own origin", story(none, "foreign", allow("https://app.test"))),
		m.pass("foreign origins are refused", story(none, "site", "anonymous", "page", "anonymous", "name", "anonymous")),
		m.open("an origin was not tried", finding.NoCalibration, odd(round, without(with(pages), "similar"))),
		m.open("an origin is an error", finding.Flaky, story(none, "name", "broken")),
		header.open("a bearer token", finding.NoPrecondition, with(oddBase, "attributes", "200")),
	)
	for _, v := range []maker{null, sameSite} {
		cookie, page := none, "null"
		if v.rule == sameSite.rule {
			cookie = lax
		}
		all = append(all, v.fail("", story(cookie, page, allow("null"))), v.pass("", story(cookie)),
			v.open("an origin was not tried", finding.NoCalibration, odd(round, without(with(pages), "sandboxed"))))
	}
	return append(all, sameSite.fail("a foreign origin", story(lax, "foreign", allow("https://evil.example"))))
}

func cleartextExamples() []example {
	const round = "plain http"
	const asked = `
	attacker | identity after the login | carries live-0123456789 | over http | {who=anonymous}`
	const year = "Strict-Transport-Security: max-age=31536000; includeSubDomains"
	m := maker{rule: "session-over-plain-http", subject: "cookie session", step: "identity"}
	hsts := maker{rule: "session-over-plain-http/hsts-missing", subject: "GET /me", step: "identity"}
	all := m.faulty(round, with(asked, "who", "alice"))
	all[3] = m.open("no way over plain http", finding.NoEnvironment, with(oddBase, "hsts", year))
	missing := func(name, lines string) example {
		e := hsts.fail(name, lines)
		e.reproduced = true // the other client is not told either
		return e
	}
	return append(all,
		m.fail("", odd(round, with(asked, "who", "alice"), "hsts", year)),
		m.fail("no HSTS either", odd(round, with(asked, "who", "alice"))),
		m.pass("", odd(round, with(asked), "hsts", year)),
		m.pass("a redirect", odd(round, with(asked, "who", "anonymous | 308"), "hsts", year)),
		m.pass("nobody listens there", odd(round, with(asked, "who", "broken | no answer"), "hsts", year)),
		m.open("an error over plain http", finding.Flaky, odd(round, with(asked, "who", "broken"), "hsts", year)),
		m.open("plain http, as in CI", finding.NoEnvironment, odd(round, with(asked, "who", "alice"), "scheme", "over http")),
		missing("", odd(round, with(asked))),
		missing("a month", odd(round, with(asked), "hsts", "Strict-Transport-Security: max-age=2592000")),
		missing("none at all, and no way over plain http", with(oddBase)),
		hsts.pass("", odd(round, with(asked), "hsts", "strict-transport-security: includeSubDomains; max-age=\"63072000\"")),
		hsts.open("plain http, as in CI", finding.NoEnvironment, odd(round, with(asked), "scheme", "over http")),
	)
}

// What no finding is of was not tested by that alone.
func TestHSTSMissingDoesNotPassTheRest(t *testing.T) {
	t.Parallel()
	verdict := probeOf(t, "session-over-plain-http").Judge(tell(t, usual(), with(oddBase)))
	if verdict.Outcome != finding.Fail || verdict.Rest.Code != finding.NoEnvironment {
		t.Errorf("%s, the rest %s", verdict.Outcome, verdict.Rest)
	}
}

func tamperExamples() []example {
	m := maker{rule: "session-cookie-tamperable", subject: "cookie session", step: "identity"}
	stateless := m
	stateless.facts = func(facts *trace.Facts) { facts.Stateless = true }
	alone := m
	alone.facts = func(facts *trace.Facts) { facts.Stateless, facts.Users = true, facts.Users[:1] }
	const round = "a changed id"
	const changed = `
	the id with one character changed | identity after the login | carries live-0a23456789 | {changed=anonymous}`
	const forged = `
	victim of the forgery | login                    | as bob | sets bob-0123456789
	victim of the forgery | identity after the login | carries bob-0123456789 | {own=bob}
	a changed payload under the old signature | identity after the login | carries bob-1123456789 | {mac=anonymous}
	a changed payload without a signature     | identity after the login | carries bob-2123456789 | {bare=anonymous}`
	both := func(pairs ...string) string { return odd(round, with(changed)+with(forged, pairs...)) }
	return append(m.faulty(round, with(changed)),
		stateless.fail("", both("mac", "bob")),
		stateless.fail("without a signature", both("bare", "bob")),
		m.pass("an opaque id", odd(round, with(changed))),
		stateless.pass("", both()),
		stateless.pass("encrypted", odd(round, with(changed)+strings.Replace(without(with(forged), "without a signature"),
			"a changed payload under the old signature", "a session that cannot be read, with one character changed", 1))),
		m.open("an opaque id with a character changed works", finding.Ambiguous, odd(round, with(changed, "changed", "alice"))),
		m.open("an opaque id with a character changed is an error", finding.Flaky, odd(round, with(changed, "changed", "broken"))),
		stateless.fail("any signature will do", odd(round, with(changed, "changed", "alice")+with(forged, "mac", "bob"), "control", "alice")),
		stateless.open("a wrong signature is the victim's, a forgery nobody's", finding.Ambiguous, odd(round, with(changed)+with(forged), "control", "alice")),
		stateless.open("the second user is nobody", finding.NoCalibration, both("mac", "bob", "own", "anonymous")),
		stateless.open("no forgery was sent", finding.NoCalibration, odd(round, with(changed)+without(with(forged), "a changed payload"))),
		stateless.open("a forgery is an error", finding.Flaky, both("bare", "broken")),
		alone.open("one user", finding.NoPrecondition, odd(round, with(changed))),
	)
}
