package catalog_test

import (
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/trace"
)

func TestOpenPages(t *testing.T) {
	t.Parallel()
	check(t, openPageExamples())
}

func TestPersonal(t *testing.T) {
	t.Parallel()
	check(t, personalExamples())
}

// openStory is a login, the pages that a stranger asks for, and the reads.
const openStory = `
	victim   | login                    | sets live-0123456789+/
	victim   | identity after the login | carries live-0123456789+/ | {victim=alice}
	victim   | page /me with TRACE      | carries live-0123456789+/ | 405
	attacker | page /me with TRACE      | 405
	attacker | page /me with OPTIONS    | 204
	attacker | page /debug/sessions     | {sessions=404}
	attacker | page /metrics            | {metrics=404} | {cut=}
	{again=}
	attacker | identity after the login | {thief=anonymous}
	control  | identity after the login | {control=anonymous}`

// twiceStory is the rest where the page showed the id.
const twiceStory = `
	victim again | login                         | sets next-0123456789+/
	victim again | identity after the next login | carries next-0123456789+/ | alice
	attacker     | page /debug/sessions          | {second=says next-0123456789+/ live-0123456789+/}`

// outside is where nobody can log in.
func outside(facts *trace.Facts) {
	facts.Users, facts.Outside, facts.Strangers = nil, true, true
}

const visitStory = `
	victim   | visit                 | {first=sets live-0123456789+/}
	victim   | page / with TRACE     | carries live-0123456789+/ | 405
	attacker | page /debug/sessions  | {sessions=404}
	{again=}`

const visitAgain = `
	victim again | visit                | sets next-0123456789+/
	attacker     | page /debug/sessions | {second=says next-0123456789+/}`

func openPageExamples() []example {
	const rule = "session-ids-shown-to-strangers"
	const shows, thief = `says {"id": "live-0123456789+/"}`, `carries next-0123456789+/ | alice`
	shown := func(pairs ...string) string {
		again := twiceStory
		if len(pairs) > 0 && pairs[0] == "second" {
			again, pairs = with(twiceStory, pairs[:2]...), pairs[2:]
		}
		return with(openStory, append([]string{"sessions", shows, "again", with(again), "thief", thief}, pairs...)...)
	}
	fail := func(name, lines string, facts func(*trace.Facts)) example {
		return example{rule: rule, outcome: finding.Fail, name: name, lines: lines, facts: facts, subject: "cookie session", step: "page /debug/sessions"}
	}
	pass := func(name, lines string) example {
		return example{rule: rule, outcome: finding.Pass, name: name, lines: lines}
	}
	open := func(name string, code finding.Code, e example) example {
		e.rule, e.outcome, e.name, e.code = rule, finding.NotTested, name, code
		return e
	}
	seen := func(first, second string) string {
		return with(visitStory, "sessions", first, "again", with(visitAgain, "second", second))
	}
	return []example{
		fail("", shown(), nil),
		fail("coded for a URL", with(openStory, "sessions", "says /?s=live-0123456789%2B%2F", "again", with(twiceStory, "second", "says /?s=next-0123456789%2B%2F"), "thief", thief), nil),
		fail("in a header", with(openStory, "sessions", "X-Last: live-0123456789+/", "again", with(twiceStory, "second", "X-Last: next-0123456789+/"), "thief", thief), nil),
		fail("JSON with its own escapes", with(openStory, "sessions", `says "live-0123456789+\/"`, "again", with(twiceStory, "second", `says "next-0123456789\u002B/"`), "thief", thief), nil),
		fail("nobody can log in", seen(shows, "says next-0123456789+/"), outside),
		pass("", with(openStory)),
		pass("all pages answer alike", with(openStory, "sessions", "says <html>app</html>", "metrics", "says <html>app</html>")),
		pass("a page is longer than what is read", with(openStory, "metrics", "says # HELP", "cut", "cut")),
		pass("the page shows an id cut short", with(openStory, "sessions", "says live-0123456789")),
		pass("the id alone signs nobody in", shown("thief", "carries next-0123456789+/ | anonymous")),
		pass("the page repeats what the stranger holds", with(openStory, "sessions", "carries live-0123456789+/ | "+shows)),
		open("the next id is not shown", finding.Flaky, example{lines: shown("second", "says live-0123456789+/")}),
		open("the page held the id before", finding.Ambiguous, example{
			lines: with(openStory, "sessions", "says live-0123456789+/ next-0123456789+/", "again", with(twiceStory), "thief", thief)}),
		open("the page was not asked again", finding.NoCalibration, example{lines: with(openStory, "sessions", shows)}),
		open("a stranger is the victim without an id", finding.NoCalibration, example{lines: with(openStory, "thief", "alice")}),
		open("the id is short", finding.NoPrecondition, example{lines: strings.ReplaceAll(with(openStory), "0123456789+/", "67890")}),
		open("a page without an answer", finding.NoCalibration, example{lines: with(openStory, "metrics", "no answer"), problem: "page /metrics: no answer in time"}),
		{rule: rule, outcome: finding.Fail, name: "another page does not answer", subject: "cookie session", step: "page /debug/sessions",
			lines: shown("metrics", "no answer"), problem: "page /metrics: no answer in time"},
		{rule: rule, outcome: finding.Fail, name: "nobody can log in, and another page does not answer", subject: "cookie session", step: "page /debug/sessions",
			lines: seen(shows, "says next-0123456789+/"), problem: "page /metrics: no answer in time", facts: outside},
		open("nobody can log in, and a page does not answer", finding.NoCalibration, example{facts: outside, lines: with(visitStory), problem: "page /metrics: no answer in time"}),
		open("429", finding.RateLimited, example{lines: with(openStory, "sessions", "429")}),
		open("no page was asked for", finding.NoCalibration, example{lines: `
			victim   | login                    | sets live-0123456789+/
			victim   | identity after the login | carries live-0123456789+/ | alice
			attacker | identity after the login | anonymous
			control  | identity after the login | anonymous`}),
		open("nobody can log in, and a visit fails", finding.NoCalibration, example{facts: outside, lines: with(visitStory), problem: "step visit: GET /: no answer in time"}),
		open("nobody can log in, and a visit hands out nothing", finding.NoCalibration, example{facts: outside, lines: with(visitStory, "first", "200")}),
		open("nobody can log in, and the next id is not shown", finding.Flaky, example{facts: outside, lines: seen(shows, "says live-0123456789+/")}),
	}
}

