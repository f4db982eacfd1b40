package catalog_test

import (
	"slices"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/trace"
)

func TestTermination(t *testing.T) {
	t.Parallel()
	check(t, terminationExamples())
}

// signOutStory is the flow sign-out against an API that deletes the session.
const signOutStory = `
	victim          | login                         | {gives=sets alice#1}
	victim          | identity before the login     | carries alice#1 | {began=alice}
	victim          | logout                        | carries alice#1
	victim          | identity after the login      | {own=anonymous}
	attacker frozen | identity after the login      | carries alice#1 | {kept=anonymous}
	victim again    | login                         | {givesAgain=sets alice#2}
	victim again    | identity after the next login | carries alice#2 | {again=alice}
	attacker frozen | identity after the next login | carries alice#1 | {later=anonymous}
	control         | identity after the next login | {control=anonymous}`

func terminationExamples() []example {
	return slices.Concat(logoutExamples(), lifetimeExamples())
}

func lifetimeExamples() []example {
	const rule = "session-lifetime-excessive"
	story := func(attributes string) string {
		return with(journeyStory, "first", "Set-Cookie: session=alice#1; Path=/"+attributes)
	}
	expires := func(at string) []trace.Look {
		return []trace.Look{looked("after the login", "alice#1", stored("raw", map[string]string{"expires": at}))}
	}
	eightHours := func(facts *trace.Facts) { facts.AbsoluteTimeout = 8 * time.Hour }
	fail := func(name, subject, lines string, facts func(*trace.Facts), looks []trace.Look) example {
		return example{rule: rule, outcome: finding.Fail, name: name, subject: subject, step: "login", lines: lines, facts: facts, looks: looks}
	}
	return []example{
		fail("", "cookie session", story("; Max-Age=2592001"), nil, nil),
		fail("longer than browsers keep it", "cookie session", story("; Expires=Wed, 14 Mar 2029 09:26:53 GMT"), nil, nil),
		fail("the policy is shorter", "cookie session", story("; Max-Age=28801"), eightHours, nil),
		fail("in the store", "sessions.expires_column", story(""), nil, expires("2026-04-14 09:26:53+00")),
		fail("in the store, in seconds since 1970", "sessions.expires_column", story("; Max-Age=3600"), eightHours, expires("1773597600")),
		{rule: rule, outcome: finding.Pass, lines: story("; Max-Age=2592000")},
		{rule: rule, outcome: finding.Pass, name: "in the store", lines: story(""), looks: expires("2026-03-15 09:26:53+00")},
		{rule: rule, outcome: finding.NotTested, name: "nothing says how long", code: finding.NoDatabase, lines: story("")},
		{rule: rule, outcome: finding.NotTested, name: "the store says nothing either", code: finding.NoDatabase, lines: story(""), looks: expires("")},
		{rule: rule, outcome: finding.NotTested, name: "the store could not be read", code: finding.NoDatabase, lines: story(""),
			looks: []trace.Look{{Moment: "after the login", Problem: "the table is gone"}}},
		{rule: rule, outcome: finding.NotTested, name: "the victim is not signed in", code: finding.NoCalibration,
			lines: with(journeyStory, "first", "Set-Cookie: session=alice#1; Max-Age=9999999", "victim", "anonymous")},
	}
}

func logoutExamples() []example {
	const rule = "logout-session-not-invalidated"
	alive := []string{"kept", "alice", "later", "alice"}
	token := []string{"gives", "says alice#1", "givesAgain", "says alice#2"}
	open := func(name string, code finding.Code, lines string) example {
		return example{rule: rule, outcome: finding.NotTested, name: name, lines: lines, code: code}
	}
	return []example{
		{rule: rule, outcome: finding.Fail, subject: "cookie session", step: "logout", lines: with(signOutStory, alive...)},
		{rule: rule, outcome: finding.Fail, name: "a signed session", subject: "cookie session", step: "logout", lines: with(signOutStory, alive...),
			facts: func(facts *trace.Facts) { facts.Stateless = true }},
		{rule: rule, outcome: finding.Fail, name: "a bearer token, which its client keeps", subject: "header Authorization", step: "logout",
			lines: with(signOutStory, append(alive, append(token, "own", "carries alice#1 | alice")...)...), facts: carriedBy(bearer())},
		{rule: rule, outcome: finding.Pass, lines: with(signOutStory)},
		{rule: rule, outcome: finding.Pass, name: "the row is marked", lines: with(signOutStory),
			looks: []trace.Look{looked("after the login", "alice#1", stored("sha256 hex", map[string]string{"user": "1"}))}},
		{rule: rule, outcome: finding.Pass, name: "a bearer token", lines: with(signOutStory, append(token, "own", "carries alice#1 | anonymous")...), facts: carriedBy(bearer())},
		{rule: rule, outcome: finding.Fail, name: "the next login ends it, not the logout", subject: "cookie session", step: "logout",
			lines: with(signOutStory, "kept", "alice"), facts: func(facts *trace.Facts) { facts.Exclusive = true }},
		{rule: rule, outcome: finding.Pass, name: "one session a user", lines: with(signOutStory), facts: func(facts *trace.Facts) { facts.Exclusive = true }},
		{rule: rule, outcome: finding.NotTested, name: "a 429 in another flow", code: finding.RateLimited, lines: until(with(signOutStory), "victim again"),
			problem: "step login: the API answered 429 Too Many Requests", limited: true},
		open("the login did not sign in", finding.NoCalibration, with(signOutStory, append(alive, "began", "anonymous")...)),
		open("the logout did nothing", finding.NoCalibration, with(signOutStory, append(alive, "own", "alice")...)),
		open("the own read is broken", finding.NoCalibration, with(signOutStory, append(alive, "own", "broken")...)),
		open("the next login did not work", finding.NoCalibration, with(signOutStory, append(alive, "again", "anonymous")...)),
		open("an empty jar is the victim", finding.NoCalibration, with(signOutStory, append(alive, "control", "alice")...)),
		open("the session ended later", finding.Ambiguous, with(signOutStory, "kept", "alice")),
		open("the session came back", finding.Ambiguous, with(signOutStory, "later", "alice")),
		open("the first read is broken", finding.Flaky, with(signOutStory, "kept", "broken")),
		open("the second read is broken", finding.Flaky, with(signOutStory, "later", "broken")),
		open("a read is somebody unknown", finding.Ambiguous, with(signOutStory, "kept", "unrecognised")),
		open("a read is rate limited", finding.RateLimited, with(signOutStory, append(alive, "control", "rate limited")...)),
		{rule: rule, outcome: finding.NotTested, name: "the logout was refused", code: finding.NoCalibration,
			problem: "step logout: POST /logout answered 403, expected a status below 400",
			lines:   until(with(signOutStory), "victim          | identity after the login")},
	}
}
