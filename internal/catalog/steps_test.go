package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/trace"
)

func TestSteps(t *testing.T) {
	t.Parallel()
	check(t, stepExamples())
}

func stepExamples() []example {
	return slices.Concat(elevationExamples(), reauthenticationExamples(), passwordExamples(), everywhereExamples(), deletionExamples(),
		limitExamples(), clientStateExamples(), resurrectionExamples(), raceExamples(), carryOverExamples(), puzzleExamples(), callbackExamples())
}

// cases are examples of one rule that share what a finding is about.
type cases struct{ rule, subject, step string }

func (c cases) fail(name, lines string) example {
	return example{rule: c.rule, outcome: finding.Fail, name: name, lines: lines, subject: c.subject, step: c.step}
}

func (c cases) pass(name, lines string) example {
	return example{rule: c.rule, outcome: finding.Pass, name: name, lines: lines}
}

func (c cases) open(name string, code finding.Code, lines string) example {
	return example{rule: c.rule, outcome: finding.NotTested, name: name, lines: lines, code: code}
}

// stopped is a flow that ended with a problem.
func (c cases) stopped(name string, code finding.Code, problem, lines string) example {
	e := c.open(name, code, lines)
	e.problem = problem
	return e
}

func (e example) on(facts func(*trace.Facts)) example {
	e.facts = facts
	return e
}

func (e example) about(subject string) example {
	e.subject = subject
	return e
}

func exclusive(facts *trace.Facts) { facts.Exclusive = true }

// elevationStory is the flow elevation against an API that rotates.
const elevationStory = `
	control         | login                    | as alice | sets alice#2
	victim          | login                    | sets alice#1
	attacker frozen | elevate before the elevation | carries alice#1 | {closed=403}
	victim          | elevate                  | carries alice#1 | {gives=sets alice#3}
	victim          | identity after the login | carries {hers=alice#3} | {victim=alice}
	victim          | elevate after the elevation | carries {hers} | {open=200 ¦ says admin}
	attacker frozen | identity after the login | carries alice#1 | {kept=anonymous}
	attacker frozen | elevate after the elevation | carries alice#1 | {got=401}
	control         | identity after the login | carries alice#2 | {control=alice}
	control         | elevate after the elevation | carries alice#2 | {other=403}`

func elevationExamples() []example {
	c := cases{"session-id-not-rotated-on-privilege-change", "cookie session", "elevate"}
	const admin = "200 | says admin"
	story := func(pairs ...string) string { return with(strings.ReplaceAll(elevationStory, "¦", "|"), pairs...) }
	kept := []string{"gives", "", "hers", "alice#1", "kept", "alice", "got", admin}
	return []example{
		c.fail("", story(kept...)),
		c.fail("a new id comes and the old one steps up with it", story("kept", "alice", "got", admin)),
		c.fail("the page is there before and says otherwise", story(append(kept, "closed", "200 | says no", "other", "200 | says no")...)),
		c.fail("one session a user", without(strings.ReplaceAll(story(append(kept, "control", "anonymous", "other", "401")...), "| carries alice#2", ""), "as alice")).on(exclusive),
		c.pass("", story()),
		c.pass("the old id lives on without the privilege", story("kept", "alice", "got", "403")),
		c.pass("nobody is sent to a page of the same status", story("got", "200 | says sign in")),
		c.open("the page is not open to her", finding.NoCalibration, story("open", "403")),
		c.open("the page was open before", finding.NoCalibration, story("closed", admin)),
		c.open("the step up is the user's, not the session's", finding.Ambiguous, story(append(kept, "other", admin)...)),
		c.open("she is not signed in any more", finding.NoCalibration, story(append(kept, "victim", "anonymous")...)),
		c.open("the control jar is nobody", finding.NoCalibration, story(append(kept, "control", "anonymous")...)),
		c.open("the page breaks", finding.Flaky, story("kept", "alice", "got", "500")),
		c.open("the read is broken", finding.Flaky, story("kept", "broken")),
		c.open("the page is rate limited", finding.RateLimited, story("got", "429")),
		c.stopped("the elevation was refused", finding.NoCalibration, "step elevate: POST /sudo answered 403, expected a status below 400",
			until(story("gives", "refused 403"), "victim          | identity")),
	}
}

