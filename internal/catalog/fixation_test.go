package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

func TestFixation(t *testing.T) {
	t.Parallel()
	check(t, fixationExamples())
}

// issuedStory is the flow issued-id against an API that rotates.
const issuedStory = `
	attacker        | visit                     | sets anon#1
	attacker frozen | identity before the login | carries anon#1 | {first=anonymous}
	control         | visit                     | sets anon#2
	victim          | visit                     | carries anon#1
	victim          | login                     | carries anon#1 | {login=sets alice#1}
	victim          | identity after the login  | carries {hers=alice#1} | {victim=alice}
	attacker frozen | identity after the login  | carries anon#1 | {kept=anonymous}
	control         | identity after the login  | carries anon#2 | {control=anonymous}
	victim          | identity after the login  | carries {hers} | {victim}
	attacker        | visit                     | carries anon#1 | {exchanged=}
	victim          | identity after the login  | carries {hers} | {victim}
	attacker        | visit                     | carries anon#1
	attacker        | identity after the login  | carries {holds=anon#1} | {live=anonymous}
	attacker frozen | identity after the login  | carries anon#1 | {later=anonymous}`

// noID is the flow issued-id against an API that gives visitors nothing.
const noID = `attacker | visit | {answer=200}`

var (
	keptID      = []string{"login", "", "hers", "anon#1", "kept", "alice", "live", "alice", "later", "alice"}
	danglingOld = []string{"kept", "alice", "live", "alice", "later", "alice"}
)

func fixationExamples() []example {
	return slices.Concat(rotationExamples("session-id-not-rotated-on-login", cookieSlot("session")),
		rotationExamples("session-id-not-rotated-on-login/host-prefix", cookieSlot("__Host-session")),
		danglingExamples(), arbitraryExamples(), permissiveExamples(), leftBehindExamples(), crossUserExamples())
}

func rotationExamples(rule string, carrier trace.Slot) []example {
	facts := carriedBy(carrier)
	subject := "cookie " + carrier.Name
	open := func(name string, code finding.Code, lines string) example {
		return example{rule: rule, outcome: finding.NotTested, name: name, facts: facts, lines: lines, code: code}
	}
	return []example{
		{rule: rule, outcome: finding.Fail, facts: facts, lines: with(issuedStory, keptID...), subject: subject, step: "login"},
		{rule: rule, outcome: finding.Fail, name: "once the victim went on", facts: facts, subject: subject, step: "login",
			lines: with(issuedStory, "login", "", "hers", "anon#1", "later", "alice")},
		{rule: rule, outcome: finding.Fail, name: "one read was broken", facts: facts, subject: subject, step: "login",
			lines: with(issuedStory, "login", "", "hers", "anon#1", "kept", "alice", "live", "broken", "later", "alice")},
		{rule: rule, outcome: finding.Pass, facts: facts, lines: with(issuedStory)},
		{rule: rule, outcome: finding.Pass, name: "the kept id is of no use to another client", facts: facts,
			lines: with(issuedStory, "login", "", "hers", "anon#1")},
		open("the visit issues no id", finding.NoPrecondition, with(noID)),
		open("the visit is rate limited", finding.RateLimited, with(noID, "answer", "429")),
		open("the old id works beside a new one", finding.Decided, with(issuedStory, danglingOld...)),
		open("the victim is not signed in", finding.NoCalibration, with(issuedStory, append(keptID, "victim", "anonymous")...)),
		open("the victim is somebody else", finding.NoCalibration, with(issuedStory, append(keptID, "victim", "bob")...)),
		open("the control is the victim too", finding.NoCalibration, with(issuedStory, append(keptID, "control", "alice")...)),
		open("the control read is broken", finding.NoCalibration, with(issuedStory, "control", "broken")),
		open("the id is the victim's before the login", finding.NoCalibration, with(issuedStory, append(keptID, "first", "alice")...)),
		open("the id is bob's before the login", finding.NoCalibration, with(issuedStory, "first", "bob")),
		open("the attacker's read is broken", finding.Flaky, with(issuedStory, "kept", "broken")),
		open("the attacker gets no answer", finding.Flaky, with(issuedStory, "later", "broken | no answer")),
		open("the attacker is somebody unknown", finding.Ambiguous, with(issuedStory, "live", "unrecognised")),
		open("the attacker is bob", finding.Ambiguous, with(issuedStory, "live", "bob")),
		open("a read is rate limited", finding.RateLimited, with(issuedStory, "kept", "rate limited")),
		{rule: rule, outcome: finding.Fail, name: "the store tells the same", facts: facts, subject: subject, step: "login",
			lines: with(issuedStory, keptID...),
			looks: []trace.Look{looked("before the login", "anon#1", stored("raw", map[string]string{"user": ""})),
				looked("after the login", "anon#1", stored("raw", map[string]string{"user": "7"}))},
			sql: []trace.Statement{statement(5, "UPDATE sessions SET user_id = 7 WHERE id = 'anon#1'", "anon#1")}},
		{rule: rule, outcome: finding.Pass, name: "the store keeps the anonymous session", facts: facts, lines: with(issuedStory),
			looks: []trace.Look{looked("before the login", "anon#1", stored("raw", map[string]string{"user": ""})),
				looked("after the login", "anon#1", stored("raw", map[string]string{"user": ""}))}},
		{rule: rule, outcome: finding.Pass, name: "the store writes that the session is nobody's", facts: facts, lines: with(issuedStory),
			looks: []trace.Look{looked("before the login", "anon#1", stored("raw", map[string]string{"user": ""})),
				looked("after the login", "anon#1", stored("raw", map[string]string{"user": "0"}))}},
		{rule: rule, outcome: finding.NotTested, name: "the store binds the old id to a user", facts: facts, code: finding.Ambiguous,
			lines: with(issuedStory),
			looks: []trace.Look{looked("before the login", "anon#1", stored("raw", map[string]string{"user": ""})),
				looked("after the login", "anon#1", stored("sha256 hex", map[string]string{"user": "7"}))}},
		{rule: rule, outcome: finding.NotTested, name: "the login failed", facts: facts, code: finding.NoCalibration,
			problem: "step login: POST /login answered 500, expected a status below 400",
			lines:   until(with(issuedStory, "login", "500"), "victim          | identity")},
	}
}

