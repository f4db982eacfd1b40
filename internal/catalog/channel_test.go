package catalog_test

import (
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/finding"
)

func TestChannels(t *testing.T) {
	t.Parallel()
	check(t, channelExamples())
}

// plantedStory is one round of a channel's flow against an API that does not
// read the channel. Only requests without a body can carry the id to the
// identity endpoint; the line of that read is left out for the others.
const plantedStory = `
	round {round=forged id}
	victim   | login                    | plants forged#1 as NOUN | {login=sets alice#1}
	victim   | identity after the login | carries {hers=alice#1} | {victim=alice}
	attacker | identity after the login | carries forged#1 | {kept=anonymous}
	attacker by NOUN | identity after the login | plants forged#1 as NOUN | {sent=anonymous}
	control  | identity after the login | carries unused#1 | {control=anonymous}`

// issuedRound is the same with an id that the server issued to the attacker.
const issuedRound = `
	round issued id
	attacker | visit                     | sets anon#1
	attacker | identity before the login | carries anon#1 | {first=anonymous}
	victim   | login                     | plants anon#1 as NOUN | {login=sets alice#2}
	victim   | identity after the login  | carries {hers=alice#2} | {victim=alice}
	attacker | identity after the login  | carries anon#1 | {kept=anonymous}
	control  | identity after the login  | carries unused#2 | {control=anonymous}`

const refusedStory = `
	round {round=forged id}
	victim | login | plants forged#1 as NOUN | {status=422}`

const plainStory = `
	round without the planted id
	victim | login                    | {login=sets alice#3}
	victim | identity after the login | carries alice#3 | {victim=alice}`

const encodingStory = `
	round the other encoding
	victim | login | {status=415}`

func channelExamples() []example {
	var all []example
	for _, channel := range []struct {
		rule, noun string
		reads      bool
	}{
		{"session-id-accepted-in-query", "query parameter", true},
		{"session-id-accepted-in-form-field", "form field", false},
		{"session-id-accepted-in-json-body", "JSON member", false},
		{"session-id-accepted-in-path", "path parameter", true},
		{"session-id-accepted-in-header", "header", true},
	} {
		for _, e := range examplesOfOneChannel() {
			e.rule = channel.rule
			if strings.HasPrefix(e.name, byItself) && !channel.reads {
				continue
			}
			if !channel.reads && strings.Contains(e.lines, "attacker by NOUN") {
				e.lines = without(e.lines, "attacker by NOUN")
			}
			e.lines = strings.ReplaceAll(e.lines, "NOUN", channel.noun)
			e.subject = strings.ReplaceAll(e.subject, "NOUN", channel.noun)
			all = append(all, e)
		}
	}
	return all
}

// byItself is possible only where a request without a body has the channel.
const byItself = "read by the channel itself"

func examplesOfOneChannel() []example {
	adopted := []string{"login", "", "hers", "forged#1", "kept", "alice"}
	adoptedIssued := []string{"login", "", "hers", "anon#1", "kept", "alice"}
	planted := func(pairs ...string) string { return with(plantedStory, pairs...) }
	fail := func(name, subject string, reproduced bool, lines string) example {
		return example{outcome: finding.Fail, name: name, lines: lines, subject: subject, step: "login", reproduced: reproduced}
	}
	pass := func(name, lines string) example { return example{outcome: finding.Pass, name: name, lines: lines} }
	open := func(name string, code finding.Code, lines string) example {
		return example{outcome: finding.NotTested, name: name, lines: lines, code: code}
	}
	sid := []string{"round", "forged id: sid"}
	return []example{
		fail("all names, then one", "NOUN sid", true, planted(adopted...)+planted(append(adopted, sid...)...)),
		fail("all names at once only", "NOUN", false, planted(adopted...)+planted(sid...)),
		fail("one name, the login with all is refused", "NOUN sid", false, with(refusedStory)+planted(append(adopted, sid...)...)),
		fail("an issued id only", "NOUN", false, planted()+with(issuedRound, adoptedIssued...)),
		fail(byItself, "NOUN", false, planted("sent", "alice")),
		fail(byItself+", as the victim does", "NOUN", false, strings.Replace(planted("hers", "other#1", "victim", "anonymous", "sent", "alice"),
			"	attacker |", "	victim   | identity after the login | plants forged#1 as NOUN | alice\n	attacker |", 1)),
		pass("", planted()),
		pass("with an issued id", planted()+with(issuedRound)),
		pass("refused as such", with(refusedStory)+with(refusedStory, sid...)+with(plainStory)),
		pass("refused under some names", with(refusedStory)+with(refusedStory, "round", "forged id: token")+planted(sid...)+with(plainStory)),
		pass("the encoding is refused", with(encodingStory)+with(plainStory)),
		pass("the encoding is accepted", with(encodingStory, "status", "200")+planted()),
		open("any id is the victim's after the login", finding.NoCalibration, planted(append(adopted, "control", "alice")...)),
		open("the victim is not signed in", finding.NoCalibration, planted(append(adopted, "victim", "anonymous")...)),
		open("the control was not read", finding.NoCalibration, without(planted(), "unused#1")),
		open("the issued id is the victim's before", finding.NoCalibration, planted()+with(issuedRound, append(adoptedIssued, "first", "alice")...)),
		open("the issued id's login failed", finding.NoCalibration, planted()+until(with(issuedRound), "victim   | login")),
		open("refused, and so is the plain login", finding.NoCalibration, with(refusedStory)+until(with(plainStory, "login", "401"), "victim | identity")),
		open("refused, and the plain login signs nobody in", finding.NoCalibration, with(refusedStory)+with(plainStory, "victim", "anonymous")),
		open("refused, and no plain login was made", finding.NoCalibration, with(refusedStory)),
		open("the login fails", finding.NoCalibration, with(refusedStory, "status", "500")+with(plainStory)),
		open("the login is not answered", finding.NoCalibration, with(refusedStory, "status", "no answer")+with(plainStory)),
		open("the encoding breaks the login", finding.NoCalibration, with(encodingStory, "status", "500")),
		open("nothing but the accepted encoding", finding.NoCalibration, with(encodingStory, "status", "200")),
		open("the attacker's read is broken", finding.Flaky, planted("kept", "broken")),
		open("the attacker is somebody unknown", finding.Ambiguous, planted("kept", "unrecognised")),
		open("the login is rate limited", finding.RateLimited, with(refusedStory, "status", "429")+with(plainStory)),
		{outcome: finding.NotTested, name: "the flow broke off", code: finding.NoCalibration, lines: with(encodingStory, "status", "200"),
			problem: "step login: POST /login: no answer in time"},
	}
}