// againStory is the second half of the flow journey against an API that rotates.
const againStory = `
	victim                       | login                         | sets alice#1
	victim                       | identity after the login      | carries alice#1 | {victim=alice}
	victim again                 | login                         | carries alice#1 | {gives=sets alice#2}
	victim again                 | identity after the next login | carries {hers=alice#2} | {again=alice}
	control                      | identity after the next login | {control=anonymous}
	attacker frozen              | identity after the next login | carries alice#1 | {kept=anonymous}`

func reauthenticationExamples() []example {
	c := cases{"session-id-not-rotated-on-privilege-change/re-authentication", "cookie session", "login"}
	story := func(pairs ...string) string { return with(againStory, pairs...) }
	tried := func(answer string, pairs ...string) string {
		return story(append([]string{"kept", "alice"}, pairs...)...) + "\n\tvictim with a wrong password | login | carries alice#1 | " + answer
	}
	return []example{
		c.fail("", tried("401", "gives", "", "hers", "alice#1")),
		c.fail("a new id comes and the old one stays", tried("401")),
		c.pass("", story()),
		c.open("a signed session, which no login ends", finding.Decided, story("kept", "alice")).on(func(facts *trace.Facts) { facts.Stateless = true }),
		c.open("the login inside a session is refused", finding.NoPrecondition, until(story("gives", "refused 409"), "victim again                 | identity")),
		c.open("the login inside a session is not looked at", finding.NoPrecondition,
			tried("303 | Location: /", "gives", "303 | Location: /", "hers", "alice#1")),
		c.open("the wrong password was not tried", finding.NoCalibration, story("kept", "alice")),
		c.open("the second login signs nobody in", finding.NoCalibration, tried("401", "again", "anonymous")),
		c.open("an empty jar is the victim", finding.NoCalibration, tried("401", "control", "alice")),
		c.open("the read is broken", finding.Flaky, story("kept", "broken")),
		c.open("the login is rate limited", finding.RateLimited, until(story("gives", "429"), "victim again                 | identity")),
	}
}

// passwordStory is the flow password-change against an API that ends the other
// session and rotates the one it came from.
const passwordStory = `
	other session                  | login                         | as alice | sets alice#2
	victim                         | login                         | sets alice#1
	other session                  | identity before the login     | carries alice#2 | {began=alice}
	victim                         | identity before the login     | carries alice#1 | {victim=alice}
	victim                         | change-password               | carries alice#1 | {gives=sets alice#3}
	attacker frozen                | identity after the login      | carries alice#1 | {kept=anonymous}
	other session                  | identity after the login      | carries alice#2 | {other=anonymous}
	control                        | login                         | refused 401
	control                        | identity after the login      | {control=anonymous}
	victim again                   | login                         | sets alice#4
	victim again                   | identity after the login      | carries alice#4 | {again=alice}
	victim again                   | change-password               | carries alice#4
	victim restored                | login                         | sets alice#5
	victim restored                | identity after the next login | carries alice#5 | alice`

