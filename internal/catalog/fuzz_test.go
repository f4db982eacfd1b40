package catalog_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sessiongate/sessiongate/internal/catalog"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// FuzzJudges shows traces that no flow made to every judge: the trace of an
// example, or none, after edits that the bytes name. The target chooses what
// stands in a trace, so no judge may break over one.
func FuzzJudges(f *testing.F) {
	all := examples()
	random := rand.New(rand.NewPCG(1, 2))
	for i := 0; i < len(all); i += 3 {
		data := []byte{byte(i + 1), byte((i + 1) >> 8)}
		for range random.IntN(40) {
			data = append(data, byte(random.UintN(256)))
		}
		f.Add(data)
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1000 {
			return
		}
		seen := scramble(t, all, data)
		for _, p := range catalog.All() {
			verdict := p.Judge(seen)
			if problem := flaw(p, seen, verdict); problem != "" {
				t.Errorf("%s: %s; the trace was\n%s", p.Rule.ID, problem, retell(seen))
			}
			if verdict.Outcome == finding.Pass && len(seen.Exchanges) == 0 {
				t.Errorf("%s passes an empty trace", p.Rule.ID)
			}
			if diff := cmp.Diff(verdict, p.Judge(seen), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s says something else of the same trace (-first +second):\n%s", p.Rule.ID, diff)
			}
		}
		if diff := cmp.Diff(scramble(t, all, data), seen, cmpopts.EquateComparable(secret.Text{})); diff != "" {
			t.Errorf("a judge changed the trace (-before +after):\n%s", diff)
		}
	})
}

// scramble reads a trace from bytes: two for the example to begin with, and
// then three for each edit, what it does, where, and with what.
func scramble(t *testing.T, all []example, data []byte) trace.Trace {
	seen := trace.Trace{Facts: usual(), Flow: "scrambled"}
	if len(data) >= 2 {
		if i := int(data[0]) + int(data[1])<<8; i > 0 {
			seen = all[(i-1)%len(all)].trace(t)
		}
		data = data[2:]
	}
	for ; len(data) >= 3; data = data[3:] {
		edit(&seen, data[0], int(data[1]), int(data[2]))
	}
	for i := range seen.Exchanges {
		seen.Exchanges[i].Seq = i + 1
	}
	return seen
}

var (
	rounds = []string{"", "forged id", "forged id: sid", "forged id: ", "issued id", "without the planted id", "the other encoding",
		"like an issued id", "one character", "other cookie names", "two cookies of one name", "a changed id", "other paths to the id", "malformed ids",
		"foreign origins", "plain http", "a tossed cookie", "without a race", "race 1", "race 2"}
	actors = []string{"victim", "victim again", "attacker", "attacker frozen", "control", "first visitor", "forged id, first jar",
		"forged id, second jar", "attacker elsewhere", "", "the id itself", "L'||lower('')||'R", "L'||lower('')||'R, altered", "id with %", "id'", "id''",
		"a foreign site", "a sandboxed page", "victim still there", "victim of the forgery", "attacker with odd values", "victim by another host name",
		"the victim's browser, as a form", "a browser that follows a link", "the id with one character changed",
		"other session", "third session", "victim with a wrong password", "request under way", "session 2",
		"browser that began nothing", "attacker herself", "twin", "copy of the victim"}
	acts    = append(slices.Clone(recipe.StepNames), "login", "identity")
	moments = []string{"", "before the login", "after the login", "after the next login", "calibration", "a second later", "five seconds later",
		"two seconds later", "with the token from before the login", "with a token of the old session from after the login", "without a token",
		"with the token of an unrelated session", "before the elevation", "after the elevation", "after the recovery began", "after a login that failed"}
	whos = []trace.Who{{}, {Kind: trace.Anonymous}, {Kind: trace.SignedIn, User: "alice"}, {Kind: trace.SignedIn, User: "bob"},
		{Kind: trace.SignedIn}, {Kind: trace.Unknown}, {Kind: trace.Broken}, {Kind: trace.TooMany}}
	statuses = []int{0, 200, 204, 303, 401, 422, 429, 500}
	ids      = []string{"", "x", "anon#1", "anon#2", "alice#1", "alice#2", "forged#1", "unused#1", "live-0123456789+/", "0123456789abcdef0123456789abcdef"}
	lines    = []string{"session=live-0123456789+/; Path=/", "session=; Max-Age=0", "session=alice#1; SameSite=Odd; Domain=other.test; Expires=Wed, 14 Mar 2029 09:26:53 GMT",
		"=nameless#1", "nameless#2", "proof=live-0123456789+/; Secure; HttpOnly; Partitioned", "__Host-session=alice#2; Path=/app; Max-Age=-9223372036854775808"}
	bodies = []string{"", "1", "2", "3", "public, max-age=60, =", `{"next":"/?s=live-0123456789+/"}`, "live-0123456789%2B%2F", "alice#1 alice#2"}
	// The audit shows no trace to a judge while it does not know the carrier.
	carriers = [][]trace.Slot{{cookieSlot("session")}, {cookieSlot("session"), cookieSlot("proof")}, {bearer()}, {cookieSlot("__Host-session")},
		{cookieSlot("session"), bearer()}, {{Kind: trace.InQuery, Name: "sid"}}, {{Kind: trace.InPath, Before: "/s/"}}}
)

