package catalog_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/trace"
)

func TestCookies(t *testing.T) {
	t.Parallel()
	check(t, cookieExamples())
}

// attributes is one rule over the attributes of a cookie: the lines that break
// it and the lines that do not, each "name=value; attributes".
type attributes struct {
	rule       string
	wrong      []string
	right      []string
	facts      func(*trace.Facts)
	deletions  bool   // it looks at deletions, too
	wrongNames string // of the cookie in the wrong lines; "" is session
}

func cookieExamples() []example {
	host := carriedBy(cookieSlot("session"), cookieSlot("__Host-session"), cookieSlot("__Host-Http-session"), cookieSlot("__HOST-session"), cookieSlot("__Secure-session"))
	var all []example
	for _, a := range []attributes{
		{rule: "session-cookie-missing-secure", wrong: []string{"session=alice#1; HttpOnly", "session=alice#1; path=/secure"},
			right: []string{"session=alice#1; Secure", "session=alice#1; secure; Path=/", "session=alice#1; SECURE=0"}},
		{rule: "session-cookie-missing-httponly", wrong: []string{"session=alice#1; Secure", "session=httponly"},
			right: []string{"session=alice#1; HttpOnly", "session=alice#1; httponly"}},
		{rule: "session-cookie-samesite", wrong: []string{
			"session=alice#1; SameSite=None; Secure",
			"session=alice#1; SameSite=none",
			"session=alice#1; SameSite=Relaxed",
			"session=alice#1; SameSite=",
			"session=alice#1; SameSite=Lax; SameSite=None",
		},
			right: []string{
				"session=alice#1; SameSite=Lax",
				"session=alice#1; samesite=STRICT",
				"session=alice#1; SameSite=None; SameSite=Strict",
			}},
		{rule: "session-cookie-samesite/absent", wrong: []string{"session=alice#1; Secure; HttpOnly", "session=Lax"},
			right: []string{"session=alice#1; SameSite=Strict", "session=alice#1; SameSite=Lax"}},
		{rule: "session-cookie-not-partitioned", wrong: []string{"session=alice#1; SameSite=None; Secure"},
			right: []string{"session=alice#1; SameSite=None; Secure; Partitioned", "session=alice#1; SameSite=Lax", "session=alice#1"}},
		{rule: "session-cookie-rejected-by-browser", deletions: true, right: []string{"session=alice#1; Secure", "session=; Max-Age=0; Path=/", "session=alice#1; Domain=api.test"},
			wrong: []string{
				"session=alice#1; SameSite=None",
				"session=alice#1; Partitioned",
				"session=; Max-Age=0; SameSite=None",
				"session=alice#1; Domain=other.test",
				"session=" + strings.Repeat("x", 5000) + "; Secure",
			}},
		{rule: "session-cookie-rejected-by-browser", facts: host, deletions: true, wrongNames: "__Host-session", right: []string{"__Host-session=alice#1; Secure; Path=/", "__Secure-session=alice#1; Secure"},
			wrong: []string{
				"__Host-session=alice#1; Path=/",
				"__Host-session=alice#1; Secure; Path=/app",
				"__Host-session=alice#1; Secure; Path=/; Domain=api.test",
				"__Host-session=; Max-Age=0",
			}},
		{rule: "session-cookie-prefix-missing", facts: host, wrong: []string{"session=alice#1; Secure; Path=/"},
			right: []string{
				"__Host-session=alice#1; Secure; Path=/",
				"__Host-Http-session=alice#1; Secure; HttpOnly; Path=/",
				"__HOST-session=alice#1; Secure; Path=/",
			}},
		{rule: "session-cookie-prefix-missing", facts: host, wrongNames: "__Secure-session", wrong: []string{"__Secure-session=alice#1; Secure; Path=/"}},
		{rule: "session-cookie-domain-too-broad", wrong: []string{"session=alice#1; Domain=api.test", "session=alice#1; domain=.test.example"},
			right: []string{"session=alice#1", "session=alice#1; Domain=", "session=alice#1; Domain=api.test; Domain="}},
		{rule: "session-cookie-persistent", wrong: []string{
			"session=alice#1; Max-Age=2592001",
			"session=alice#1; Expires=Wed, 14 Mar 2029 09:26:53 GMT",
			"session=alice#1; Max-Age=9999999999999; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
		},
			right: []string{
				"session=alice#1",
				"session=alice#1; Max-Age=2592000",
				"session=alice#1; Expires=Wed, 01 Apr 2026 00:00:00 GMT",
				"session=alice#1; Max-Age=3600; Expires=Wed, 14 Mar 2029 09:26:53 GMT",
			}},
		{rule: "session-cookie-persistent", facts: func(facts *trace.Facts) { facts.AbsoluteTimeout = 8 * time.Hour },
			wrong: []string{"session=alice#1; Max-Age=28801"}, right: []string{"session=alice#1; Max-Age=28800"}},
	} {
		if !slices.ContainsFunc(all, func(e example) bool { return e.rule == a.rule }) {
			all = append(all, a.unjudged()...)
		}
		all = append(all, a.examples()...)
	}
	return append(all, duplicateExamples()...)
}