func passwordExamples() []example {
	id := cases{"session-id-not-rotated-on-password-change", "cookie session", "change-password"}
	others := cases{"password-change-keeps-other-sessions", "cookie session", "change-password"}
	// Each of the two rules that share the flow looks at one of its jars.
	one := func(pairs ...string) string { return without(with(passwordStory, pairs...), "other session") }
	other := func(pairs ...string) string { return without(with(passwordStory, pairs...), "attacker frozen") }
	const lost = "the password of alice could not be changed back, set it by hand before the next scan: step login: no answer in time"
	notRestored := id.fail("and the password stays", one("kept", "alice"))
	notRestored.problem = lost
	return []example{
		id.fail("", one("kept", "alice", "gives", "")),
		id.fail("beside a new one", one("kept", "alice")),
		notRestored,
		id.pass("", one()),
		id.pass("the session ends altogether", one("gives", "")),
		id.open("the old password still signs in", finding.NoCalibration, one("kept", "alice", "control", "alice")),
		id.open("the new password signs nobody in", finding.NoCalibration, one("kept", "alice", "again", "anonymous")),
		id.open("she was not signed in", finding.NoCalibration, one("kept", "alice", "victim", "anonymous")),
		id.open("the read is broken", finding.Flaky, one("kept", "broken")),
		id.open("the read is rate limited", finding.RateLimited, one("kept", "rate limited")),
		id.stopped("the change was refused", finding.NoCalibration, "step change-password: POST /password answered 400, expected a status below 400",
			until(one("gives", "refused 400"), "attacker frozen")),
		id.stopped("the password stays", finding.NoCalibration, lost, one()),
		others.fail("", other("other", "alice")),
		others.pass("", other()),
		others.open("one session a user", finding.NoPrecondition, other("began", "anonymous")).on(exclusive),
		others.open("the other session was over before", finding.NoCalibration, other("began", "anonymous")),
		others.open("the other session was not read before", finding.NoCalibration, without(other("began", "BEGAN"), "BEGAN")),
		others.open("the old password still signs in", finding.NoCalibration, other("other", "alice", "control", "alice")),
		others.open("the new password signs nobody in", finding.NoCalibration, other("other", "alice", "again", "anonymous")),
		others.open("the other session is somebody unknown", finding.Ambiguous, other("other", "unrecognised")),
	}
}

// everywhereStory is the flow sign-out-everywhere against an API that ends all
// sessions of the user.
const everywhereStory = `
	control       | login                     | as bob | sets bob#1
	other session | login                     | as alice | sets alice#1
	third session | login                     | as alice | sets alice#2
	victim        | login                     | sets alice#3
	other session | identity before the login | carries alice#1 | {began=alice}
	third session | identity before the login | carries alice#2 | alice
	victim        | identity before the login | carries alice#3 | {victim=alice}
	control       | identity before the login | carries bob#1 | {bob=bob}
	victim        | logout-everywhere         | carries alice#3
	other session | identity after the login  | carries alice#1 | {one=anonymous}
	third session | identity after the login  | carries alice#2 | {two=anonymous}
	victim        | identity after the login  | carries alice#3 | {own=anonymous}
	control       | identity after the login  | carries bob#1 | {control=bob}`

func everywhereExamples() []example {
	c := cases{"logout-everywhere-incomplete", "cookie session", "logout-everywhere"}
	story := func(pairs ...string) string { return with(everywhereStory, pairs...) }
	tooMuch := c.fail("the other user is signed out, too", story("control", "anonymous")).about("another user's session")
	return []example{
		c.fail("", story("one", "alice", "two", "alice")),
		c.fail("one of them only", story("two", "alice")),
		c.fail("the one that asked may stay", story("one", "alice", "own", "alice")),
		tooMuch,
		c.pass("", story()),
		c.pass("the one that asked stays", story("own", "alice")),
		c.open("it ended nothing", finding.NoCalibration, story("one", "alice", "two", "alice", "own", "alice")),
		c.open("one session a user", finding.NoPrecondition, "").on(exclusive),
		c.open("the policy allows two sessions", finding.NoPrecondition, "").on(func(facts *trace.Facts) { facts.MaxSessions = 2 }),
		c.open("one of them was over before", finding.NoCalibration, story("two", "alice", "began", "anonymous")),
		c.open("the other user was not signed in", finding.NoCalibration, story("bob", "anonymous", "control", "anonymous")),
		c.open("the other user is her now", finding.NoCalibration, story("two", "alice", "control", "alice")),
		c.open("a read is broken", finding.Flaky, story("one", "broken")),
		c.open("the read of the other user is rate limited", finding.RateLimited, story("control", "rate limited")),
		c.stopped("it was refused", finding.NoCalibration, "step logout-everywhere: POST /logout-all answered 403, expected a status below 400",
			until(story(), "other session | identity after")),
	}
}

