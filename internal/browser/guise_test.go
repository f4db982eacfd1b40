package browser_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/browser"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

const guised = `
steps:
  visit: GET /
  login: {request: POST /login, json: {username: "{{username}}", password: "{{password}}"}, headers: {X-Csrf: "own"}}
  identity: GET /me
session: {cookie: sid}
`

func lines(texts ...string) []secret.Text {
	made := []secret.Text{}
	for _, text := range texts {
		made = append(made, secret.New(text))
	}
	return made
}

func fields(pairs ...string) []trace.Field {
	var made []trace.Field
	for i := 0; i < len(pairs); i += 2 {
		made = append(made, trace.Field{Name: pairs[i], Value: secret.New(pairs[i+1])})
	}
	return made
}

// What a guise says of Cookie lines goes out byte for byte, whatever net/http
// would make of it, and is recorded so.
func TestCookieLinesAreWrittenAsTheyAre(t *testing.T) {
	t.Parallel()
	for name, wanted := range map[string][]string{
		"two of one name":       {"sid=one; sid=two"},
		"the other order":       {"sid=two; sid=one"},
		"two lines":             {"sid=one", "sid=two"},
		"none":                  {},
		"a name with a control": {"s\x00id=one"},
		"no UTF-8":              {"sid=\xff\xfe\xed\xa0\x80"},
		"padded":                {"\tsid=one "},
		"nameless":              {"=sid=one; ==sid=one"},
		"quotes and commas":     {`sid="\101\042", sid=two`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			target := says(t, ok+"Content-Length: 0\r\n\r\n")
			stage := visit(t, target.base(), guised)
			actor := stage.Actor("actor")
			actor.Wear(trace.Credential{{Slot: cookieSlot("sid"), ID: secret.New("of the jar")}})
			actor.Dress(probe.Guise{Cookie: lines(wanted...)})
			actor.Identify(t.Context(), "after")
			var sent, recorded []string
			for line := range strings.SplitSeq(<-target.requests, "\r\n") {
				if value, is := strings.CutPrefix(line, "Cookie: "); is {
					sent = append(sent, value)
				}
			}
			for _, field := range stage.Exchanges()[0].Request.Header {
				if field.Name == "Cookie" {
					recorded = append(recorded, field.Value.Reveal())
				}
			}
			if len(wanted) == 0 {
				wanted = nil
			}
			if diff := cmp.Diff(wanted, sent); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(wanted, recorded); diff != "" {
				t.Errorf("recorded (-want +got):\n%s", diff)
			}
			if got := stage.Exchanges()[0].Carried; got != nil {
				t.Errorf("recorded to carry %v, which the jar holds", ids(got))
			}
		})
	}
}

func TestACookieLineIsOneLine(t *testing.T) {
	t.Parallel()
	site := serve(t, silent)
	actor := visit(t, site.URL, guised).Actor("actor")
	actor.Dress(probe.Guise{Cookie: lines("sid=one\r\nX-Other: two")})
	wantError(t, actor.Do(t.Context(), "identity"), "line break")
	if got := site.lines(); got != nil {
		t.Errorf("sent %q", got)
	}
}

func TestHeadersOfAGuise(t *testing.T) {
	t.Parallel()
	site := serve(t, silent)
	actor := visit(t, site.URL, guised).Actor("actor")
	actor.Dress(probe.Guise{Header: fields("Origin", "https://evil.example", "host", "canary.example", "X-Csrf", "other", "Content-Type", "text/plain", "Accept", "")})
	mustDo(t, actor.Login(t.Context(), "alice"))
	got := site.last(t)
	for name, want := range map[string]string{"Origin": "https://evil.example", "X-Csrf": "other", "Content-Type": "text/plain", "Accept": ""} {
		if sent := got.Header.Get(name); sent != want {
			t.Errorf("%s: %q, want %q", name, sent, want)
		}
	}
	if got.Host != "canary.example" || !strings.Contains(got.Body, `"username":"alice"`) {
		t.Errorf("sent %+v", got)
	}
	actor.Dress(probe.Guise{})
	mustDo(t, actor.Login(t.Context(), "alice"))
	if again := site.last(t); again.Header.Get("Origin") != "" || again.Host == "canary.example" {
		t.Errorf("the guise is taken off, yet %+v", again)
	}
}

func TestABodyWithoutAType(t *testing.T) {
	t.Parallel()
	site := serve(t, silent)
	actor := visit(t, site.URL, guised).Actor("actor")
	actor.Dress(probe.Guise{Header: fields("Content-Type", "")})
	mustDo(t, actor.Login(t.Context(), "alice"))
	if got := site.last(t); got.Header["Content-Type"] != nil || got.Body == "" {
		t.Errorf("sent %+v", got)
	}
}

func TestALoginByGET(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"JSON": guised,
		"form": strings.Replace(guised, "json:", "form:", 1),
	} {
		site := serve(t, silent)
		actor := visit(t, site.URL, text).Actor("actor")
		actor.Dress(probe.Guise{Method: "GET"})
		mustDo(t, actor.Login(t.Context(), "alice"))
		got := site.last(t)
		target, err := url.Parse(got.URI)
		if err != nil {
			t.Fatal(err)
		}
		if got.Method != "GET" || target.Path != "/login" || target.Query().Get("username") != "alice" ||
			target.Query().Get("password") != alicesPassword || got.Body != "" || got.Header.Get("Content-Type") != "" {
			t.Errorf("%s: sent %+v", name, got)
		}
	}
	nested := serve(t, silent)
	actor := visit(t, nested.URL, `steps: {login: {request: POST /login, json: {user: {name: a}}}}`).Actor("actor")
	actor.Dress(probe.Guise{Method: "GET"})
	wantError(t, actor.Login(t.Context(), "alice"), "no flat fields")
}

