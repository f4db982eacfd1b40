package catalog_test

import (
	"time"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// The store of the ageing stories has a time of last use, an expiry and a
// beginning, and the API goes by all of them.
const ageingStory = `
	twin               | login                                                          | sets alice#1
	twin               | identity before the login                                      | carries alice#1 | {began=alice}
	twin               | identity without the row                                       | carries alice#1 | {twin=anonymous}
	victim             | login                                                          | sets alice#2
	victim             | identity after the login                                       | carries alice#2 | {victim=alice}
	copy of the victim | identity with the row touched                                  | carries alice#2 | {touched=alice}
	copy of the victim | identity with the last use moved back                          | carries alice#2 | {unused=anonymous}
	copy of the victim | identity with the last use moved back, put back                | carries alice#2 | {unusedBack=alice}
	copy of the victim | identity with every time moved back                            | carries alice#2 | {all=anonymous}
	copy of the victim | identity with every time moved back, put back                  | carries alice#2 | {allBack=alice}
	copy of the victim | identity with the expiry passed                                | carries alice#2 | {expired=anonymous}
	copy of the victim | identity with the expiry passed, put back                      | carries alice#2 | {expiredBack=alice}
	copy of the victim | identity shortly before the expiry                             | carries alice#2 | alice
	copy of the victim | identity with the beginning moved back                         | carries alice#2 | {old=anonymous}
	copy of the victim | identity with the beginning moved back, put back               | carries alice#2 | {oldBack=alice}`

var ageingChanges = []trace.Alteration{
	{Moment: "without the row", Kind: trace.Deleted, At: began.Add(2500 * time.Millisecond), ID: secret.New("alice#1")},
	{Moment: "with the row touched", Kind: trace.Touched, At: began.Add(5500 * time.Millisecond), ID: secret.New("alice#2")},
	{Moment: "with the last use moved back", Kind: trace.Aged, At: began.Add(6500 * time.Millisecond), ID: secret.New("alice#2"),
		By: 31 * time.Minute, Columns: []string{"sessions.last_seen"}},
	{Moment: "with the last use moved back, put back", Kind: trace.Restored, At: began.Add(7500 * time.Millisecond), ID: secret.New("alice#2")},
	{Moment: "with every time moved back", Kind: trace.Aged, At: began.Add(8500 * time.Millisecond), ID: secret.New("alice#2"),
		By: 31 * time.Minute, Columns: []string{"sessions.created_at", "sessions.last_seen", "sessions.expires_at"}},
	{Moment: "with the expiry passed", Kind: trace.Set, At: began.Add(10500 * time.Millisecond), ID: secret.New("alice#2"),
		To: began, Columns: []string{"sessions.expires_at"}},
	{Moment: "with the beginning moved back", Kind: trace.Aged, At: began.Add(13500 * time.Millisecond), ID: secret.New("alice#2"),
		By: 12 * time.Hour, Columns: []string{"sessions.created_at"}},
}

// failing are the changes of which those of the moments could not be made.
func failing(problem string, moments ...string) []trace.Alteration {
	var changes []trace.Alteration
	for _, change := range ageingChanges {
		for _, moment := range moments {
			if change.Moment == moment {
				change.Problem, change.Columns = problem, nil
			}
		}
		changes = append(changes, change)
	}
	return changes
}

func promised(facts *trace.Facts) {
	facts.IdleTimeout, facts.AbsoluteTimeout = 30*time.Minute, 12*time.Hour
}

// slid are looks between which a use moved the expiry on, or did not.
func slid(from, to string) []trace.Look {
	return []trace.Look{
		looked("shortly before the expiry", "alice#2", stored("raw", map[string]string{"expires": from})),
		looked("after use", "alice#2", stored("raw", map[string]string{"expires": to})),
	}
}

const (
	noSeen    = "with the last use moved back"
	noTimes   = "with every time moved back"
	noExpiry  = "with the expiry passed"
	noBegin   = "with the beginning moved back"
	noTime    = "its row holds no time that is known by name as one of these"
	firstEnd  = "2026-03-14 09:27:53+00"
	secondEnd = "2026-03-14 21:26:53+00"
)

func ageingExamples() []example {
	idle := func(name string, outcome finding.Outcome, code finding.Code, changes []trace.Alteration, pairs ...string) example {
		e := example{rule: "idle-timeout-not-enforced", outcome: outcome, name: name, code: code, facts: promised, altered: changes, lines: with(ageingStory, pairs...)}
		if outcome == finding.Fail {
			e.subject, e.step = "cookie session", "identity"
		}
		return e
	}
	absolute := func(name string, outcome finding.Outcome, code finding.Code, changes []trace.Alteration, pairs ...string) example {
		e := idle(name, outcome, code, changes, pairs...)
		e.rule = "absolute-timeout-not-enforced"
		return e
	}
	about := func(subject string, e example) example { e.subject = subject; return e }
	under := func(facts func(*trace.Facts), e example) example { e.facts = facts; return e }
	moving := func(e example) example { e.looks = slid(firstEnd, secondEnd); return e }
	noPromise := func(*trace.Facts) {}
	all := []example{
		idle("", finding.Fail, "", ageingChanges, "unused", "alice", "all", "alice"),
		idle("no time of last use", finding.Fail, "", failing(noTime, noSeen), "all", "alice"),
		idle("", finding.Pass, "", ageingChanges),
		idle("the expiry is moved on by use", finding.Pass, "", ageingChanges, "unused", "alice"),
		idle("no time of last use", finding.Pass, "", failing(noTime, noSeen)),
		idle("no time at all", finding.NotTested, finding.NoSchema, failing(noTime, noSeen, noTimes)),
		idle("not what ended it", finding.NotTested, finding.Ambiguous, ageingChanges, "unusedBack", "anonymous"),
		idle("not what ended it, every time", finding.NotTested, finding.Ambiguous, ageingChanges, "unused", "alice", "allBack", "anonymous"),
		idle("the read is broken", finding.NotTested, finding.Flaky, ageingChanges, "unused", "broken"),
		under(noPromise, idle("no policy", finding.NotTested, finding.NoPrecondition, ageingChanges)),

		about("sessions.expires_at", absolute("", finding.Fail, "", ageingChanges, "expired", "alice")),
		about("sessions.expires_at", under(noPromise, absolute("no policy", finding.Fail, "", ageingChanges, "expired", "alice"))),
		about("sessions.created_at", moving(absolute("use moves the expiry on", finding.Fail, "", ageingChanges, "old", "alice"))),
		about("sessions.created_at", absolute("no expiry", finding.Fail, "", failing(noTime, noExpiry), "old", "alice")),
		absolute("", finding.Pass, "", ageingChanges),
		absolute("the expiry is fixed at login, and nobody asks for the beginning", finding.Pass, "", ageingChanges, "old", "alice"),
		moving(absolute("use moves the expiry on, up to a limit", finding.Pass, "", ageingChanges)),
		absolute("no expiry", finding.Pass, "", failing(noTime, noExpiry)),
		under(noPromise, absolute("no policy", finding.Pass, "", ageingChanges)),
		moving(absolute("use moves the expiry on, and nothing says since when", finding.NotTested, finding.NoSchema, failing(noTime, noBegin))),
		absolute("not what ended it", finding.NotTested, finding.Ambiguous, ageingChanges, "expiredBack", "anonymous"),
		absolute("the read is broken", finding.NotTested, finding.Flaky, ageingChanges, "expired", "broken"),
		moving(absolute("not what ended it, the beginning", finding.NotTested, finding.Ambiguous, ageingChanges, "oldBack", "anonymous")),
		under(noPromise, absolute("no policy and no time", finding.NotTested, finding.NoPrecondition, failing(noTime, noExpiry, noBegin))),
		absolute("no time at all", finding.NotTested, finding.NoSchema, failing(noTime, noExpiry, noBegin)),
	}
	for _, with := range []func(string, finding.Outcome, finding.Code, []trace.Alteration, ...string) example{idle, absolute} {
		blind := with("no store", finding.NotTested, finding.NoDatabase, nil)
		stateless := with("a signed session", finding.NotTested, finding.NoPrecondition, ageingChanges)
		stateless.facts = func(facts *trace.Facts) { promised(facts); facts.Stateless = true }
		all = append(all, blind, stateless,
			with("the API keeps its sessions in memory", finding.NotTested, finding.Cached, ageingChanges, "twin", "alice"),
			with("the twin's read is broken", finding.NotTested, finding.Flaky, ageingChanges, "twin", "broken"),
			with("a touch ends the session", finding.NotTested, finding.NoCalibration, ageingChanges, "touched", "anonymous"),
			with("the twin is not signed in", finding.NotTested, finding.NoCalibration, ageingChanges, "began", "anonymous"),
			with("the victim is not signed in", finding.NotTested, finding.NoCalibration, ageingChanges, "victim", "anonymous"),
			with("the store may not be written to", finding.NotTested, finding.NoDatabase, failing("database.url is not on this machine", "without the row")),
			with("the row could not be touched", finding.NotTested, finding.NoDatabase, failing("the row is gone", "with the row touched")),
			with("rate limited", finding.NotTested, finding.RateLimited, ageingChanges, "all", "rate limited"),
		)
	}
	return all
}

func storeUserExamples() []example {
	const rule = "session-store-user-is-admin"
	const lines = "victim | login | sets alice#1"
	api, root := trace.StoreUser{Name: "api"}, trace.StoreUser{Name: "root", Admin: true}
	return []example{
		{rule: rule, lines: lines, outcome: finding.Fail, users: []trace.StoreUser{api, root}, subject: "store user root", step: "login", reproduced: true},
		{rule: rule, lines: lines, outcome: finding.Pass, users: []trace.StoreUser{api}},
		{rule: rule, lines: lines, outcome: finding.NotTested, name: "no store", code: finding.NoDatabase},
		{rule: rule, lines: lines, outcome: finding.NotTested, name: "the API did not log in", code: finding.NoDatabase, facts: func(facts *trace.Facts) { facts.Store = true }},
		{rule: rule, outcome: finding.NotTested, name: "no login", code: finding.NoCalibration, users: []trace.StoreUser{api}},
		{rule: rule, lines: lines, outcome: finding.NotTested, name: "not known", code: finding.NoDatabase, users: []trace.StoreUser{{Name: "api", Problem: "there is no such user"}}},
	}
}