// deletionStory is the flow account-deletion against an API that deletes the
// sessions, too.
const deletionStory = `
	newcomer        | register
	victim          | login                     | as dave | sets dave#1
	victim          | identity before the login | carries dave#1 | {victim=is dave}
	victim          | delete-account            | carries dave#1
	newcomer        | register
	attacker frozen | identity after the login  | carries dave#1 | {kept=anonymous}
	control         | login                     | as dave | refused 401
	control         | identity after the login  | {control=anonymous}`

func deletionExamples() []example {
	c := cases{"session-survives-account-deletion", "cookie session", "delete-account"}
	story := func(pairs ...string) string { return with(deletionStory, pairs...) }
	return []example{
		c.fail("", story("kept", "is dave")),
		c.fail("the next account inherits it", story("kept", "is erin")),
		c.pass("", story()),
		c.open("the account was not deleted", finding.NoCalibration, story("kept", "is dave", "control", "is dave")),
		c.open("the account was not signed in", finding.NoCalibration, story("kept", "is dave", "victim", "anonymous")),
		c.open("the identity step does not name it", finding.NoCalibration, story("kept", "unrecognised", "victim", "unrecognised")),
		c.open("the read is broken", finding.Flaky, story("kept", "broken")),
		c.open("the read is rate limited", finding.RateLimited, story("kept", "rate limited")),
		c.stopped("it could not be registered", finding.NoCalibration, "step register: POST /register answered 403, expected a status below 400", "newcomer | register | refused 403"),
		c.open("registering is rate limited", finding.RateLimited, "newcomer | register | 429"),
	}
}

// limitStory is the flow many-sessions against an API that ends the oldest.
const limitStory = `
	victim    | login                     | sets alice#1
	victim    | identity before the login | carries alice#1 | {began=alice}
	session 2 | login                     | sets alice#2
	session 3 | login                     | {last=sets alice#3}
	victim    | identity after the login  | carries alice#1 | {oldest=anonymous}
	session 2 | identity after the login  | carries alice#2 | {second=alice}
	session 3 | identity after the login  | carries alice#3 | {newest=alice}
	control   | identity after the login  | {control=anonymous}`

func limitExamples() []example {
	c := cases{"concurrent-session-limit-not-enforced", "sessions of a user", "login"}
	limited := func(n int) func(*trace.Facts) { return func(facts *trace.Facts) { facts.MaxSessions = n } }
	story := func(pairs ...string) string { return with(limitStory, pairs...) }
	return []example{
		c.fail("", story("oldest", "alice")).on(limited(2)),
		c.pass("the oldest ends", story()).on(limited(2)),
		c.pass("the login is refused", story("oldest", "alice", "last", "refused 403", "newest", "anonymous")).on(limited(2)),
		c.open("there is no policy", finding.NoPrecondition, ""),
		c.open("the policy is generous", finding.TooFew, "").on(limited(500)),
		c.open("the first login signed nobody in", finding.NoCalibration, story("oldest", "alice", "began", "anonymous")).on(limited(2)),
		c.open("an empty jar is the user", finding.NoCalibration, story("oldest", "alice", "control", "alice")).on(limited(2)),
		c.open("no session is left", finding.NoCalibration, story("second", "anonymous", "newest", "anonymous")).on(limited(2)),
		c.open("a session was not read", finding.NoCalibration, story()).on(limited(3)),
		c.open("a read is broken", finding.Flaky, story("newest", "broken")).on(limited(2)),
		c.open("a read is rate limited", finding.RateLimited, story("newest", "rate limited")).on(limited(2)),
	}
}

// clearedStory is what the flow sign-out shows of the user's own browser.
const clearedStory = `
	victim | login                     | {gives=sets alice#1}
	victim | identity before the login | carries alice#1 | {began=alice}
	victim | logout                    | carries alice#1 | {clears=Set-Cookie: session=; Max-Age=0}
	victim | identity after the login  | {stays=} | {own=anonymous}`