func danglingExamples() []example {
	const rule = "session-fixation-dangling-id"
	fail := func(name string, lines string) example {
		return example{rule: rule, outcome: finding.Fail, name: name, lines: lines, subject: "cookie session", step: "login"}
	}
	open := func(name string, code finding.Code, lines string) example {
		return example{rule: rule, outcome: finding.NotTested, name: name, lines: lines, code: code}
	}
	return []example{
		fail("", with(issuedStory, danglingOld...)),
		fail("at first only", with(issuedStory, "kept", "alice")),
		fail("after the victim's next requests only", with(issuedStory, "later", "alice")),
		fail("a visit exchanges the old id for the new one",
			with(issuedStory, "exchanged", "sets alice#1", "holds", "alice#1", "live", "alice")),
		{rule: rule, outcome: finding.Pass, lines: with(issuedStory)},
		open("the login issues no id", finding.Decided, with(issuedStory, "login", "", "hers", "anon#1")),
		open("the login keeps the id", finding.Decided, with(issuedStory, keptID...)),
		open("the visit issues no id", finding.NoPrecondition, with(noID)),
		open("the control is the victim too", finding.NoCalibration, with(issuedStory, append(danglingOld, "control", "alice")...)),
		open("the old id is the victim's before", finding.NoCalibration, with(issuedStory, append(danglingOld, "first", "alice")...)),
		open("a read of the old id is broken", finding.Flaky, with(issuedStory, "later", "broken")),
	}
}

// forgedStory is one round of the flow forged-id against a strict API.
const forgedStory = `
	round {shape=like an issued id}
	attacker | identity before the login | carries forged#1 | {first=anonymous}
	victim   | visit                     | carries forged#1 | sets anon#1
	victim   | login                     | carries forged#1 | {login=sets alice#1}
	victim   | identity after the login  | carries {hers=alice#1} | {victim=alice}
	attacker | identity after the login  | carries forged#1 | {kept=anonymous}
	control  | identity after the login  | carries unused#1 | {control=anonymous}`