func of[T any](words []T, i int) T { return words[i%len(words)] }

func edit(seen *trace.Trace, what byte, where, with int) {
	seen.Facts.Store = seen.Facts.Store || what == 255
	if what%32 < 8 {
		editFacts(seen, what, where, with)
		return
	}
	if len(seen.Exchanges) == 0 || what%32 == 8 {
		seen.Exchanges = append(seen.Exchanges, trace.Exchange{Actor: of(actors, where), Step: of(acts, with), Began: began})
		return
	}
	at := where % len(seen.Exchanges)
	x := &seen.Exchanges[at]
	switch what % 32 {
	case 9:
		seen.Exchanges = slices.Delete(seen.Exchanges, at, at+1)
	case 10:
		seen.Exchanges = slices.Insert(seen.Exchanges, at, *x)
	case 11:
		other := with % len(seen.Exchanges)
		seen.Exchanges[at], seen.Exchanges[other] = seen.Exchanges[other], seen.Exchanges[at]
	case 12:
		seen.Exchanges = seen.Exchanges[:at]
	case 13, 14:
		x.Round = of(rounds, with)
	case 15:
		x.Actor = of(actors, with)
	case 16:
		x.Step = of(acts, with)
	case 17:
		x.Moment = of(moments, with)
	case 18, 19, 20:
		x.Who = of(whos, with)
	case 21:
		x.Response.Status, x.Refused = of(statuses, with), with%2 == 1
	case 22, 23:
		id := secret.New(of(ids, with))
		x.Carried = nil
		for _, slot := range seen.Facts.Carrier {
			carry(x, trace.Held{Slot: slot, ID: id})
		}
	case 24:
		x.Carried = nil
	case 25, 26:
		_ = setCookie(x, of(lines, with))
	case 27:
		x.Response.SetCookie = nil
	case 28:
		x.Response.Body = secret.New(of(bodies, with))
	case 29:
		x.Request.Body = secret.New(of(bodies, with))
	case 30:
		x.Response.Header = append(x.Response.Header, trace.Field{Name: of([]string{"Location", "X-Id", "Link", "Cache-Control", "Vary", "Expires", "Access-Control-Allow-Origin", "Strict-Transport-Security", "X-Sessiongate-Canary"}, with), Value: secret.New(of(bodies, with))})
	case 31:
		x.Planted = trace.Planted{ID: secret.New(of(ids, with)), Where: "query parameter sid"}
	}
}

func editFacts(seen *trace.Trace, what byte, where, with int) {
	switch what % 32 {
	case 0, 1:
		seen.Facts.Carrier = of(carriers, with)
	case 2:
		seen.Facts.Users = [][]string{nil, {"alice"}, {"alice", "bob"}, {"bob", "alice"}}[with%4]
	case 3:
		seen.Facts.Exclusive, seen.Facts.MaxSessions = !seen.Facts.Exclusive, where%4
	case 4:
		seen.Facts.Stateless = !seen.Facts.Stateless
	case 5:
		seen.Problem = of([]string{"", "step login: POST /login: no answer in time"}, with)
	case 6:
		seen.Facts.Chosen = []map[string][]string{nil, {"header": {"X-Session"}}}[with%2]
	case 7:
		editStore(seen, where, with)
	}
}

func editStore(seen *trace.Trace, where, with int) {
	id := of(ids, with)
	switch where % 4 {
	case 0:
		seen.Looks = append(seen.Looks, looked(of(moments, where/4), id, stored(of([]string{"raw", "hex", "sha256 hex"}, with),
			map[string]string{"user": of([]string{"", "7"}, where/4), "expires": of([]string{"", "1773597600", "9999999999999999999999"}, with)})))
	case 1:
		seen.Looks = append(seen.Looks, trace.Look{Moment: of(moments, with), ID: secret.New(id), Problem: "the table is gone"})
	case 2:
		sent := statement(where, of([]string{"", "UPDATE sessions SET user_id = 7 WHERE id = '" + id + "'", "SELECT $1"}, with), id)
		seen.Statements = append(seen.Statements, sent)
	case 3:
		seen.Log = trace.Log{Seen: where%2 == 0, Complete: where%4 < 2, Text: secret.New(of(bodies, with))}
	}
}