// examples gives each line a trace of its own.
func (a attributes) examples() []example {
	name := "session"
	if a.wrongNames != "" {
		name = a.wrongNames
	}
	login := func(lines ...string) string {
		var told strings.Builder
		for _, line := range lines {
			told.WriteString("victim | login | Set-Cookie: " + line + "\n")
		}
		return told.String()
	}
	fail := func(title string, reproduced bool, lines string) example {
		return example{rule: a.rule, outcome: finding.Fail, name: title, facts: a.facts, lines: lines,
			subject: "cookie " + name, step: "login", reproduced: reproduced}
	}
	var all []example
	for _, line := range a.wrong {
		all = append(all, fail(line, false, login(line)), fail(line+", twice", true, login(line, line)))
		if len(a.right) > 0 {
			all = append(all, fail(line+", beside right ones", false, login(a.right[0], line, a.right[0])))
		}
	}
	for _, line := range a.right {
		all = append(all, example{rule: a.rule, outcome: finding.Pass, name: line, facts: a.facts, lines: login(line)})
	}
	return all
}

// unjudged is where there is no cookie to judge.
func (a attributes) unjudged() []example {
	open := func(title string, code finding.Code, line string, facts func(*trace.Facts)) example {
		return example{rule: a.rule, outcome: finding.NotTested, name: title, code: code, facts: facts, lines: "victim | login | Set-Cookie: " + line}
	}
	all := []example{
		open("no answer sets the cookie", finding.NoCalibration, "csrf=1", a.facts),
		open("the session travels in a header", finding.NoPrecondition, a.wrong[0], carriedBy(bearer())),
		open("the carrier is not known", finding.NoCalibration, a.wrong[0], carriedBy()),
	}
	if !a.deletions {
		all = append(all, open("the cookie is only deleted", finding.NoCalibration, "session=; Max-Age=0", a.facts))
	}
	return all
}

// journeyStory is the flow journey: one login, and a jar for each value that it
// gives where there is more than one.
const journeyStory = `
	victim | visit                    | sets anon#1
	victim | login                    | carries anon#1 | {first=sets alice#1} | {second=}
	victim | identity after the login | carries alice#1 | {victim=alice}`

const holders = `
	holder of «1» | identity after the login | carries alice#1 | {one=alice}
	holder of «2» | identity after the login | carries alice#2 | {two=alice}`

