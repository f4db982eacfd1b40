package audit

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/cookie"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// answered is an exchange whose answer has these Set-Cookie lines.
func answered(t *testing.T, seq int, began time.Time, lines ...string) trace.Exchange {
	t.Helper()
	exchange := trace.Exchange{Seq: seq, Actor: "victim", Step: "login", Began: began,
		Request:  trace.Request{Method: "POST", Path: "/login", URL: secret.New("http://api.test/login")},
		Response: trace.Response{Status: 200}}
	for _, line := range lines {
		parsed, err := cookie.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		exchange.Response.SetCookie = append(exchange.Response.SetCookie, trace.SetCookie{Cookie: parsed})
	}
	return exchange
}

var sid = trace.Slot{Kind: trace.InCookie, Name: "sid"}

func TestCookiesAreListedOnceForEachWayTheyWereSet(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	expires := began.Add(30 * 24 * time.Hour).Format("Mon, 02 Jan 2006 15:04:05 GMT")
	result := Result{Facts: trace.Facts{Carrier: []trace.Slot{sid}}, Seen: []trace.Exchange{
		answered(t, 1, began, "sid=aaaaaaaa; Path=/; HttpOnly", "csrf=x; Expires="+expires),
		answered(t, 2, began.Add(time.Minute), "sid=bbbbbbbb; Path=/; HttpOnly", "csrf=y; Expires="+expires), // a minute less to live
		answered(t, 3, began, "sid=cccccccc; Path=/; HttpOnly; Secure"),
		answered(t, 4, began, "sid=; Max-Age=0"), // deletes
	}}
	want := []report.Cookie{
		{Name: "sid", Request: "POST /login", Carrier: true, HTTPOnly: true, Path: "/", Times: 2},
		{Name: "csrf", Request: "POST /login", Lifetime: 30 * 24 * time.Hour, Times: 2},
		{Name: "sid", Request: "POST /login", Carrier: true, HTTPOnly: true, Secure: true, Path: "/", Times: 1},
	}
	if diff := cmp.Diff(want, result.cookies()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var many []string
	for i := range 3 * mostCookies {
		many = append(many, fmt.Sprintf("c%d=x", i))
	}
	if rows := (Result{Seen: []trace.Exchange{answered(t, 1, began, many...)}}).cookies(); len(rows) != mostCookies {
		t.Errorf("%d rows of a target that sets %d cookies", len(rows), len(many))
	}
}

// Ids that a client made up are no sample of the server's generator.
func TestSamplesAreTheServersOwnIDs(t *testing.T) {
	t.Parallel()
	planted := answered(t, 2, time.Time{}, "sid=zzzzzzzz")
	planted.Carried = trace.Credential{{Slot: sid, ID: secret.New("zzzzzzzz")}}
	again := answered(t, 4, time.Time{}, "sid=aaaaaaa1")
	result := Result{Facts: trace.Facts{Carrier: []trace.Slot{sid}}, Seen: []trace.Exchange{
		answered(t, 1, time.Time{}, "sid=aaaaaaa1"), planted, answered(t, 3, time.Time{}, "sid=aaaaaaa2"), again,
	}}
	want := []report.Sample{{Cookie: "sid", Count: 2, Capacity: 3.32, Places: []float64{0, 0, 0, 0, 0, 0, 0, 1}, Rising: 1}}
	near := cmp.Comparer(func(a, b float64) bool { return a-b < 0.01 && b-a < 0.01 })
	if diff := cmp.Diff(want, result.samples(), near); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if one := (Result{Facts: result.Facts, Seen: result.Seen[:1]}).samples(); one != nil {
		t.Errorf("one id is a sample: %+v", one)
	}
}

func played(t *testing.T, seen []trace.Exchange, users []User, told ...int) string {
	t.Helper()
	found := finding.Finding{Step: "login"}
	for _, seq := range told {
		found.Evidence = append(found.Evidence, finding.Evidence{Exchange: seq})
	}
	script := replay(seen, found, users, &secret.Redactor{})
	if output, err := exec.CommandContext(t.Context(), "bash", "-n", "-c", script).CombinedOutput(); err != nil {
		t.Errorf("%v: %s\n%s", err, output, script)
	}
	return script
}

// A token from a body is taken from where it stood, though the login that gave
// it is no evidence.
func TestReplayTakesATokenFromABody(t *testing.T) {
	t.Parallel()
	const token = "eyJ0b2tlbiI6MX0"
	login := answered(t, 1, time.Time{})
	login.Response.Body = secret.New(`{"user": "alice", "token": "` + token + `"}`)
	read := answered(t, 2, time.Time{})
	read.Request = trace.Request{Method: "GET", Path: "/me", URL: secret.New("http://api.test/me"),
		Header: []trace.Field{{Name: "Authorization", Value: secret.New("Bearer " + token)}}}
	read.Carried = trace.Credential{{Slot: trace.Slot{Kind: trace.InHeader, Name: "Authorization"}, ID: secret.New(token)}}
	script := played(t, []trace.Exchange{login, read}, nil, 2)
	for _, says := range []string{
		"try '1. victim: POST /login: 200' -X POST \"$U\"/login\n",
		`ID_1=$(sed -n 's/.*er": "alice", "token": "\([A-Za-z0-9._~+/=-]*\).*/\1/p' <<<"$answer" | tail -n 1)`,
		`-H 'Authorization: Bearer '"$ID_1"`,
	} {
		if !strings.Contains(script, says) {
			t.Errorf("no %q in\n%s", says, script)
		}
	}
	if strings.Contains(script, token) {
		t.Errorf("the token stands in\n%s", script)
	}
}

// Passwords are variables in every form, and short ones where they stand alone.
func TestReplayHoldsNoPassword(t *testing.T) {
	t.Parallel()
	users := []User{{Name: "al ice", Password: secret.New(`pä"ss wörd`)}, {Name: "bob", Password: secret.New("pw1")}}
	for body, want := range map[string]string{
		`{"password":"pä\"ss wörd"}`:             `--data-raw '{"password":"'"$AL_ICE_PASSWORD"'"}'`,
		`password=p%C3%A4%22ss+w%C3%B6rd&x=pw12`: `--data-raw password="$AL_ICE_PASSWORD"'&x='"$BOB_PASSWORD"2`,
		`{"password":"pw1","note":"a pw1x"}`:     `--data-raw '{"password":"'"$BOB_PASSWORD"'","note":"a pw1x"}'`,
	} {
		login := answered(t, 1, time.Time{})
		login.Request.Body = secret.New(body)
		if script := played(t, []trace.Exchange{login}, users, 1); !strings.Contains(script, want) {
			t.Errorf("want %s in\n%s", want, script)
		}
	}
}

// Where the evidence is no request, the handler that has to change is called.
func TestReplayOfAFindingWithoutRequests(t *testing.T) {
	t.Parallel()
	seen := []trace.Exchange{answered(t, 7, time.Time{}, "sid=aaaaaaa1")}
	if script := played(t, seen, nil); !strings.Contains(script, "-X POST \"$U\"/login\n") {
		t.Errorf("%s", script)
	}
	if script := replay(nil, finding.Finding{Step: "login"}, nil, &secret.Redactor{}); script != "" {
		t.Errorf("a script out of nothing: %s", script)
	}
}