func clientStateExamples() []example {
	c := cases{"logout-client-state-not-cleared", "cookie session", "logout"}
	story := func(pairs ...string) string { return with(clearedStory, pairs...) }
	stays := []string{"stays", "carries alice#1"}
	return []example{
		c.fail("", story(append(stays, "clears", "")...)),
		c.fail("the deletion has another path", story(append(stays, "clears", "Set-Cookie: session=; Path=/app; Max-Age=0")...)),
		c.fail("browsers refuse the deletion", story("gives", "Set-Cookie: __Host-session=alice#1; Path=/; Secure", "clears", "Set-Cookie: __Host-session=; Path=/; Max-Age=0")).
			on(carriedBy(cookieSlot("__Host-session"))).about("cookie __Host-session"),
		c.fail("something else is cleared", story(append(stays, "clears", `Clear-Site-Data: "cache", "storage"`)...)),
		c.pass("", story()),
		c.pass("another id replaces it", story("stays", "carries anon#1", "clears", "sets anon#1")),
		c.pass("Clear-Site-Data", story(append(stays, "clears", `Clear-Site-Data: "cache", "cookies"`)...)),
		c.pass("Clear-Site-Data for everything", story(append(stays, "clears", `Clear-Site-Data: "*"`)...)),
		c.open("a token, which its client keeps", finding.NoPrecondition, story("gives", "says alice#1", "clears", "", "stays", "carries alice#1")).on(carriedBy(bearer())),
		c.open("the login did not sign in", finding.NoCalibration, story(append(stays, "clears", "", "began", "anonymous")...)),
		c.open("the logout did nothing", finding.Ambiguous, story(append(stays, "clears", "", "own", "alice")...)),
		c.open("the read is rate limited", finding.RateLimited, story(append(stays, "clears", "", "own", "rate limited")...)),
		c.stopped("the logout was refused", finding.NoCalibration, "step logout: POST /logout answered 403, expected a status below 400",
			until(story("clears", "refused 403"), "victim | identity after")),
	}
}

// resurrectionStory is the flow late-save against an API that saves with UPDATE.
const resurrectionStory = `
	victim            | login                       | sets alice#1
	victim            | identity before the login   | carries alice#1 | {victim=alice}
	request under way | slow                        | carries alice#1 | {slow=takes 5s}
	victim            | logout                      | carries alice#1
	attacker frozen   | identity after the login    | carries alice#1 | {atOnce=anonymous}
	attacker frozen   | identity a second later     | carries alice#1 | {soon=anonymous}
	attacker frozen   | identity five seconds later | carries alice#1 | {late=anonymous}
	control           | identity five seconds later | {control=anonymous}`

func resurrectionExamples() []example {
	c := cases{"session-resurrection", "cookie session", "logout"}
	story := func(pairs ...string) string { return with(resurrectionStory, pairs...) }
	back := []string{"soon", "alice", "late", "alice"}
	return []example{
		c.fail("", story(append(back, "atOnce", "alice")...)),
		c.fail("after a while", story(back...)),
		c.pass("", story()),
		c.open("it goes away again", finding.Ambiguous, story("soon", "alice")),
		c.open("nothing was under way", finding.TooFew, story(append(back, "slow", "")...)),
		c.open("she was not signed in", finding.NoCalibration, story(append(back, "victim", "anonymous")...)),
		c.open("an empty jar is the victim", finding.NoCalibration, story(append(back, "control", "alice")...)),
		c.open("the last read is broken", finding.Flaky, story("late", "broken")),
		c.open("the first read is broken", finding.Flaky, story("atOnce", "broken")),
		c.open("a read was not made", finding.NoCalibration, without(story("soon", "SOON"), "SOON")),
		c.open("a read is rate limited", finding.RateLimited, story("soon", "rate limited")),
	}
}

// raceStory is the flow racing, with two races, against an API that rotates.
const raceStory = `
	round without a race
	attacker          | visit                      | sets anon#1
	victim            | login                      | carries anon#1 | sets alice#1
	victim            | identity after the login   | carries alice#1 | {calmVictim=alice}
	attacker frozen   | identity after the login   | carries anon#1 | {calm=anonymous}
	control           | identity after the login   | carries forged#1 | anonymous
	round race 1
	attacker          | visit                      | sets anon#2
	request under way | visit                      | carries anon#2 | {met=takes 5s}
	victim            | login                      | carries anon#2 | sets alice#2
	victim            | identity after the login   | carries alice#2 | {victim=alice}
	attacker frozen   | identity after the login   | carries anon#2 | {kept=anonymous}
	control           | identity after the login   | carries forged#2 | {control=anonymous}
	{later=}
	round race 2
	attacker          | visit                      | sets anon#3
	request under way | visit                      | carries anon#3
	victim            | login                      | carries anon#3 | sets alice#3
	victim            | identity after the login   | carries alice#3 | alice
	attacker frozen   | identity after the login   | carries anon#3 | anonymous
	control           | identity after the login   | carries forged#3 | anonymous`