// forged is the whole flow: a round for each shape, with ids of its own.
func forged(like, oneChar, words []string) string {
	round := func(n, shape string, pairs []string) string {
		return strings.ReplaceAll(with(forgedStory, slices.Concat([]string{"shape", shape}, pairs)...), "#1", "#"+n)
	}
	return round("1", "like an issued id", like) + round("2", "one character", oneChar) + round("3", "words", words)
}

func arbitraryExamples() []example {
	const rule = "arbitrary-session-id-accepted"
	adopted := []string{"login", "", "hers", "forged#1", "kept", "alice"}
	anybody := append(adopted, "control", "alice")
	row := func(user string) []trace.Look {
		look := looked("after the login", "forged#1", stored("raw", map[string]string{"user": user}))
		look.Round = "like an issued id"
		return []trace.Look{look}
	}
	quoted := row("7")
	quoted[0].Places[0].Within = true
	fail := func(name string, reproduced bool, lines string) example {
		return example{rule: rule, outcome: finding.Fail, name: name, lines: lines, subject: "cookie session", step: "login", reproduced: reproduced}
	}
	open := func(name string, code finding.Code, lines string) example {
		return example{rule: rule, outcome: finding.NotTested, name: name, lines: lines, code: code}
	}
	return []example{
		fail("", true, forged(adopted, adopted, adopted)),
		fail("one shape only", false, forged(adopted, nil, nil)),
		fail("the other shapes stay open", false, forged(adopted, []string{"victim", "anonymous"}, []string{"kept", "broken"})),
		{rule: rule, outcome: finding.Pass, lines: forged(nil, nil, nil)},
		{rule: rule, outcome: finding.Pass, name: "a signed session", lines: forged(nil, nil, nil),
			facts: func(facts *trace.Facts) { facts.Stateless = true }},
		{rule: rule, outcome: finding.Pass, name: "the store keeps it as an anonymous session", lines: forged(nil, nil, nil), looks: row("")},
		{rule: rule, outcome: finding.Pass, name: "an audit entry quotes it", lines: forged(nil, nil, nil), looks: quoted},
		{rule: rule, outcome: finding.NotTested, name: "the store binds it to a user", lines: forged(nil, nil, nil), looks: row("7"), code: finding.Ambiguous},
		open("any id is the victim's after the login", finding.NoCalibration, forged(anybody, anybody, anybody)),
		open("the made-up id is somebody's before", finding.NoCalibration, forged(append(adopted, "first", "alice"), nil, nil)),
		open("one login did not work", finding.NoCalibration, forged(nil, nil, []string{"victim", "anonymous"})),
		open("one control was not read", finding.NoCalibration, without(forged(nil, nil, nil), "unused#2")),
		open("one read is broken", finding.Flaky, forged(nil, []string{"kept", "broken"}, nil)),
		open("one answer is unknown", finding.Ambiguous, forged([]string{"kept", "unrecognised"}, nil, nil)),
		open("one login is rate limited", finding.RateLimited, forged(nil, nil, []string{"login", "429"})),
		{rule: rule, outcome: finding.NotTested, name: "nothing was sent", code: finding.NoCalibration,
			problem: "step visit: the recipe has no such placeholder"},
	}
}

// strangersStory is the flow strangers against an API that answers an unknown
// id with one of its own.
const strangersStory = `
	first visitor         | visit | sets anon#1 | says {page1=1 visit}
	first visitor         | visit | carries anon#1 | says {page2=2 visits}
	forged id, first jar  | visit | carries forged#1 | {given1=sets anon#2} | says {one=1 visit}
	forged id, second jar | visit | carries forged#1 | {given2=sets anon#3} | says {two=1 visit}
	control               | visit | carries forged#2 | {given3=sets anon#4} | says {other=1 visit}
	forged id, first jar  | visit | carries {holds1=anon#2} | says {oneAgain=2 visits}
	forged id, second jar | visit | carries {holds2=anon#3} | says {twoAgain=2 visits}`

