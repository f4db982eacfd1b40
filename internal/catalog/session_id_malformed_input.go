package catalog

import (
	"context"
	"strings"
	"time"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var malformed = finding.Rule{
	ID:     "session-id-malformed-input",
	Title:  "A malformed session id makes the API fail",
	Family: finding.Robustness, Severity: 53, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L",
	CWE: []int{20, 755, 209, 770}, ASVS: []string{"v5.0.0-16.5.1", "v5.0.0-16.5.3", "v5.0.0-16.5.4", "v5.0.0-2.2.1"},
	OWASPAPI: []string{"API8:2023", "API4:2023"}, WSTG: []string{"WSTG-ERRH-01", "WSTG-SESS-01"},
	Why: "Whoever can send a cookie can make every page fail, fill the log, and read what errors tell; a cookie that a sibling domain sets locks its victim out.",
	Fix: "Check length and characters of the id first, and treat what does not fit as no session.",
	FastAPI: `if session_id is None or not re.fullmatch(r"[A-Za-z0-9_-]{43}", session_id):
    raise HTTPException(401)      # before the query: drivers raise on NUL and on bytes that are no UTF-8`,
}

var sessionIDMalformedInput = probe.Probe{
	Rule: malformed, Steps: []string{login, identity}, Flow: oddRequests, Judge: judgeMalformed,
	Open: []string{liveIDElsewhere, "a malformed id is answered with an error only once"},
	How: []string{
		"In place of the id are sent: nothing, 4 KiB, a NUL, bytes that are no UTF-8, quoted octal escapes, and a number beyond 64 bits. The deep profile adds 16 and 64 KiB, surrogates, escaped line breaks, an emoji, a broken UUID and 2000 cookies.",
		"It fails when one of them is answered with a server error, twice, or with nothing; a refusal is right.",
		"Controls: a well-formed unknown id is refused in good order, and after each failure and at the end the live id still is the victim.",
	},
}

// oddIDs are values by name, made of a live id.
var oddIDs = []struct {
	name string
	make func(id string) string
	deep bool
}{
	{name: "an empty id", make: func(string) string { return "" }},
	{name: "an id of 4 KiB", make: func(string) string { return strings.Repeat("A", 4<<10) }},
	{name: "an id with a NUL", make: func(id string) string { return id[:len(id)/2] + "\x00" + id[len(id)/2:] }},
	{name: "an id that is no UTF-8", make: func(id string) string { return "\xff\xfe" + id }},
	{name: "an id in quotes with octal escapes", make: func(string) string { return `"\000\377\101"` }},
	{name: "an id beyond 64 bits", make: func(string) string { return "99999999999999999999" }},
	{name: "an id of 16 KiB", make: func(string) string { return strings.Repeat("A", 16<<10) }, deep: true},
	{name: "an id of 64 KiB", make: func(string) string { return strings.Repeat("A", 64<<10) }, deep: true},
	{name: "an id with a lone surrogate", make: func(id string) string { return id + "\xed\xa0\x80" }, deep: true},
	{name: "an id with escaped line breaks", make: func(id string) string { return id + "%0d%0a" }, deep: true},
	{name: "an id with an emoji", make: func(id string) string { return id + "😀" }, deep: true},
	{name: "a UUID with a letter that is none", make: func(string) string { return "g23e4567-e89b-42d3-a456-426614174000" }, deep: true},
}

const (
	manyCookies = "2000 cookies"
	stillThere  = "victim still there"
)

func sendMalformed(ctx context.Context, stage probe.Stage, live trace.Credential) {
	try := func(send func() trace.Who) {
		if send().Kind == trace.Broken {
			send()
			holder(stage, stillThere, live).Identify(ctx, after)
		}
	}
	for _, odd := range oddIDs {
		if !odd.deep || stage.Facts().Deep {
			try(func() trace.Who {
				return sender(stage, odd.name, stage.Disguise(live, odd.make)).Identify(ctx, after)
			})
		}
	}
	if stage.Facts().Deep {
		try(func() trace.Who {
			many := stage.Actor(manyCookies)
			many.Dress(probe.Guise{Cookie: []secret.Text{secret.New(strings.Repeat("a=b; ", 1999) + "a=b")}})
			return many.Identify(ctx, after)
		})
	}
	holder(stage, stillThere, live).Identify(ctx, after)
}

// tooSlow is an answer that took so long that it is a hang.
const tooSlow = 5 * time.Second

func judgeMalformed(t trace.Trace) finding.Verdict {
	if reason, bad := liveControls(t); bad {
		return untested(reason)
	}
	round, user := t.Round(malformedRound), t.Facts.Victim()
	health := round.Reads(stillThere, after)
	if len(health) == 0 {
		return untested(unfinished(t, "the read after the malformed ids was not made"))
	}
	for _, read := range health {
		if !read.Who.Is(user) {
			return untested(broken("after a malformed id the live one is taken for %s: the API may have been restarted", read.Who))
		}
	}
	failures := map[string]int{}
	var names []string
	var open finding.Reason
	attempts := 0
	for _, read := range round.Reads("", after) {
		switch failed := read.Who.Kind == trace.Broken || read.Took > tooSlow; {
		case read.Actor == stillThere:
			continue
		case failed:
			if failures[read.Actor]++; failures[read.Actor] == 1 {
				names = append(names, read.Actor)
			}
		case !read.Who.IsAnonymous():
			open = unclear(read)
		}
		attempts++
	}
	if attempts == 0 {
		return untested(unfinished(t, "no malformed id was sent"))
	}
	var twice []string
	for _, name := range names {
		if failures[name] > 1 {
			twice = append(twice, name)
		} else {
			open = finding.Reason{Code: finding.Flaky, Text: name + " was answered with an error once", Remedy: "look at the API's log for that request"}
		}
	}
	if len(twice) == 0 && open.Code != "" {
		return untested(open)
	}
	if len(twice) == 0 {
		return finding.Passed("")
	}
	verdict := finding.Failed(finding.Finding{Rule: malformed.ID, Subject: t.Facts.CarrierName(), Step: identity,
		Message:  "The API fails, each time, on " + strings.Join(twice, ", ") + ", while a well-formed unknown id is refused in good order.",
		Evidence: tale(t, malformedRound)})
	verdict.Reproduced = true // two of two, and no id of anybody's is in it
	return verdict
}