func raceExamples() []example {
	c := cases{"concurrent-login-race", "cookie session", "login"}
	story := func(pairs ...string) string { return with(raceStory, pairs...) }
	later := func(who string, pairs ...string) string {
		return story(append([]string{"kept", "alice", "later", "attacker frozen | identity two seconds later | carries anon#2 | " + who}, pairs...)...)
	}
	return []example{
		c.fail("", later("alice")),
		c.pass("", story()),
		c.open("it passes", finding.Flaky, later("anonymous")),
		c.open("it was not read again", finding.NoCalibration, story("kept", "alice")),
		c.open("it happens without a race", finding.Decided, later("alice", "calm", "alice")),
		c.open("no visit met a login", finding.TooFew, story("met", "")),
		c.open("the visit issues no id", finding.NoPrecondition, with(noID)),
		c.open("a login did not work", finding.NoCalibration, later("alice", "victim", "anonymous")),
		c.open("a control is the victim", finding.NoCalibration, later("alice", "control", "alice")),
		c.open("a read is broken", finding.Flaky, story("kept", "broken")),
		c.open("a read is rate limited", finding.RateLimited, story("kept", "rate limited")),
	}
}

// carryOverStory is the flow planted-token against an API that begins afresh.
const carryOverStory = `
	attacker | state-change             | {offers=sets anon#1}
	victim   | login                    | carries anon#1 | sets alice#1
	victim   | identity after the login | carries alice#1 | {victim=alice}
	attacker | identity after the login | carries anon#1 | {old=anonymous}
	attacker | state-change             | carries anon#1
	control  | state-change             | sets anon#2
	victim   | state-change with the token from before the login | carries alice#1 | {planted=refused 403}
	victim   | state-change with a token of the old session from after the login | carries alice#1 | {later=refused 403}
	victim   | state-change without a token | carries alice#1 | {none=refused 403}
	victim   | state-change with the token of an unrelated session | carries alice#1 | {unrelated=refused 403}
	victim   | state-change             | carries alice#1
	victim   | state-change             | carries alice#1 | {own=204}`

func carryOverExamples() []example {
	c := cases{"pre-login-state-carry-over", "CSRF token", "login"}
	story := func(pairs ...string) string { return with(carryOverStory, pairs...) }
	return []example{
		c.fail("", story("planted", "204", "later", "204")),
		c.fail("the token from before only", story("planted", "204")),
		c.fail("the token from after only", story("later", "204")),
		c.pass("", story()),
		c.open("the step captures no token", finding.NoPrecondition, "attacker | state-change | says hello"),
		c.open("no token is needed", finding.NoCalibration, story("planted", "204", "later", "204", "none", "204")),
		c.open("any token will do", finding.NoCalibration, story("planted", "204", "later", "204", "unrelated", "204")),
		c.stopped("her own token is refused", finding.NoCalibration, "step state-change: POST /email answered 403, expected a status below 400",
			story("planted", "204", "own", "refused 403")),
		c.open("the old id is signed in", finding.Decided, story("planted", "204", "old", "alice")),
		c.open("she is not signed in", finding.NoCalibration, story("planted", "204", "victim", "anonymous")),
		c.open("the old id is somebody unknown", finding.Ambiguous, story("planted", "204", "old", "unrecognised")),
		c.open("the request breaks", finding.NoCalibration, story("later", "refused 500")),
		c.open("the request is rate limited", finding.RateLimited, story("none", "429")),
	}
}