func permissiveExamples() []example {
	const rule = "permissive-session-creation"
	silent := []string{"given1", "", "given2", "", "given3", "", "holds1", "forged#1", "holds2", "forged#1"}
	shared := append(silent, "two", "2 visits", "oneAgain", "3 visits", "twoAgain", "4 visits")
	row := func(id string) trace.Look { return looked("after the login", id, stored("raw", nil)) }
	open := func(name string, code finding.Code, lines string) example {
		return example{rule: rule, outcome: finding.NotTested, name: name, lines: lines, code: code}
	}
	return []example{
		{rule: rule, outcome: finding.Fail, name: "the answer sets the made-up id", subject: "cookie session", step: "visit",
			lines: with(strangersStory, "given1", "sets forged#1", "given2", "sets forged#1", "given3", "sets forged#2")},
		{rule: rule, outcome: finding.Fail, name: "the answer sets the id of the query", subject: "cookie session", step: "visit",
			facts: func(facts *trace.Facts) { facts.Strangers = true },
			lines: with(strangersStory) + "\n\tvisitor with a query parameter | visit | plants forged#3 as query parameter sid | sets forged#3"},
		{rule: rule, outcome: finding.Pass, name: "the answer sets another id than the query's",
			facts: func(facts *trace.Facts) { facts.Strangers = true },
			lines: with(strangersStory) + "\n\tvisitor with a query parameter | visit | plants forged#3 as query parameter sid | sets anon#5"},
		{rule: rule, outcome: finding.Fail, name: "the second jar sees the state of the first", subject: "cookie session", step: "visit",
			lines: with(strangersStory, shared...)},
		{rule: rule, outcome: finding.Fail, name: "the store has a row under the made-up id", subject: "cookie session", step: "visit",
			lines: with(strangersStory, silent...), looks: []trace.Look{row("forged#1")}},
		{rule: rule, outcome: finding.Pass, name: "the store has a row under the genuine id only",
			lines: with(strangersStory, silent...), looks: []trace.Look{looked("after the login", "forged#1"), row("anon#1")}},
		{rule: rule, outcome: finding.NotTested, name: "the store has no row under the genuine id either", code: finding.NoDatabase,
			lines: with(strangersStory, silent...), looks: []trace.Look{looked("after the login", "forged#1"), looked("after the login", "anon#1")}},
		// Two workers with a memory each, which take turns: the first round of
		// visits looks as if the jars shared their state.
		open("workers take turns", finding.NoDatabase, with(strangersStory, append(silent, "two", "2 visits", "oneAgain", "2 visits", "twoAgain", "3 visits")...)),
		{rule: rule, outcome: finding.NotTested, name: "the store could not be read", code: finding.NoDatabase,
			lines: with(strangersStory, silent...), looks: []trace.Look{{ID: secret.New("forged#1"), Problem: "the table is gone"}}},
		{rule: rule, outcome: finding.Pass, lines: with(strangersStory)},
		open("the answers show nothing", finding.NoDatabase, with(strangersStory, append(silent, "page1", "hello", "page2", "hello", "one", "hello", "two", "hello", "other", "hello",
			"oneAgain", "hello", "twoAgain", "hello")...)),
		open("every page is another", finding.NoDatabase, with(strangersStory, append(silent, "one", "3 visits", "two", "4 visits", "other", "5 visits")...)),
		open("one of the made-up ids only comes back", finding.NoDatabase, with(strangersStory, append(silent, "given1", "sets forged#1")...)),
		open("the second page is like no other", finding.NoDatabase, with(strangersStory, append(silent, "two", "7 visits")...)),
		open("the state is everybody's", finding.NoDatabase, with(strangersStory, append(shared, "other", "3 visits")...)),
		open("a visit is rate limited", finding.RateLimited, with(strangersStory, "given3", "429")),
		{rule: rule, outcome: finding.NotTested, name: "the second jar was not answered", code: finding.NoCalibration,
			problem: "step visit: GET /: no answer in time", lines: until(with(strangersStory), "forged id, second jar")},
	}
}

// leftBehindStory is the flow left-behind against an API that keeps the old
// session, empty and for itself. The visit counts the visits of a session.
const leftBehindStory = `
	attacker        | visit                    | sets anon#1 | says 1
	control         | visit                    | sets anon#2 | says 1
	victim          | login                    | carries anon#1 | {login=sets alice#1}
	victim          | identity after the login | carries alice#1 | {victim=alice}
	attacker frozen | identity after the login | carries anon#1 | {kept=anonymous}
	control         | identity after the login | carries anon#2 | {control=anonymous}
	attacker frozen | visit                    | carries anon#1 | {given=} | says {old1=2}
	victim          | visit                    | carries alice#1 | says 1
	attacker frozen | visit                    | carries anon#1 | says {old2=3}
	victim          | visit                    | carries alice#1 | says 2
	attacker frozen | visit                    | carries anon#1 | says {old3=4}
	control         | visit                    | carries anon#2 | {spared=} | says {unused1=2}
	control         | visit                    | carries anon#2 | says {unused2=3}
	control         | visit                    | carries anon#2 | says {unused3=4}
	control         | visit                    | carries anon#2 | says {unused4=5}
	control         | visit                    | carries anon#2 | says {unused5=6}`

