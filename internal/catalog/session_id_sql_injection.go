package catalog

import (
	"context"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var injection = finding.Rule{
	ID:     "session-id-sql-injection",
	Title:  "The session id is put into SQL text",
	Family: finding.Injection, Core: true, Severity: 98, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
	CWE: []int{89, 943, 20}, ASVS: []string{"v5.0.0-1.2.4", "v5.0.0-2.2.1"}, OWASPAPI: []string{"API8:2023"},
	WSTG: []string{"WSTG-INPV-05", "WSTG-SESS-01"},
	Why:  "Every request carries the id, before anybody is signed in: whoever sends a crafted one reads and writes the database.",
	Fix:  "Bind the id as a parameter, and refuse ids of another shape before the lookup.",
	FastAPI: `if not re.fullmatch(r"[A-Za-z0-9_-]{43}", session_id):
    raise HTTPException(401)
connection.execute("SELECT user_id FROM sessions WHERE id_hash = %s", (digest(session_id),))`,
}

var wildcard = variant(injection, "wildcard", "The session id is matched as a pattern", 91, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N")

var sessionIDSQLInjection = probe.Probe{
	Rule: injection, Variants: []finding.Rule{wildcard}, Steps: []string{login, identity}, Flow: oddRequests, Judge: judgeInjection,
	Open: []string{liveIDElsewhere, "an id with one quote makes the API fail, and nothing shows why"},
	How: []string{
		"A live id is cut in two and sent as L'||lower('')||'R: only SQL puts it together again; what drops signs, as a lax base64 does, keeps the letters. Control: the same with one character of R changed.",
		"The id with a character of its middle replaced by _, and with its last one by %: only a pattern match finds it. Control: the last one replaced by ~.",
		"The id followed by one quote, and by two: an error for the first alone, three times, with SQL's own error beside it.",
		"Where the gate sits on the wire to the store, a quote that breaks its literal open, or error 42601 on a statement with the canary, decides by itself.",
		"Never OR, sleep or a second statement: the id may reach an UPDATE or a DELETE.",
	},
}

// The canaries, by the name of the actor that sends them.
const (
	whole      = "the id itself"
	joined     = "L'||lower('')||'R"
	altered    = "L'||lower('')||'R, altered"
	anyChar    = "id with _"
	anyEnd     = "id with %"
	otherEnd   = "id with ~"
	oneQuote   = "id'"
	twoQuotes  = "id''"
	quoteTries = 3
)

// sendCanaries sends a live id in disguises that only SQL would see through.
func sendCanaries(ctx context.Context, stage probe.Stage, live trace.Credential) {
	send := func(name string, disguise func(string) string) trace.Who {
		return holder(stage, name, stage.Disguise(live, disguise)).Identify(ctx, after)
	}
	const nothing = "'||lower('')||'" // SQL for an empty text
	hit := isVictim(send(joined, func(id string) string { return id[:len(id)/2] + nothing + id[len(id)/2:] }), stage.Facts())
	if hit { // what must not work says something only where that did
		send(altered, func(id string) string { return id[:len(id)/2] + nothing + change1(id[len(id)/2:]) })
	}
	one := isVictim(send(anyChar, oneWild), stage.Facts())
	if end := isVictim(send(anyEnd, func(id string) string { return butLast(id) + "%" }), stage.Facts()); one || end {
		send(otherEnd, func(id string) string { return butLast(id) + "~" })
	}
	tries := 1
	for i := 0; i < tries; i++ {
		one := send(oneQuote, func(id string) string { return id + "'" })
		two := send(twoQuotes, func(id string) string { return id + "''" })
		if one.Kind == trace.Broken && two.Kind != trace.Broken {
			tries = quoteTries
		}
	}
}

// butLast leaves out the last character, where there is one.
func butLast(id string) string { return id[:max(0, len(id)-1)] }

// oneWild replaces a letter or digit of the middle by _. The last character of
// a base64 text would not do: some of its bits are nobody's.
func oneWild(id string) string {
	middle := len(id) / 2
	at := strings.IndexFunc(id[middle:], func(r rune) bool {
		return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	})
	if at < 0 {
		return butLast(id) + "_"
	}
	return id[:middle+at] + "_" + id[middle+at+1:]
}

// change1 changes the first character to another of its kind.
func change1(text string) string {
	if text == "" {
		return "x"
	}
	replaced := "a"
	if text[0] == 'a' {
		replaced = "b"
	}
	return replaced + text[1:]
}

func judgeInjection(t trace.Trace) finding.Verdict {
	user := t.Facts.Victim()
	if t.WasRateLimited() {
		return untested(rateLimited())
	}
	own := t.Reads(victim, after)
	if len(own) == 0 || !own[0].Who.Is(user) {
		return untested(unfinished(t, "the victim's login was not completed"))
	}
	is := func(canary string) trace.Who {
		if reads := t.Reads(canary, after); len(reads) > 0 {
			return reads[0].Who
		}
		return trace.Who{}
	}
	switch {
	case !is(whole).Is(user):
		return untested(broken("the live id in another client is taken for %s", is(whole)))
	case len(t.Reads(oneQuote, after)) == 0 || len(t.Reads(twoQuotes, after)) == 0:
		return untested(unfinished(t, "the disguised ids were not all sent"))
	}
	if is(altered).Is(user) {
		return untested(broken("an id with a character changed is still taken for %s", user))
	}
	if is(joined).Is(user) {
		if reason, bad := decoys(t, altered); bad {
			return untested(reason)
		}
		return reportInjection(t, injection.ID, joined, "The live id, cut in two and joined by SQL's ||, still signs "+user+
			" in, while the same with one character changed does not: the id is part of the statement's text.")
	}
	if statement, broke := brokenOpen(t); broke {
		verdict := reportInjection(t, injection.ID, oneQuote, "A quote in the id breaks the statement that looks it up: the id is part of the statement's text.")
		verdict.Findings[0].Evidence = append(verdict.Findings[0].Evidence,
			finding.Evidence{Actor: "store", Request: statement.Verb(), Note: statement.Describe() + serverError(statement)})
		return verdict
	}
	patterns := []string{anyChar, anyEnd}
	if is(otherEnd).Is(user) && is(anyEnd).Is(user) { // the end of an id is not looked at, as behind the padding of a base64
		patterns = patterns[:1]
	}
	for _, canary := range patterns {
		if is(canary).Is(user) {
			if reason, bad := decoys(t, otherEnd); bad {
				return untested(reason)
			}
			return reportInjection(t, wildcard.ID, canary, "The live id with a part replaced by a wildcard still signs "+user+" in: the id is matched as a pattern.")
		}
	}
	disguises := append([]string{joined}, patterns...)
	for _, canary := range disguises {
		reads := t.Reads(canary, after)
		if len(reads) == 0 {
			return untested(unfinished(t, "the disguised ids were not all sent"))
		}
		if !reads[0].Who.IsAnonymous() {
			return untested(unclear(reads[0]))
		}
	}
	return quoteDifference(t)
}

// decoys says what is wrong with the ids that must not work beside one that did.
func decoys(t trace.Trace, names ...string) (finding.Reason, bool) {
	for _, name := range names {
		reads := t.Reads(name, after)
		if len(reads) == 0 {
			return unfinished(t, "the altered ids beside the one that worked were not sent"), true
		}
		if !reads[0].Who.IsAnonymous() {
			return unclear(reads[0]), true
		}
	}
	return finding.Reason{}, false
}

// quoteDifference judges the errors: one quote fails each time, two never do.
func quoteDifference(t trace.Trace) finding.Verdict {
	ones, twos := t.Reads(oneQuote, after), t.Reads(twoQuotes, after)
	for _, read := range []trace.Exchange{ones[0], twos[0]} {
		// Some decoders drop what stands behind an id: that is no error.
		if !read.Who.IsAnonymous() && read.Who.Kind != trace.Broken && !read.Who.Is(t.Facts.Victim()) {
			return untested(unclear(read))
		}
	}
	switch {
	case ones[0].Who.Kind != trace.Broken && twos[0].Who.Kind != trace.Broken:
		return finding.Passed("")
	case ones[0].Who.Kind != trace.Broken || twos[0].Who.Kind == trace.Broken:
		return untested(unclear(twos[0])) // an id with quotes makes it fail, whatever their number
	}
	for i := range min(len(ones), len(twos)) {
		if ones[i].Who.Kind != trace.Broken || twos[i].Who.Kind == trace.Broken {
			return finding.Untested(finding.Flaky, "an id with one quote makes the API fail now and then", "look at the API's log for that request")
		}
	}
	if len(ones) < quoteTries {
		return untested(unfinished(t, "the disguised ids were not all sent"))
	}
	if speaksSQL(ones[0]) {
		return reportInjection(t, injection.ID, oneQuote, "An id with one quote makes the API fail with SQL's own error, three times of three; with two quotes it does not.")
	}
	return finding.Untested(finding.Ambiguous, "an id with one quote makes the API fail and one with two does not, but nothing shows why",
		"let the gate see the session store (database:), or look at the API's log")
}

// speaksSQL reports whether an answer quotes the database.
func speaksSQL(read trace.Exchange) bool {
	for _, word := range []string{"42601", "SQLSTATE", "syntax error", "unterminated quoted string", "psycopg", "asyncpg", "pq: ", "sqlalchemy"} {
		if read.Response.Body.Contains(secret.New(word)) {
			return true
		}
	}
	return false
}

// brokenOpen finds the statement whose literal a canary's quote broke open, or
// that the server could not parse because of it.
func brokenOpen(t trace.Trace) (trace.Statement, bool) {
	for _, exchange := range t.Exchanges {
		if !strings.Contains(exchange.Actor, "'") {
			continue
		}
		for _, statement := range t.Statements {
			if !during(exchange, statement) || len(exchange.Carried) == 0 || !holds(statement, exchange.Carried[0].ID) {
				continue
			}
			if statement.SQLState == "42601" || statement.Spliced(exchange.Carried[0].ID) {
				return statement, true
			}
		}
	}
	return trace.Statement{}, false
}

func serverError(statement trace.Statement) string {
	if statement.SQLState == "" {
		return ""
	}
	return ", answered by " + statement.SQLState
}

func reportInjection(t trace.Trace, rule, canary, message string) finding.Verdict {
	part := t
	part.Exchanges = nil
	for _, exchange := range t.Exchanges {
		told := slices.Contains([]string{victim, whole, canary, altered, otherEnd}, exchange.Actor)
		if exchange.Round == "" && told {
			part.Exchanges = append(part.Exchanges, exchange)
		}
	}
	return finding.Failed(finding.Finding{Rule: rule, Subject: t.Facts.CarrierName(), Step: identity, Message: message, Evidence: story(part)})
}