// puzzleStory is the flow public-flows against an API that notes nothing.
const puzzleStory = `
	attacker | recover                           | {notes=sets anon#1}
	attacker | identity after the recovery began | {first=anonymous}
	attacker | login                             | refused 401
	attacker | identity after a login that failed | {second=anonymous}
	control  | recover                           | {unknown=}
	control  | identity after the recovery began | {control=anonymous}`

func puzzleExamples() []example {
	c := cases{"session-puzzling", "cookie session", "recover"}
	story := func(pairs ...string) string { return with(puzzleStory, pairs...) }
	failedLogin := c.fail("the failed login only", story("second", "alice"))
	failedLogin.step = "login"
	recoverable := func(facts *trace.Facts) { facts.Steps["recover"] = true }
	stub := func(facts *trace.Facts) { facts.Controls = []trace.Control{{Name: "K2", Skipped: true}} }
	passwordless := func(facts *trace.Facts) { recoverable(facts); stub(facts) }
	loginOnly := without(without(story("second", "SECOND"), "attacker | recover"), "control  | recover")
	loginOnly = without(loginOnly, "attacker | identity after the recovery began")
	usesLogin := c.fail("no recover step", strings.Replace(loginOnly, "SECOND", "alice", 1))
	usesLogin.step = "login"
	all := []example{
		c.fail("", story("first", "alice", "second", "alice")),
		failedLogin,
		c.fail("the user need not exist", story("first", "alice", "second", "alice", "control", "is nobody-at-all")),
		c.pass("", story()),
		c.pass("an unknown user is refused", story("unknown", "refused 404")),
		c.pass("a user without a password", without(without(story("second", "SECOND"), "SECOND"), "attacker | login")).on(passwordless),
		c.open("an unknown user reads as the victim", finding.NoCalibration, story("first", "alice", "control", "alice")),
		c.open("the control was not read", finding.NoCalibration, until(story("first", "alice"), "control")),
		c.open("a read is broken", finding.Flaky, story("second", "broken")),
		c.open("a read is bob", finding.Ambiguous, story("first", "bob")),
		c.open("a read is rate limited", finding.RateLimited, story("control", "rate limited")),
		c.stopped("the recovery was refused", finding.NoCalibration, "step recover: POST /forgot answered 404, expected a status below 400", "attacker | recover | refused 404"),
	}
	for i := range all {
		if all[i].facts == nil {
			all[i].facts = recoverable
		}
	}
	return append(all, usesLogin,
		c.pass("no recover step", strings.Replace(loginOnly, "SECOND", "anonymous", 1)),
		c.open("no recover step, and any password signs in", finding.NoPrecondition, strings.Replace(loginOnly, "SECOND", "anonymous", 1)).on(stub))
}

// callbackStory is the flow foreign-callback against an API that binds state.
const callbackStory = `
	attacker                   | callback                 | sets anon#1
	browser that began nothing | callback with the attacker's values | {got=refused 403}
	browser that began nothing | identity after the login | {other=anonymous}
	attacker herself           | callback                 | sets anon#2
	attacker herself           | callback                 | carries anon#2 | sets bob#1
	attacker herself           | identity after the login | carries bob#1 | {own=bob}
	control                    | identity after the login | {control=anonymous}`

func callbackExamples() []example {
	c := cases{"oauth-state-not-bound", "login elsewhere", "callback"}
	story := func(pairs ...string) string { return with(callbackStory, pairs...) }
	return []example{
		c.fail("", story("got", "204 | sets bob#2", "other", "bob")),
		c.pass("", story()),
		c.open("she cannot end it herself", finding.NoCalibration, story("other", "bob", "own", "anonymous")),
		c.open("an empty jar is bob", finding.NoCalibration, story("other", "bob", "control", "bob")),
		c.open("the step is one request", finding.NoPrecondition, without(story("other", "bob"), "attacker                   | callback")),
		c.open("the browser is alice", finding.Ambiguous, story("other", "alice")),
		c.open("the read is broken", finding.Flaky, story("other", "broken")),
		c.open("the read is rate limited", finding.RateLimited, story("other", "rate limited")),
		c.stopped("it cannot be begun", finding.NoCalibration, "step callback: POST /start answered 401, expected a status below 400", "attacker | callback | refused 401"),
	}
}