func leftBehindExamples() []example {
	const rule = "pre-login-session-not-invalidated"
	still := []string{"old1", "hi", "old2", "hi", "old3", "hi", "unused1", "hi", "unused2", "hi", "unused3", "hi", "unused4", "hi", "unused5", "hi"}
	shared := []string{"old2", "4", "old3", "6"}
	row := func(id string) trace.Look { return looked("after the login", id, stored("raw", nil)) }
	open := func(name string, code finding.Code, lines string) example {
		return example{rule: rule, outcome: finding.NotTested, name: name, lines: lines, code: code}
	}
	return []example{
		{rule: rule, outcome: finding.Fail, subject: "cookie session", step: "login", lines: with(leftBehindStory, shared...)},
		{rule: rule, outcome: finding.Pass, name: "the store has the other anonymous session only", lines: with(leftBehindStory, still...),
			looks: []trace.Look{looked("after the login", "anon#1"), row("anon#2")}},
		{rule: rule, outcome: finding.NotTested, name: "the store has no anonymous session at all", code: finding.NoDatabase, lines: with(leftBehindStory, still...),
			looks: []trace.Look{looked("after the login", "anon#1"), looked("after the login", "anon#2")}},
		// Two workers with a memory each, which take turns.
		open("it looks shared once", finding.NoDatabase, with(leftBehindStory, "old2", "4", "old3", "5")),
		open("it looks separate once", finding.NoDatabase, with(leftBehindStory, "old3", "5")),
		{rule: rule, outcome: finding.Pass, name: "it lives on by itself", lines: with(leftBehindStory)},
		{rule: rule, outcome: finding.Pass, name: "it is answered with a new one",
			lines: with(leftBehindStory, append(still, "given", "sets anon#3")...)},
		open("the pages show nothing", finding.NoDatabase, with(leftBehindStory, still...)),
		open("every visit gets a new id", finding.NoDatabase, with(leftBehindStory, append(still, "given", "sets anon#3", "spared", "sets anon#4")...)),
		open("the old id is signed in", finding.Decided, with(leftBehindStory, "kept", "alice")),
		open("the visit issues no id", finding.NoPrecondition, with(noID)),
		open("the control is the victim", finding.NoCalibration, with(leftBehindStory, append(shared, "control", "alice")...)),
		open("the victim is nobody", finding.NoCalibration, with(leftBehindStory, append(shared, "victim", "anonymous")...)),
		open("a visit is rate limited", finding.RateLimited, with(leftBehindStory, "given", "429")),
		{rule: rule, outcome: finding.NotTested, name: "the visits after the login failed", code: finding.NoCalibration,
			problem: "step visit: GET /: no answer in time", lines: until(with(leftBehindStory), "control         | visit                    | carries")},
	}
}

// crossUserStory is the flow cross-user against an API that rotates.
const crossUserStory = `
	control         | login                     | as alice | sets alice#2
	attacker        | login                     | as alice | sets alice#1
	attacker        | identity before the login | carries alice#1 | {first=alice}
	victim          | login                     | carries alice#1 | as bob | {login=sets bob#1}
	victim          | identity after the login  | carries {hers=bob#1} | {victim=bob}
	attacker frozen | identity after the login  | carries alice#1 | {kept=anonymous}
	attacker        | identity after the login  | carries alice#1 | {live=anonymous}
	control         | identity after the login  | carries {spare=alice#2} | {control=alice}`