func TestAPreflightCarriesNothing(t *testing.T) {
	t.Parallel()
	site := serve(t, silent)
	actor := visit(t, site.URL, guised).Actor("actor")
	actor.Dress(probe.Guise{Method: "OPTIONS", Cookie: lines(), Header: fields("Origin", "https://evil.example", "Access-Control-Request-Method", "POST")})
	mustDo(t, actor.Login(t.Context(), "alice"))
	if got := site.last(t); got.Method != "OPTIONS" || got.Body != "" || got.Header.Get("Access-Control-Request-Method") != "POST" || got.Header.Get("Cookie") != "" {
		t.Errorf("sent %+v", got)
	}
}

// A page of another site sends what it was told of, in one request, and no
// header of its own making.
func TestAForeignPage(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == "GET" {
			_, _ = w.Write([]byte("token-of-hers"))
		}
	})
	const text = `
steps:
  login:
    - {request: GET /form, capture: {csrf: {regex: "token-[a-z-]+"}}}
    - {request: POST /login, form: {csrf: "{{csrf}}", username: "{{username}}"}, headers: {X-Csrf: "{{csrf}}"}}
`
	stage := visit(t, site.URL, text)
	own := stage.Actor("attacker")
	mustDo(t, own.Login(t.Context(), "bob"))
	page := stage.Actor("victim")
	page.Learn(own)
	page.Dress(probe.Guise{Foreign: true})
	mustDo(t, page.Login(t.Context(), "bob"))
	if diff := cmp.Diff([]string{"GET /form", "POST /login", "POST /login"}, site.lines()); diff != "" {
		t.Fatalf("sent (-want +got):\n%s", diff)
	}
	if got := site.last(t); got.Body != "csrf=token-of-hers&username=bob" || got.Header.Get("X-Csrf") != "" {
		t.Errorf("sent %+v", got)
	}
}

func TestOverPlainHTTP(t *testing.T) {
	t.Parallel()
	site := serve(t, silent)
	plain, err := url.Parse(site.URL)
	if err != nil {
		t.Fatal(err)
	}
	secure := func(o *browser.Options) { o.Base = &url.URL{Scheme: "https", Host: "127.0.0.1:1"} }
	stage := visit(t, site.URL, guised, secure, func(o *browser.Options) { o.Cleartext = plain })
	actor := stage.Actor("actor")
	actor.Wear(trace.Credential{{Slot: cookieSlot("sid"), ID: secret.New("live")}})
	actor.Dress(probe.Guise{Cleartext: true})
	actor.Identify(t.Context(), "after")
	if got := site.last(t); got.URI != "/me" || got.Header.Get("Cookie") != "sid=live" || got.Header.Get("X-Forwarded-Proto") != "" {
		t.Errorf("sent %+v", got)
	}
	if got := stage.Exchanges()[0].Request.URL.Reveal(); got != site.URL+"/me" {
		t.Errorf("recorded %s", got)
	}
	stage = visit(t, site.URL, guised, secure)
	actor = stage.Actor("actor")
	actor.Dress(probe.Guise{Cleartext: true})
	wantError(t, actor.Do(t.Context(), "identity"), "not known to be reached over plain http")
	if n := len(stage.Exchanges()); n != 0 {
		t.Errorf("%d exchanges were recorded", n)
	}
}

// A line that browsers drop leaves a mark, or a judge would say that no cookie
// was set at all.
func TestCookiesThatBrowsersDropAreSeen(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Add("Set-Cookie", "sid="+strings.Repeat("x", 5000)+"; Path=/")
	})
	stage := visit(t, site.URL, guised)
	actor := stage.Actor("actor")
	do(t, actor, "visit")
	set := stage.Exchanges()[0].Response.SetCookie
	if len(set) != 1 || set[0].Name != "sid" || len(set[0].Rejections) != 1 || set[0].IsLost() || actor.Carries().IsZero() {
		t.Errorf("a long cookie is recorded as %+v, carried %v", set, actor.Carries())
	}
}

// Two cookies that authenticate together are no duplicates of each other.
func TestOfferedAreTheValuesOfOneCookie(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sets []string
		want []map[string]string
	}{
		"one of each":    {[]string{"a=1", "b=1"}, []map[string]string{{"cookie a": "1", "cookie b": "1"}}},
		"the same twice": {[]string{"a=1", "a=1", "b=1"}, []map[string]string{{"cookie a": "1", "cookie b": "1"}}},
		"two of one":     {[]string{"a=1", "b=1", "a=2"}, []map[string]string{{"cookie a": "1", "cookie b": "1"}, {"cookie a": "2", "cookie b": "1"}}},
	} {
		site := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			for _, line := range test.sets {
				w.Header().Add("Set-Cookie", line+"; Path=/")
			}
		})
		stage := openStage(t, newWorld(t, site.URL, guised), trace.Facts{Carrier: []trace.Slot{cookieSlot("a"), cookieSlot("b")}})
		actor := stage.Actor("actor")
		mustDo(t, actor.Login(t.Context(), "alice"))
		var got []map[string]string
		for _, credential := range actor.Offered() {
			got = append(got, ids(credential))
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
