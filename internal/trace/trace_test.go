package trace_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sessiongate/sessiongate/internal/cookie"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

var (
	session = trace.Slot{Kind: trace.InCookie, Name: "session"}
	proof   = trace.Slot{Kind: trace.InCookie, Name: "proof"}
	bearer  = trace.Slot{Kind: trace.InHeader, Name: "Authorization", Before: "Bearer "}

	// texts compares secrets by value, where cmp would compare what they print.
	texts = cmpopts.EquateComparable(secret.Text{})
	now   = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)
)

func held(slot trace.Slot, id string) trace.Held { return trace.Held{Slot: slot, ID: secret.New(id)} }

func setting(t testing.TB, lines ...string) trace.Exchange {
	t.Helper()
	exchange := trace.Exchange{Began: now}
	for _, line := range lines {
		parsed, err := cookie.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		exchange.Response.SetCookie = append(exchange.Response.SetCookie, trace.SetCookie{Cookie: parsed})
	}
	return exchange
}

func TestIssued(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lines   []string
		carrier []trace.Slot
		want    trace.Credential
	}{
		"one":                     {[]string{"session=a; HttpOnly"}, []trace.Slot{session}, trace.Credential{held(session, "a")}},
		"in the order of lines":   {[]string{"proof=b", "session=a"}, []trace.Slot{session, proof}, trace.Credential{held(proof, "b"), held(session, "a")}},
		"each of several values":  {[]string{"session=a", "session=b"}, []trace.Slot{session}, trace.Credential{held(session, "a"), held(session, "b")}},
		"another cookie":          {[]string{"csrf=a"}, []trace.Slot{session}, nil},
		"a name is exact":         {[]string{"Session=a", "session2=a"}, []trace.Slot{session}, nil},
		"a header of that name":   {[]string{"session=a"}, []trace.Slot{{Kind: trace.InHeader, Name: "session"}}, nil},
		"no carrier":              {[]string{"session=a"}, nil, nil},
		"no value":                {[]string{"session="}, []trace.Slot{session}, nil},
		"deleted by Max-Age":      {[]string{"session=a; Max-Age=0"}, []trace.Slot{session}, nil},
		"deleted by a negative":   {[]string{"session=a; Max-Age=-1"}, []trace.Slot{session}, nil},
		"deleted by Expires":      {[]string{"session=a; Expires=Sat, 14 Mar 2026 09:26:53 GMT"}, []trace.Slot{session}, nil},
		"alive for a second":      {[]string{"session=a; Expires=Sat, 14 Mar 2026 09:26:54 GMT"}, []trace.Slot{session}, trace.Credential{held(session, "a")}},
		"Max-Age is the stronger": {[]string{"session=a; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT"}, []trace.Slot{session}, trace.Credential{held(session, "a")}},
		"deleted and set":         {[]string{"session=; Max-Age=0", "session=a"}, []trace.Slot{session}, trace.Credential{held(session, "a")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := setting(t, test.lines...).Issued(test.carrier)
			if diff := cmp.Diff(test.want, got, texts); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLifetime(t *testing.T) {
	t.Parallel()
	const month = 30 * 24 * time.Hour
	for policy, want := range map[time.Duration]time.Duration{0: month, -time.Hour: month, 8 * time.Hour: 8 * time.Hour, 400 * 24 * time.Hour: 400 * 24 * time.Hour} {
		if got := (trace.Facts{AbsoluteTimeout: policy}).Lifetime(); got != want {
			t.Errorf("with the policy %s a session may live %s, want %s", policy, got, want)
		}
	}
}

func read(actor, moment string, kind trace.Kind) trace.Exchange {
	return trace.Exchange{Actor: actor, Step: "identity", Moment: moment, Who: trace.Who{Kind: kind}}
}

func TestRounds(t *testing.T) {
	t.Parallel()
	seen := trace.Trace{Flow: "f", Problem: "p", Facts: trace.Facts{Users: []string{"alice"}}, Exchanges: []trace.Exchange{
		{Seq: 1, Round: "b"}, {Seq: 2}, {Seq: 3, Round: "a"}, {Seq: 4, Round: "b"},
	}, Looks: []trace.Look{{Round: "b", Moment: "1"}, {Round: "a", Moment: "2"}}}
	if got, want := seen.Rounds(), []string{"b", "", "a"}; !slices.Equal(got, want) {
		t.Errorf("the rounds are %q, want %q", got, want)
	}
	for name, want := range map[string][]int{"b": {1, 4}, "": {2}, "a": {3}, "c": nil} {
		part := seen.Round(name)
		var got []int
		for _, exchange := range part.Exchanges {
			got = append(got, exchange.Seq)
		}
		if !slices.Equal(got, want) {
			t.Errorf("round %q has the exchanges %v, want %v", name, got, want)
		}
		for _, look := range part.Looks {
			if look.Round != name {
				t.Errorf("round %q has a look of round %q", name, look.Round)
			}
		}
		rest := seen
		rest.Exchanges, rest.Looks, part.Exchanges, part.Looks = nil, nil, nil, nil
		if diff := cmp.Diff(rest, part, texts); diff != "" {
			t.Errorf("round %q differs in more than its exchanges and looks (-trace +round):\n%s", name, diff)
		}
	}
	if got := seen.Round("b").Looks; len(got) != 1 || got[0].Moment != "1" {
		t.Errorf("round b has the looks %v", got)
	}
	if len(seen.Exchanges) != 4 {
		t.Errorf("taking rounds left %d exchanges of 4", len(seen.Exchanges))
	}
	if got := (trace.Trace{}).Rounds(); got != nil {
		t.Errorf("an empty trace has the rounds %q", got)
	}
}

func TestReads(t *testing.T) {
	t.Parallel()
	seen := trace.Trace{Exchanges: []trace.Exchange{
		{Actor: "victim", Step: "login", Moment: "after"},
		read("victim", "after", trace.SignedIn),
		read("attacker", "before", trace.Anonymous),
		read("attacker", "after", trace.Broken),
		read("attacker frozen", "after", trace.Unanswered), // a hop, or a read that was never made
		read("victim", "after", trace.TooMany),
		read("", "", trace.Unknown),
	}}
	for i := range seen.Exchanges {
		seen.Exchanges[i].Seq = i
	}
	for _, test := range []struct {
		actor, moment string
		want          []int
	}{
		{"victim", "after", []int{1, 5}},
		{"victim", "before", nil},
		{"attacker", "", []int{2, 3}},
		{"attacker frozen", "after", nil},
		{"", "after", []int{1, 3, 5}},
		{"", "", []int{1, 2, 3, 5, 6}},
	} {
		var got []int
		for _, exchange := range seen.Reads(test.actor, test.moment) {
			got = append(got, exchange.Seq)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("Reads(%q, %q) are %v, want %v", test.actor, test.moment, got, test.want)
		}
	}
}

func TestStep(t *testing.T) {
	t.Parallel()
	seen := trace.Trace{Exchanges: []trace.Exchange{{Actor: "a", Step: "visit"}, {Actor: "b", Step: "visit"}, {Actor: "a", Step: "login"}}}
	for _, test := range []struct {
		actor, step string
		want        int
	}{{"a", "visit", 1}, {"", "visit", 2}, {"b", "login", 0}, {"", "", 0}} {
		if got := len(seen.Step(test.actor, test.step)); got != test.want {
			t.Errorf("Step(%q, %q) are %d exchanges, want %d", test.actor, test.step, got, test.want)
		}
	}
}

func TestWasRateLimited(t *testing.T) {
	t.Parallel()
	for want, status := range map[bool]int{true: 429, false: 420} {
		seen := trace.Trace{Exchanges: []trace.Exchange{{}, {Response: trace.Response{Status: status}}}}
		if got := seen.WasRateLimited(); got != want {
			t.Errorf("status %d: rate limited is %t", status, got)
		}
	}
}

func TestWho(t *testing.T) {
	t.Parallel()
	for word, who := range map[string]trace.Who{
		"alice": {Kind: trace.SignedIn, User: "alice"}, "anonymous": {Kind: trace.Anonymous}, "not read": {},
		"unrecognised": {Kind: trace.Unknown}, "broken": {Kind: trace.Broken}, "rate limited": {Kind: trace.TooMany},
	} {
		if who.String() != word {
			t.Errorf("%#v is %q, want %q", who, who, word)
		}
		if who.Is("alice") != (word == "alice") || who.IsAnonymous() != (word == "anonymous") {
			t.Errorf("%s: is alice %t, is anonymous %t", word, who.Is("alice"), who.IsAnonymous())
		}
	}
	if (trace.Who{Kind: trace.Anonymous, User: "alice"}).Is("alice") {
		t.Error("nobody is alice")
	}
}

func TestCredential(t *testing.T) {
	t.Parallel()
	a, b := trace.Credential{held(session, "1"), held(proof, "2")}, trace.Credential{held(session, "1"), held(proof, "3")}
	for name, other := range map[string]trace.Credential{"another id": b, "fewer": a[:1], "another order": {a[1], a[0]},
		"another slot": {held(session, "1"), held(bearer, "2")}, "none": nil} {
		if a.Same(other) || other.Same(a) {
			t.Errorf("%s is taken for the same", name)
		}
	}
	if !a.Same(slices.Clone(a)) || !(trace.Credential{}).Same(nil) {
		t.Error("a copy is not the same")
	}
	for _, empty := range []trace.Credential{nil, {}, {held(session, "")}} {
		if !empty.IsZero() {
			t.Errorf("%v holds something", empty)
		}
	}
	if (trace.Credential{held(session, ""), held(proof, "2")}).IsZero() {
		t.Error("a credential with one id holds nothing")
	}
}

func TestFactsNameTheCarrier(t *testing.T) {
	t.Parallel()
	facts := trace.Facts{Carrier: []trace.Slot{session, bearer, {Kind: trace.InQuery, Name: "sid"}, {Kind: trace.InPath, Before: "/s/", After: "/"}}}
	if got, want := facts.CarrierName(), "cookie session and header Authorization and query parameter sid and path /s/…/"; got != want {
		t.Errorf("the carrier is %q, want %q", got, want)
	}
	if got := facts.Cookies(); !slices.Equal(got, []string{"session"}) {
		t.Errorf("its cookies are %q", got)
	}
	if got := (trace.Facts{}).Victim(); got != "" {
		t.Errorf("without users the victim is %q", got)
	}
}

func TestAColumnThatNamesNobody(t *testing.T) {
	t.Parallel()
	for value, nobody := range map[string]bool{"": true, "0": true, " ": true, "00000000-0000-0000-0000-000000000000": true,
		"7": false, "00": false, "alice": false, "10000000-0000-0000-0000-000000000000": false} {
		if got := (trace.Column{Value: secret.New(value)}).Nobody(); got != nobody {
			t.Errorf("%q: %t", value, got)
		}
	}
	if !(trace.Column{Null: true}).Nobody() {
		t.Error("NULL names somebody")
	}
}
