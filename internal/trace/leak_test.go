package trace_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// live holds characters that URLs escape.
const live = "live-0123456789+/"

func answer(body string, header ...string) trace.Exchange {
	exchange := trace.Exchange{Response: trace.Response{Status: 200, Body: secret.New(body)}}
	for i := 0; i < len(header); i += 2 {
		exchange.Response.Header = append(exchange.Response.Header, trace.Field{Name: header[i], Value: secret.New(header[i+1])})
	}
	return exchange
}

func TestFindLeakInABody(t *testing.T) {
	t.Parallel()
	coded := url.QueryEscape(live)
	for body, want := range map[string]struct{ inURL, inContent bool }{
		"":                             {},
		"nothing to see":               {},
		live[:len(live)-1]:             {}, // all but the last character
		live:                           {inContent: true},
		coded:                          {inContent: true},
		`{"id": "` + live + `"}`:       {inContent: true},
		`{"next": "/?s=` + live + `"}`: {inURL: true},
		`{"next": "https://api.test/s/` + live + `"}`: {inURL: true},
		`{"next": "?s=` + coded + `"}`:                {inURL: true},
		`<a href=/me;s=` + live + `>`:                 {inURL: true},
		`<a href='/me' data-id='` + live + `'>`:       {inContent: true},
		`<td>/</td><td>` + live + `</td>`:             {inContent: true},
		"see /home\n" + live:                          {inContent: true},
		"see /home\t" + live:                          {inContent: true},
		"`/home`" + live:                              {inContent: true},
		"/home " + live + " or /?s=" + live:           {inURL: true, inContent: true},
		live + " " + live + " /" + live:               {inURL: true, inContent: true},
		"/" + live + live:                             {inURL: true},
		"session=" + live + "; Path=/":                {inContent: true},
	} {
		for kind, wanted := range map[trace.LeakKind]bool{trace.InURL: want.inURL, trace.InContent: want.inContent} {
			place, found := answer(body).FindLeak([]secret.Text{secret.New(live)}, kind)
			var expected trace.Leak
			if wanted {
				expected = trace.Leak{Kind: kind, Name: "body", ID: secret.New(live)}
			}
			if diff := cmp.Diff(expected, place, texts); found != wanted || diff != "" {
				t.Errorf("%q as %s: found is %t, want %t (-want +got):\n%s", body, kind, found, wanted, diff)
			}
		}
	}
}

func TestFindLeakInAHeader(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]trace.LeakKind{
		"Location": trace.InURL, "LOCATION": trace.InURL, "Content-Location": trace.InURL, "link": trace.InURL, "Refresh": trace.InURL,
		"X-Session": trace.InContent, "ETag": trace.InContent, "X-Location": trace.InContent,
	} {
		exchange := answer("", "Date", "today", name, "before "+live+" after")
		for _, asked := range []trace.LeakKind{trace.InURL, trace.InContent} {
			place, found := exchange.FindLeak([]secret.Text{secret.New(live)}, asked)
			if found != (asked == kind) || found && (place.Name != name+" header" || place.Kind != kind) {
				t.Errorf("%s, asked for %s: found is %t, at %q (%s)", name, asked, found, place.Name, place.Kind)
			}
		}
	}
}

func TestFindLeakNamesTheIDThatStoodThere(t *testing.T) {
	t.Parallel()
	ids := []secret.Text{secret.New("first-0123456789"), secret.New("second-0123456789")}
	place, found := answer("second-0123456789").FindLeak(ids, trace.InContent)
	if !found || place.ID != ids[1] {
		t.Errorf("found is %t, at id %s, want the second", found, place.ID)
	}
	if _, found := answer("second-0123456789").FindLeak(nil, trace.InContent); found {
		t.Error("no ids leak, yet one was found")
	}
}

// What the request brought and the answer repeats is an echo; the carrier's own
// cookie is no bringing, or no answer to a signed-in request could leak.
func TestFindLeakPassesOverEchoes(t *testing.T) {
	t.Parallel()
	id := secret.New(live)
	for name, request := range map[string]trace.Request{
		"URL":    {URL: secret.New("https://api.test/?q=" + live)},
		"body":   {Body: secret.New("q=" + live)},
		"header": {Header: []trace.Field{{Name: "X-Query", Value: id}}},
	} {
		exchange := answer(live)
		exchange.Request = request
		if _, found := exchange.FindLeak([]secret.Text{id}, trace.InContent); found || !request.Brought(id) {
			t.Errorf("%s: found is %t, brought is %t", name, found, request.Brought(id))
		}
		other := secret.New("other-0123456789")
		exchange.Response.Body = other
		if _, found := exchange.FindLeak([]secret.Text{id, other}, trace.InContent); !found {
			t.Errorf("%s: an echo of one id hides the leak of another", name)
		}
	}
	for _, name := range []string{"Cookie", "cookie"} {
		exchange := answer(live)
		exchange.Request.Header = []trace.Field{{Name: name, Value: secret.New("session=" + live)}}
		if _, found := exchange.FindLeak([]secret.Text{id}, trace.InContent); !found {
			t.Errorf("an id that the %s header carried is taken for an echo", name)
		}
	}
}