func duplicateExamples() []example {
	const rule = "duplicate-set-cookie"
	twice := with(journeyStory, "second", "sets alice#2")
	fail := func(name, lines string) example {
		return example{rule: rule, outcome: finding.Fail, name: name, lines: lines, subject: "cookie session", step: "login"}
	}
	pass := func(name, lines string) example {
		return example{rule: rule, outcome: finding.Pass, name: name, lines: lines}
	}
	open := func(name string, code finding.Code, lines string, facts func(*trace.Facts)) example {
		return example{rule: rule, outcome: finding.NotTested, name: name, lines: lines, code: code, facts: facts}
	}
	return []example{
		fail("", twice+with(holders)),
		fail("two paths, one of them signed in", with(journeyStory, "second", "Set-Cookie: session=alice#2; Path=/app")+with(holders, "two", "anonymous")),
		fail("two domains", with(journeyStory, "second", "Set-Cookie: session=alice#2; Path=/; Domain=api.test")+with(holders, "one", "anonymous")),
		pass("", with(journeyStory)),
		pass("a deletion and one value", with(journeyStory, "first", "Set-Cookie: session=; Path=/; Max-Age=0 | sets alice#1")),
		pass("a deletion for another path and one value", with(journeyStory, "first", "Set-Cookie: session=; Path=/old; Max-Age=0 | sets alice#1")),
		pass("the same value twice", with(journeyStory, "second", "sets alice#1")),
		pass("the same value twice, for two paths", with(journeyStory, "second", "Set-Cookie: session=alice#1; Path=/app")),
		pass("one of two values is signed in", twice+with(holders, "one", "anonymous")),
		pass("another cookie is set twice", with(journeyStory, "second", "Set-Cookie: csrf=1 | Set-Cookie: csrf=2")),
		pass("each answer sets it once", strings.Replace(twice, "| sets alice#2", "\n\tvictim | login | sets alice#2", 1)),
		open("the victim is not signed in", finding.NoCalibration, with(journeyStory, "second", "sets alice#2", "victim", "anonymous")+with(holders), nil),
		open("the victim is bob", finding.NoCalibration, with(journeyStory, "victim", "bob"), nil),
		open("the login was not made", finding.NoCalibration, `victim | visit | sets anon#1`, nil),
		open("the session travels in a header", finding.NoPrecondition, `victim | identity after the login | carries alice#1 | alice`, carriedBy(bearer())),
		open("the carrier is not known", finding.NoCalibration, `victim | identity after the login | alice`, carriedBy()),
	}
}

// Two faults of one cookie under two rules of a probe are told apart, and each
// is told once.
func TestSameSiteTellsEachVariantOnce(t *testing.T) {
	t.Parallel()
	seen := tell(t, usual(), `
		victim  | visit | Set-Cookie: session=alice#1; Secure
		victim  | login | Set-Cookie: session=alice#1; SameSite=None; Secure
		control | visit | Set-Cookie: session=alice#1; Secure
		control | login | Set-Cookie: session=alice#1; SameSite=None; Secure`)
	verdict := probeOf(t, "session-cookie-samesite").Judge(seen)
	var told []string
	for _, found := range verdict.Findings {
		told = append(told, found.Step+" "+found.Rule)
	}
	if want := []string{"visit session-cookie-samesite/absent", "login session-cookie-samesite"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	if !verdict.Reproduced {
		t.Error("both faults were seen twice, yet the verdict is not reproduced")
	}
}

func TestEachCookieOfTheCarrierIsJudged(t *testing.T) {
	t.Parallel()
	facts := usual()
	facts.Carrier = []trace.Slot{cookieSlot("session"), cookieSlot("proof")}
	seen := tell(t, facts, `
		victim | login | sets a | Set-Cookie: proof=alice#1; Secure; SameSite=Lax | Set-Cookie: theme=dark`)
	verdict := probeOf(t, "session-cookie-missing-httponly").Judge(seen)
	if len(verdict.Findings) != 1 || verdict.Findings[0].Subject != "cookie proof" {
		t.Errorf("got %+v, want one finding, on the cookie proof", verdict)
	}
}
