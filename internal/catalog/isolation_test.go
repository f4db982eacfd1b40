package catalog_test

import (
	"testing"

	"github.com/sessiongate/sessiongate/internal/finding"
)

func TestIsolation(t *testing.T) {
	t.Parallel()
	check(t, isolationExamples())
}

// bystanderStory is the flow bystanders against an API that knows users by
// their session id alone.
func bystanderStory(pairs ...string) string {
	const pair = `
	attacker           | identity after the login | anonymous
	attacker elsewhere | identity after the login | {last=anonymous}`
	return with(`
	victim             | login                    | sets alice#1
	victim             | identity after the login | carries alice#1 | {victim=alice}
	attacker           | identity after the login | {beside=anonymous}
	attacker elsewhere | identity after the login | {apart=anonymous}`+pair+`
	victim             | identity after the login | carries alice#1 | {still=alice}`, pairs...)
}

func isolationExamples() []example {
	const rule = "session-identity-from-network"
	fail := func(name, lines string) example {
		return example{rule: rule, outcome: finding.Fail, name: name, lines: lines, subject: "requests without a session id", step: "identity"}
	}
	open := func(name string, code finding.Code, lines string) example {
		return example{rule: rule, outcome: finding.NotTested, name: name, lines: lines, code: code}
	}
	return []example{
		fail("", bystanderStory("beside", "alice", "apart", "alice", "last", "alice")),
		fail("over the victim's connection only", bystanderStory("beside", "alice")),
		fail("once", bystanderStory("last", "alice")),
		fail("beside a broken read", bystanderStory("beside", "broken", "apart", "alice")),
		{rule: rule, outcome: finding.Pass, lines: bystanderStory()},
		{rule: rule, outcome: finding.NotTested, name: "too few reads", code: finding.NoCalibration, lines: `
			victim   | identity after the login | carries alice#1 | alice
			attacker | identity after the login | anonymous
			victim   | identity after the login | carries alice#1 | alice`},
		open("the victim was not read again", finding.NoCalibration, without(bystanderStory("still", "STILL"), "STILL")),
		{rule: rule, outcome: finding.NotTested, name: "the flow broke off", code: finding.NoCalibration,
			problem: "step login: POST /login answered 500, expected a status below 400", lines: `victim | login | 500`},
		open("the victim is nobody", finding.NoCalibration, bystanderStory("beside", "alice", "victim", "anonymous")),
		open("the victim is nobody in the end", finding.NoCalibration, bystanderStory("beside", "alice", "still", "anonymous")),
		open("the victim is bob", finding.NoCalibration, bystanderStory("victim", "bob")),
		open("a read is broken", finding.Flaky, bystanderStory("apart", "broken")),
		open("a stranger is bob", finding.Ambiguous, bystanderStory("apart", "bob")),
		open("a stranger is somebody unknown", finding.Ambiguous, bystanderStory("last", "unrecognised")),
		open("a read is rate limited", finding.RateLimited, bystanderStory("beside", "alice", "last", "rate limited")),
	}
}