// The frameworks that escape a cookie know the id as what it was before, and put
// that into their pages.
func TestFindLeakOfADecodedID(t *testing.T) {
	t.Parallel()
	id := secret.New("s%3Alive-0123456789.signature%2Fof%2Bit")
	for _, body := range []string{"s:live-0123456789.signature/of+it", "s%3Alive-0123456789.signature%2Fof%2Bit", "s%253Alive-0123456789.signature%252Fof%252Bit"} {
		if place, found := answer(body).FindLeak([]secret.Text{id}, trace.InContent); !found || place.ID != id {
			t.Errorf("%s: found is %t", body, found)
		}
	}
}

// A header that carries the session is no place where a request brings an id.
func TestFindLeakWhereAHeaderCarries(t *testing.T) {
	t.Parallel()
	id := secret.New(live)
	exchange := answer("", "Location", "/?token="+live)
	exchange.Request.Header = []trace.Field{{Name: "authorization", Value: secret.New("Bearer " + live)}}
	exchange.Carried = trace.Credential{{Slot: trace.Slot{Kind: trace.InHeader, Name: "Authorization", Before: "Bearer "}, ID: id}}
	if _, found := exchange.FindLeak([]secret.Text{id}, trace.InURL); !found {
		t.Error("the leak in the answer to a signed-in request is passed over")
	}
	exchange.Carried = nil
	if _, found := exchange.FindLeak([]secret.Text{id}, trace.InURL); found {
		t.Error("an id that no carrier brought is an echo, yet it counts as a leak")
	}
}

// FuzzFindLeak holds the places of a body against a plain search: what stands
// there is in a URL or in content, and what does not is in neither.
func FuzzFindLeak(f *testing.F) {
	f.Add("", live)
	f.Add("/?s="+live+" "+live, live)
	f.Add("aaaa/aaa", "aa")
	f.Add("\"\x00/\xff", "\xff")
	f.Fuzz(func(t *testing.T, body, value string) {
		if value == "" || len(body) > 1<<16 {
			return
		}
		id := secret.New(value)
		_, inURL := answer(body).FindLeak([]secret.Text{id}, trace.InURL)
		_, inContent := answer(body).FindLeak([]secret.Text{id}, trace.InContent)
		decoded, err := url.PathUnescape(value)
		there := strings.Contains(body, value) || strings.Contains(body, url.QueryEscape(value)) || err == nil && decoded != "" && strings.Contains(body, decoded)
		if there != (inURL || inContent) {
			t.Errorf("%q in %q: in a URL %t, in content %t", value, body, inURL, inContent)
		}
	})
}

// What a search for many ids names is what a search for each of them finds.
func TestSoughtIDsAreThoseThatLeak(t *testing.T) {
	t.Parallel()
	ids := []secret.Text{secret.New("first-0123456789"), secret.New(live), secret.New("first-0123"), secret.New("s%3Asigned.0123"), {}}
	sought := trace.Seek(ids)
	for _, exchange := range []trace.Exchange{
		answer(""), answer("first"), answer("first-0123"), answer("first-0123456789"), answer(live + " first-0123456789"),
		answer(url.QueryEscape(live)), answer("s:signed.0123"), answer("", "Location", "/?s="+url.QueryEscape(live)), answer("", "X-Id", "first-01234"),
		answer("first-012", "X-Rest", "3456789"),
	} {
		var each []secret.Text
		for _, id := range ids {
			_, inURL := exchange.FindLeak([]secret.Text{id}, trace.InURL)
			_, inContent := exchange.FindLeak([]secret.Text{id}, trace.InContent)
			if inURL || inContent {
				each = append(each, id)
			}
		}
		if diff := cmp.Diff(each, sought.In(exchange.Response), texts); diff != "" {
			t.Errorf("%q (-each +sought):\n%s", exchange.Response.Body.Reveal(), diff)
		}
	}
	if found := trace.Seek(nil).In(answer(live).Response); found != nil {
		t.Errorf("nothing was sought, and %v found", found)
	}
}

// A deep scan looks for 300 ids in some thousands of answers.
func BenchmarkSought(b *testing.B) {
	var ids []secret.Text
	for i := range 300 {
		ids = append(ids, secret.New("id-of-a-session-"+strings.Repeat(string(rune('a'+i%26)), 4+i/26)))
	}
	sought, exchange := trace.Seek(ids), answer(strings.Repeat("an ordinary answer ", 50), "Content-Type", "text/html")
	for name, look := range map[string]func(){
		"together": func() { sought.In(exchange.Response) },
		"each":     func() { exchange.FindLeak(ids, trace.InContent) },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				look()
			}
		})
	}
}