func crossUserExamples() []example {
	const rule = "cross-user-session-reuse"
	reused := []string{"login", "", "hers", "alice#1", "kept", "bob", "live", "bob"}
	exclusive := func(facts *trace.Facts) { facts.Exclusive = true }
	alone := without(strings.ReplaceAll(with(crossUserStory, "control", "anonymous"), "carries alice#2 |", ""), "as alice | sets alice#2")
	open := func(name string, code finding.Code, lines string) example {
		return example{rule: rule, outcome: finding.NotTested, name: name, lines: lines, code: code}
	}
	return []example{
		{rule: rule, outcome: finding.Fail, subject: "cookie session", step: "login", lines: with(crossUserStory, reused...)},
		{rule: rule, outcome: finding.Fail, name: "a new id comes and the old one follows", subject: "cookie session", step: "login",
			lines: with(crossUserStory, "kept", "bob")},
		{rule: rule, outcome: finding.Pass, name: "the first session ends", lines: with(crossUserStory)},
		{rule: rule, outcome: finding.Pass, name: "the first session stays the first user's", lines: with(crossUserStory, "kept", "alice", "live", "alice")},
		{rule: rule, outcome: finding.Pass, name: "one session for each user", facts: exclusive, lines: alone},
		open("the API refuses a login inside a session", finding.NoPrecondition, until(with(crossUserStory, "login", "refused 409"), "victim          | identity")),
		open("the API redirects a login inside a session", finding.NoPrecondition,
			with(crossUserStory, "login", "302 | Location: /", "hers", "alice#1", "victim", "alice", "kept", "alice", "live", "alice")),
		open("the login inside a session is rate limited", finding.RateLimited, until(with(crossUserStory, "login", "429"), "victim          | identity")),
		open("the second user is not signed in", finding.NoCalibration, with(crossUserStory, append(reused, "victim", "anonymous")...)),
		open("the login leaves the first user signed in", finding.NoCalibration, with(crossUserStory, "login", "", "hers", "alice#1", "victim", "alice", "kept", "alice")),
		open("the first user was not signed in", finding.NoCalibration, with(crossUserStory, append(reused, "first", "anonymous")...)),
		open("every session of the first user's is now the second's", finding.NoCalibration, with(crossUserStory, append(reused, "control", "bob")...)),
		open("the other session of the first user ended", finding.NoCalibration, with(crossUserStory, "control", "anonymous")),
		open("a read of the frozen jar is broken", finding.Flaky, with(crossUserStory, "kept", "broken")),
		open("the frozen jar is somebody unknown", finding.Ambiguous, with(crossUserStory, "kept", "unrecognised")),
		open("a read is rate limited", finding.RateLimited, with(crossUserStory, "live", "rate limited")),
		{rule: rule, outcome: finding.NotTested, name: "one user", code: finding.NoCalibration, lines: `attacker | login | sets alice#1`,
			facts: func(facts *trace.Facts) { facts.Users = facts.Users[:1] }, problem: "there is no second user"},
	}
}

// until is the story before the first line that begins so.
func until(story, line string) string {
	before, _, found := strings.Cut(story, "\t"+line)
	if !found {
		panic("the story has no line that begins with " + line)
	}
	return before
}

// without is the story without the lines that hold the words.
func without(story, words string) string {
	if !strings.Contains(story, words) {
		panic("the story has no line with " + words)
	}
	var kept strings.Builder
	for line := range strings.Lines(story) {
		if !strings.Contains(line, words) {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// The rounds run side by side. Which of them began first is chance, and must
// not change what is told.
func TestAnAdoptedIDIsToldAlikeWhicheverRoundWasFirst(t *testing.T) {
	t.Parallel()
	adopted := []string{"login", "", "hers", "forged#1", "kept", "alice"}
	one := example{rule: "arbitrary-session-id-accepted", lines: forged(adopted, adopted, adopted)}
	seen := one.trace(t)
	turned := seen
	turned.Exchanges = nil
	rounds := seen.Rounds()
	for _, name := range slices.Backward(rounds) {
		turned.Exchanges = append(turned.Exchanges, seen.Round(name).Exchanges...)
	}
	if len(rounds) < 2 || turned.Rounds()[0] == rounds[0] {
		t.Fatalf("the rounds are %q", turned.Rounds())
	}
	judge := one.probe(t).Judge
	want, got := judge(seen), judge(turned)
	if want.Outcome != finding.Fail {
		t.Fatalf("%s", want.Outcome)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-in order +turned round):\n%s", diff)
	}
}