func personalExamples() []example {
	const rule = "personal-data-without-session"
	const people = `says [{"email": "ann.lee@kestrel.io", "phone": "+44 20 7946 0358"}]`
	// Two of the pages are described, whether anybody can log in or not.
	secured := func(facts *trace.Facts) {
		facts.Pages = []trace.Page{
			{Step: "page /", Path: "/"}, {Step: "page /users", Path: "/users", Described: true, Secured: true}, {Step: "page /open", Path: "/open", Described: true}}
	}
	alone := func(facts *trace.Facts) {
		*facts = trace.Facts{Outside: true}
		secured(facts)
	}
	const closed = "\nstranger | page /open | 401"
	told := func(one, other string) string {
		return `
			stranger         | page /users | ` + one + `
			another stranger | page /users | ` + other + closed
	}
	fail := func(name, lines, step string) example {
		return example{rule: rule, outcome: finding.Fail, name: name, facts: secured, lines: lines, subject: "GET " + strings.TrimPrefix(step, "page "), step: step, reproduced: true}
	}
	pass := func(name, lines string) example {
		return example{rule: rule, outcome: finding.Pass, name: name, facts: secured, lines: lines}
	}
	open := func(name string, code finding.Code, facts func(*trace.Facts), lines string) example {
		return example{rule: rule, outcome: finding.NotTested, name: name, code: code, facts: facts, lines: lines}
	}
	return []example{
		fail("", told(people, people), "page /users"),
		{rule: rule, outcome: finding.Fail, name: "nobody can log in", facts: alone, lines: told(people, people), subject: "GET /users", step: "page /users", reproduced: true},
		fail("beside one that is refused", strings.NewReplacer("/users", "/open", "/open", "/users").Replace(told(people, people)), "page /open"),
		fail("a 429 came later", strings.Replace(told(people, people), closed, "\nstranger | page /open | 429", 1), "page /users"),
		fail("another does not answer", strings.Replace(told(people, people), closed, "\nstranger | page /open | no answer", 1), "page /users"),
		pass("", told("401", "401")),
		pass("closed to the first", "stranger | page /users | 401"+closed),
		pass("each is told of itself", told(people, `says [{"email": "bo.ray@kestrel.io", "phone": "+44 20 7946 0461"}]`)),
		pass("an answer to nobody", told("401 | "+people, "401 | "+people)),
		pass("products", told(`says [{"name": "Blue Chair", "price": 19}]`, `says [{"name": "Blue Chair", "price": 19}]`)),
		open("no description was read", finding.Decided, nil, `stranger | page /users | 401`),
		open("nobody can log in, and nothing is described", finding.NoPrecondition, func(facts *trace.Facts) { *facts = trace.Facts{Outside: true} }, told(people, people)),
		open("one stranger", finding.NoCalibration, secured, "stranger | page /users | "+people+closed),
		open("a page without an answer", finding.NoCalibration, secured, "stranger | page /users | no answer"+closed),
		open("a page that nobody describes", finding.NoCalibration, secured, strings.ReplaceAll(told(people, people), "/users", "/")),
		open("a credential was sent", finding.NoCalibration, secured, told("sends Authorization: Bearer x | "+people, "sends Authorization: Bearer x | "+people)),
		open("429", finding.RateLimited, secured, told("429", "429")),
	}
}

func TestWhatIsPersonalIsToldByNamesAlone(t *testing.T) {
	t.Parallel()
	values := []string{"ann.lee@kestrel.io", "+44 20 7946 0358", "1987-04-12"}
	body := `says [{"email": "` + values[0] + `", "phone": "` + values[1] + `", "birth_date": "` + values[2] + `"}]`
	facts := trace.Facts{Outside: true, Pages: []trace.Page{{Step: "page /users", Path: "/users", Described: true, Secured: true}}}
	verdict := probeOf(t, "personal-data-without-session").Judge(tell(t, facts, "one | page /users | "+body+"\ntwo | page /users | "+body))
	const want = "GET /users shows one person's birth_date, email, phone to a stranger. The API's own description says that the operation wants a credential."
	if len(verdict.Findings) != 1 || verdict.Findings[0].Message != want {
		t.Errorf("%+v", verdict)
	}
	if value, told := containsAny(texts(verdict), values); told {
		t.Errorf("the verdict tells %s", value)
	}
}
