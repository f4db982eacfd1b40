package catalog_test

import (
	"testing"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/trace"
)

func TestInjection(t *testing.T) {
	t.Parallel()
	check(t, injectionExamples())
}

// canaryStory is the flow canaries against an API that binds its parameters. A
// bar within a field is written ¦.
const canaryStory = `
	victim          | login                    | sets live-0123456789
	victim          | identity after the login | carries live-0123456789 | {victim=alice}
	the id itself   | identity after the login | carries live-0123456789 | {whole=alice}
	L'¦¦lower('')¦¦'R | identity after the login | carries live-01'¦¦lower('')¦¦'23456789 | {joined=anonymous}{decoys=}
	id with _       | identity after the login | carries live-01_3456789 | {anyChar=anonymous}
	id with %       | identity after the login | carries live-012345678% | {anyEnd=anonymous}{ends=}
	id'             | identity after the login | carries live-0123456789' | {one=anonymous}
	id''            | identity after the login | carries live-0123456789'' | {two=anonymous}`

// decoys are sent beside an id that SQL put together again, ends beside one that
// a pattern matched.
const (
	decoys = `
	L'¦¦lower('')¦¦'R, altered | identity after the login | carries live-01'¦¦lower('')¦¦'a3456789 | {altered=anonymous}`
	ends = `
	id with ~       | identity after the login | carries live-012345678~ | {otherEnd=anonymous}`
)

// again is one more try with the quotes.
const again = `
	id'             | identity after the login | carries live-0123456789' | {one=broken}
	id''            | identity after the login | carries live-0123456789'' | {two=anonymous}`

func injectionExamples() []example {
	const rule, wildcard = "session-id-sql-injection", "session-id-sql-injection/wildcard"
	fail := func(rule, name, lines string) example {
		return example{rule: rule, outcome: finding.Fail, name: name, lines: lines, subject: "cookie session", step: "identity"}
	}
	open := func(rule, name string, code finding.Code, lines string) example {
		return example{rule: rule, outcome: finding.NotTested, name: name, lines: lines, code: code}
	}
	const quotesSQL = "broken | says psycopg.errors.SyntaxError: unterminated quoted string"
	errors := with(canaryStory, "one", quotesSQL) + with(again, "one", quotesSQL) + with(again, "one", quotesSQL)
	broken := statement(7, "SELECT user_id FROM sessions WHERE id = 'live-0123456789''", "live-0123456789'")
	refused := statement(7, "SELECT user_id FROM sessions WHERE id = $1", "live-0123456789'")
	refused.SQLState = "42601"
	bound := statement(7, "SELECT user_id FROM sessions WHERE id = $1", "live-0123456789'")
	onTheWire := func(e example, sent trace.Statement) example {
		e.sql = []trace.Statement{sent}
		return e
	}
	return []example{
		fail(rule, "", with(canaryStory, "joined", "alice", "decoys", with(decoys))),
		fail(rule, "SQL's own error, three times", errors),
		onTheWire(fail(rule, "a quote breaks the literal open", with(canaryStory, "one", "broken")), broken),
		onTheWire(fail(rule, "the server cannot parse the statement", with(canaryStory)), refused),
		fail(wildcard, "_", with(canaryStory, "anyChar", "alice", "ends", with(ends))),
		fail(wildcard, "%", with(canaryStory, "anyEnd", "alice", "ends", with(ends))),
		open(wildcard, "what replaces the last one is passed over", finding.Ambiguous, with(canaryStory, "anyChar", "alice", "ends", with(ends, "otherEnd", "alice"))),
		{rule: wildcard, outcome: finding.Pass, name: "any sign at the end is dropped", lines: with(canaryStory, "anyEnd", "alice", "ends", with(ends, "otherEnd", "alice"))},
		{rule: rule, outcome: finding.Pass, name: "signs behind the id are dropped", lines: with(canaryStory, "one", "alice", "two", "alice")},
		{rule: rule, outcome: finding.Pass, name: "two signs behind the id are dropped and one is not", lines: with(canaryStory, "two", "alice")},
		open(rule, "another user answers", finding.Ambiguous, with(canaryStory, "one", "bob")),
		open(wildcard, "the other ends were not sent", finding.NoCalibration, with(canaryStory, "anyChar", "alice")),
		open(rule, "the altered ids were not sent", finding.NoCalibration, with(canaryStory, "joined", "alice")),
		open(rule, "an altered id is an error", finding.Flaky, with(canaryStory, "joined", "alice", "decoys", with(decoys, "altered", "broken"))),
		{rule: rule, outcome: finding.Pass, lines: with(canaryStory)},
		open(rule, "any quote is an error", finding.Flaky, with(canaryStory, "one", "broken", "two", "broken")),
		open(rule, "a disguise is an error", finding.Flaky, with(canaryStory, "anyEnd", "broken")),
		onTheWire(example{rule: rule, outcome: finding.Pass, name: "the parameter is bound", lines: with(canaryStory)}, bound),
		{rule: rule, outcome: finding.Pass, name: "a signed session", lines: with(canaryStory),
			facts: func(facts *trace.Facts) { facts.Stateless = true }},
		{rule: wildcard, outcome: finding.Pass, lines: with(canaryStory)},
		open(rule, "the victim is not signed in", finding.NoCalibration, with(canaryStory, "joined", "alice", "victim", "anonymous")),
		open(rule, "the id does not work in another client", finding.NoCalibration, with(canaryStory, "whole", "anonymous")),
		open(rule, "an altered id works too", finding.NoCalibration, with(canaryStory, "joined", "alice", "decoys", with(decoys, "altered", "alice"))),
		open(rule, "an error that says nothing", finding.Ambiguous, with(canaryStory, "one", "broken")+with(again)+with(again)),
		open(rule, "an error now and then", finding.Flaky, with(canaryStory, "one", "broken")+with(again, "one", "anonymous")),
		open(rule, "not tried often enough", finding.NoCalibration, with(canaryStory, "one", quotesSQL)+with(again, "one", quotesSQL)),
		open(rule, "rate limited", finding.RateLimited, with(canaryStory, "two", "rate limited")),
		open(rule, "the last disguises were not sent", finding.NoCalibration, until(with(canaryStory), "id''")),
	}
}
