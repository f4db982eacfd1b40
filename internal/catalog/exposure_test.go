package catalog_test

import (
	"slices"
	"testing"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

func TestExposure(t *testing.T) {
	t.Parallel()
	check(t, exposureExamples())
}

// liveStory is a login and an answer to it: the id has more than 64 bits.
const liveStory = `
	victim | login                    | {login=sets live-0123456789+/} | {header=}
	victim | identity after the login | carries live-0123456789+/ | alice | {answer=}`

func exposureExamples() []example {
	const inURL, inBody = "session-id-in-url", "session-id-in-response-body"
	fail := func(rule, name, step string, reproduced bool, lines string) example {
		return example{rule: rule, outcome: finding.Fail, name: name, lines: lines, subject: "cookie session", step: step, reproduced: reproduced}
	}
	pass := func(rule, name, lines string) example {
		return example{rule: rule, outcome: finding.Pass, name: name, lines: lines}
	}
	answer := func(field string) string { return with(liveStory, "answer", field) }
	var all []example
	for name, field := range map[string]string{
		"Location":         "Location: /home?session=live-0123456789+/",
		"Location, coded":  "location: /home?session=live-0123456789%2B%2F",
		"Link":             `Link: </next;s=live-0123456789+/>; rel="next"`,
		"Refresh":          "Refresh: 0; url=/?s=live-0123456789+/",
		"Content-Location": "Content-Location: /s/live-0123456789+/",
		"a link":           `says <a href="/home?session=live-0123456789+/">home</a>`,
		"a coded link":     `says <a href="/home?session=live-0123456789%2B%2F">home</a>`,
		"JSON":             `says {"next": "https://api.test/me;sid=live-0123456789+/"}`,
	} {
		all = append(all, fail(inURL, name, "identity", false, answer(field)), pass(inBody, "in a URL: "+name, answer(field)))
	}
	for name, field := range map[string]string{
		"JSON":   `says {"id": "live-0123456789+/"}`,
		"text":   `says your session is live-0123456789+/ today`,
		"coded":  `says session=live-0123456789%2B%2F`,
		"header": `X-Session: live-0123456789+/`,
	} {
		all = append(all, fail(inBody, name, "identity", false, answer(field)), pass(inURL, "in content: "+name, answer(field)))
	}
	for _, rule := range []string{inURL, inBody} {
		open := func(name string, code finding.Code, e example) example {
			e.rule, e.outcome, e.name, e.code = rule, finding.NotTested, name, code
			return e
		}
		both := "says live-0123456789+/ and /?s=live-0123456789+/"
		all = append(all,
			fail(rule, "in two answers to a step", "identity", true, answer(both)+answer(both)),
			fail(rule, "in the answer to the login", "login", false, with(liveStory, "header", both)),
			pass(rule, "", with(liveStory)),
			pass(rule, "in the other's answer, but cut short", answer("says live-0123456789")),
			pass(rule, "an echo of the request", answer("asks s=live-0123456789+/ | "+both)),
			pass(rule, "an echo of the planted id", answer("plants live-0123456789+/ as query parameter s | "+both)),
			open("no login", finding.NoPrecondition, example{lines: `victim | visit | sets live-0123456789+/ | ` + both}),
			open("the id is short", finding.NoPrecondition, example{lines: with(liveStory, "login", "sets live-67890", "answer", "says live-67890 /?live-67890")}),
			open("the id is the attacker's", finding.NoPrecondition, example{lines: `victim | login | carries live-0123456789+/ | sets live-0123456789+/ | ` + both}),
			open("the carrier is not known", finding.NoCalibration, example{facts: carriedBy(), lines: `victim | login | ` + both}),
		)
	}
	return append(slices.Concat(all, logExamples(), storedExamples()),
		example{rule: inURL, outcome: finding.Fail, name: "a bearer token, in the answer to a signed-in request", subject: "header Authorization", step: "identity", facts: carriedBy(bearer()),
			lines: `
			victim | login                    | says {"token": "live-0123456789+/"}
			victim | identity after the login | carries live-0123456789+/ | Location: /home?token=live-0123456789+/ | alice`},
		fail(inBody, "an answer to TRACE", "page /me with TRACE", false, with(liveStory)+`
			victim | page /me with TRACE | carries live-0123456789+/ | says Cookie: session=live-0123456789+/`),
		pass(inBody, "TRACE is refused", with(liveStory)+`
			victim | page /me with TRACE | carries live-0123456789+/ | 405`),
		pass(inBody, "a page shows somebody else's", with(liveStory)+`
			attacker | page /debug/sessions | says live-0123456789+/`),
		pass(inURL, "an id in another dress, repeated", with(liveStory)+`
			./ before the id | identity after the login | carries ./live-0123456789+/ | says there is no ./live-0123456789+/ | anonymous`),
		fail(inURL, "in two places of one answer", "identity", false, answer("Location: /?s=live-0123456789+/ | says /?s=live-0123456789+/")),
		example{rule: inBody, outcome: finding.NotTested, name: "a bearer token", code: finding.NoPrecondition, facts: carriedBy(bearer()),
			lines: `
			victim | login                    | says {"token": "live-0123456789+/"}
			victim | identity after the login | carries live-0123456789+/ | alice`},
		example{rule: inURL, outcome: finding.Fail, name: "a bearer token", subject: "header Authorization", step: "login", facts: carriedBy(bearer()),
			lines: `
			victim | login                    | Location: /home?token=live-0123456789+/
			victim | identity after the login | carries live-0123456789+/ | alice`},
	)
}

func storedExamples() []example {
	const rule = "session-id-stored-in-clear"
	at := func(places ...trace.Cell) []trace.Look {
		return []trace.Look{looked("before the login", "anon#1", stored("raw", nil)), looked("after the login", "alice#1", places...)}
	}
	within := stored("raw", nil)
	within.Within = true
	fail := func(name string, looks []trace.Look) example {
		return example{rule: rule, outcome: finding.Fail, name: name, lines: with(journeyStory), looks: looks, subject: "sessions.id", step: "login"}
	}
	open := func(name string, code finding.Code, looks []trace.Look, facts func(*trace.Facts)) example {
		return example{rule: rule, outcome: finding.NotTested, name: name, code: code, lines: with(journeyStory), looks: looks, facts: facts}
	}
	return []example{
		fail("", at(stored("raw", nil))),
		fail("as hex", at(stored("hex", nil))),
		fail("beside a digest", at(stored("sha256 hex", nil), stored("raw", nil))),
		{rule: rule, outcome: finding.Pass, lines: with(journeyStory), looks: at(stored("sha256 hex", nil))},
		{rule: rule, outcome: finding.Pass, name: "an audit entry quotes it", lines: with(journeyStory), looks: at(within, stored("sha256 hex", nil))},
		open("no store", finding.NoDatabase, nil, nil),
		open("not found", finding.NoDatabase, at(), nil),
		open("not found, the session is signed", finding.NoPrecondition, at(), func(facts *trace.Facts) { facts.Stateless = true }),
		open("the store could not be read", finding.NoDatabase, []trace.Look{{Moment: "after the login", Problem: "the table is gone"}}, nil),
		open("not looked into", finding.NoCalibration, nil, func(facts *trace.Facts) { facts.Store = true }),
		{rule: rule, outcome: finding.NotTested, name: "the victim is not signed in", code: finding.NoCalibration,
			lines: with(journeyStory, "victim", "anonymous"), looks: at(stored("raw", nil))},
	}
}

// printed is a log that the gate has in full.
func printed(lines string) trace.Log {
	return trace.Log{Seen: true, Complete: true, Text: secret.New(lines)}
}

func logExamples() []example {
	const rule = "session-id-in-logs"
	const two = "victim | login | sets live-0123456789+/\nvictim | login | sets live-9876543210+/"
	open := func(name string, code finding.Code, log trace.Log, e example) example {
		e.rule, e.outcome, e.name, e.code, e.log = rule, finding.NotTested, name, code, log
		return e
	}
	leaking := printed("session live-0123456789+/ begins\nsession live-9876543210+/ begins\n")
	cut := leaking
	cut.Complete = false
	return []example{
		{rule: rule, outcome: finding.Fail, lines: two, log: leaking, subject: "cookie session", step: "login", reproduced: true},
		{rule: rule, outcome: finding.Fail, name: "one of two", lines: two, log: printed("live-9876543210+/"), subject: "cookie session", step: "login"},
		{rule: rule, outcome: finding.Fail, name: "one that was kept", lines: two, log: cut, subject: "cookie session", step: "login", reproduced: true},
		{rule: rule, outcome: finding.Pass, lines: two, log: printed("alice logged in, session live-0123…\n")},
		{rule: rule, outcome: finding.Pass, name: "nothing printed", lines: two, log: printed("")},
		open("the log was not seen", finding.NoEnvironment, trace.Log{}, example{lines: two}),
		open("the log was cut", finding.TooFew, trace.Log{Seen: true, Text: secret.New("hello")}, example{lines: two}),
		open("no login", finding.NoPrecondition, leaking, example{lines: `victim | visit | sets live-0123456789+/`}),
		open("the ids are short", finding.NoPrecondition, printed("live-67890"), example{lines: `victim | login | sets live-67890`}),
		open("the carrier is not known", finding.NoCalibration, leaking, example{lines: `victim | login`, facts: carriedBy()}),
	}
}

func TestLeaksOfTwoStepsAreTwoFindings(t *testing.T) {
	t.Parallel()
	seen := tell(t, usual(), with(liveStory, "header", "Location: /?s=live-0123456789+/", "answer", "Location: /?s=live-0123456789+/"))
	verdict := probeOf(t, "session-id-in-url").Judge(seen)
	var steps []string
	for _, found := range verdict.Findings {
		steps = append(steps, found.Step)
	}
	if want := []string{"login", "identity"}; !slices.Equal(steps, want) {
		t.Errorf("findings at %q, want %q", steps, want)
	}
}
