package catalog_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/trace"
)

func TestIDQuality(t *testing.T) {
	t.Parallel()
	check(t, idQualityExamples())
}

// issued is n logins, each with a new id of so many hex digits.
func issued(n, digits int) string {
	var lines strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, "victim | login | sets %s\n", hexID(i, digits))
	}
	return lines.String()
}

// hexID is the i-th of a series of ids that look random.
func hexID(i, digits int) string {
	sum := sha256.Sum256([]byte{byte(i)})
	return hex.EncodeToString(sum[:])[:digits]
}

func idQualityExamples() []example {
	const rule, below64, below128 = "session-id-insufficient-length", "session-id-insufficient-length/below-64-bits", "session-id-insufficient-length/below-128-bits"
	fail := func(rule, name, lines string) example {
		return example{rule: rule, outcome: finding.Fail, name: name, lines: lines, subject: "cookie session", step: "login", reproduced: true}
	}
	open := func(rule, name string, code finding.Code, lines string) example {
		return example{rule: rule, outcome: finding.NotTested, name: name, lines: lines, code: code}
	}
	return []example{
		fail(rule, "four hex digits", issued(12, 4)),
		fail(rule, "seven hex digits", issued(12, 7)),
		fail(rule, "behind a long prefix that never changes", strings.ReplaceAll(issued(12, 4), "sets ", "sets 0123456789abcdef0123456789abcdef-")),
		fail(rule, "the client's own ids do not count", issued(12, 4)+repeated(12, 40)+plantedIDs(12, 40)),
		fail(below64, "eight hex digits", issued(12, 8)),
		fail(below64, "fifteen hex digits", issued(12, 15)),
		fail(below128, "sixteen hex digits", issued(12, 16)),
		fail(below128, "thirty-one hex digits", issued(8, 31)),
		{rule: rule, outcome: finding.Pass, lines: issued(8, 64)},
		{rule: rule, outcome: finding.Pass, name: "many logins", lines: issued(40, 40)},
		{rule: below64, outcome: finding.Pass, lines: issued(12, 40)},
		{rule: below128, outcome: finding.Pass, name: "thirty-two hex digits", lines: issued(12, 32)},
		{rule: rule, outcome: finding.Pass, name: "a pair of cookies", facts: carriedBy(cookieSlot("session"), cookieSlot("proof")), lines: pairs(12)},
		open(rule, "no login", finding.TooFew, `victim | visit | sets anon#1`),
		open(rule, "seven ids", finding.TooFew, issued(7, 4)),
		open(rule, "one id over and over", finding.TooFew, strings.Repeat(issued(1, 4), 20)),
		open(rule, "every id is the client's", finding.TooFew, repeated(12, 4)),
		open(rule, "every id was planted", finding.TooFew, plantedIDs(12, 4)),
		open(rule, "the ids are made before the login", finding.TooFew, strings.ReplaceAll(issued(12, 4), "| login", "| visit")),
		open(rule, "the logins are rate limited", finding.RateLimited, issued(7, 4)+"victim | login | 429"),
		open(below64, "seven ids", finding.TooFew, issued(7, 8)),
		open(below128, "seven ids", finding.TooFew, issued(7, 16)),
		open(rule, "only deletions", finding.TooFew, strings.Repeat("victim | login | Set-Cookie: session=; Max-Age=0\n", 12)),
		open(rule, "another cookie", finding.TooFew, strings.ReplaceAll(issued(12, 4), "sets ", "Set-Cookie: csrf=")),
		{rule: rule, outcome: finding.NotTested, name: "the client chooses the ids", code: finding.NoPrecondition,
			facts: func(facts *trace.Facts) { facts.Chosen = map[string][]string{"json": {"sid"}} },
			lines: repeated(12, 4) + `victim | identity after the login | carries alice#1 | alice`},
		{rule: rule, outcome: finding.NotTested, name: "a signed session, the same for two logins", code: finding.NoPrecondition,
			facts: func(facts *trace.Facts) { facts.Stateless = true }, lines: issued(3, 40)},
		{rule: rule, outcome: finding.Fail, name: "tokens, seen when they are used", facts: carriedBy(bearer()),
			subject: "header Authorization", step: "login", reproduced: true, lines: used(12, 5)},
		{rule: rule, outcome: finding.NotTested, name: "tokens that sign nobody in", facts: carriedBy(bearer()), code: finding.TooFew,
			lines: strings.ReplaceAll(used(12, 5), "| alice", "| anonymous")},
	}
}

// repeated is logins that answer with the id of the request's own cookie.
func repeated(n, digits int) string {
	var lines strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, "victim | login | carries %[1]s | sets %[1]s\n", hexID(i, digits))
	}
	return lines.String()
}

// plantedIDs is the same with ids that stood elsewhere in the request.
func plantedIDs(n, digits int) string {
	return strings.ReplaceAll(strings.ReplaceAll(repeated(n, digits), "carries ", "plants "), " | sets", " as query parameter sid | sets")
}

func pairs(n int) string {
	var lines strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, "victim | login | Set-Cookie: session=%s | Set-Cookie: proof=%s\n", hexID(i, 16), hexID(i+100, 16))
	}
	return lines.String()
}

func used(n, digits int) string {
	var lines strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, "victim | identity after the login | carries %s | alice\n", hexID(i, digits))
	}
	return lines.String()
}
