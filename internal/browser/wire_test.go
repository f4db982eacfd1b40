package browser_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/browser"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

func TestHeadersOfEveryRequest(t *testing.T) {
	t.Parallel()
	site := serve(t, silent)
	stage := visit(t, site.URL, "steps: {visit: GET /}")
	do(t, stage.Actor("the attacker"), "visit")
	want := http.Header{
		"User-Agent":        {"sessiongate/test (the attacker)"},
		"Accept":            {"application/json, text/html;q=0.9, */*;q=0.5"},
		"Accept-Encoding":   {"identity"},
		"Cache-Control":     {"no-cache"},
		"X-Forwarded-Proto": {"https"},
	}
	if diff := cmp.Diff(want, site.last(t).Header); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	recorded := http.Header{}
	for _, field := range stage.Exchanges()[0].Request.Header {
		recorded.Add(field.Name, field.Value.Reveal())
	}
	if diff := cmp.Diff(want, recorded); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
}

// A recipe's own header stands alone, however it is spelled, on either way.
func TestHeadersOfTheRecipe(t *testing.T) {
	t.Parallel()
	for way, id := range ways {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			target := says(t, ok+"Content-Length: 0\r\n\r\n")
			actor := visit(t, target.base(), `
steps:
  visit:
    request: POST /
    body: abc
    headers: {user-agent: own/1, ACCEPT: text/plain, host: tenant.test, x-forwarded-proto: http, content-length: 99, X-Odd_Name: "  kept\tas it is "}
`).Actor("actor")
			actor.Wear(trace.Credential{{Slot: cookieSlot("sid"), ID: secret.New(id)}})
			do(t, actor, "visit")
			head, sent, _ := strings.Cut(<-target.requests, "\r\n\r\n")
			got := map[string][]string{}
			for _, line := range strings.Split(head, "\r\n")[1:] {
				name, value, _ := strings.Cut(line, ":")
				got[strings.ToLower(name)] = append(got[strings.ToLower(name)], strings.Trim(value, " "))
			}
			want := map[string][]string{
				"user-agent": {"own/1"}, "accept": {"text/plain"}, "host": {"tenant.test"}, "x-forwarded-proto": {"https"}, "content-length": {"3"},
				"accept-encoding": {"identity"}, "cache-control": {"no-cache"}, "x-odd_name": {"kept\tas it is"}, "cookie": {"sid=" + id},
			}
			delete(got, "connection")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
			if sent != "abc" {
				t.Errorf("sent the body %q", sent)
			}
		})
	}
}

// The bytes that net/http refuses in a header go out as they are.
func TestCookieGoesOutByteExact(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"plain", "q\"uo,te\\d =", "\x01\x02\x1f\x7f", "\xff\xfe\x80", "é\tü", strings.Repeat("long", 2000) + "\x01", "<script>", "' OR 1=1--"} {
		target := says(t, ok+"Content-Length: 4\r\n\r\nbody")
		stage := visit(t, target.base(), "steps: {visit: {request: POST /a%2Fb?c=%01, body: \"the body\"}}")
		actor := stage.Actor("actor")
		actor.Wear(trace.Credential{{Slot: cookieSlot("sid"), ID: secret.New(id)}})
		do(t, actor, "visit")
		sent := <-target.requests
		if !strings.Contains(sent, "\r\nCookie: sid="+id+"\r\n") {
			t.Errorf("the cookie %q went out in %q", id, sent)
		}
		if !strings.HasPrefix(sent, "POST /a%2Fb?c=%01 HTTP/1.1\r\n") || !strings.HasSuffix(sent, "\r\n\r\nthe body") {
			t.Errorf("beside the cookie %q went out %q", id, sent)
		}
		if got := stage.Exchanges()[0].Response; got.Status != 200 || got.Body.Reveal() != "body" {
			t.Errorf("recorded %d with %q", got.Status, got.Body.Reveal())
		}
	}
}

func TestTokenInAHeaderGoesOutByteExact(t *testing.T) {
	t.Parallel()
	target := says(t, ok+"Content-Length: 0\r\n\r\n")
	stage := visit(t, target.base(), "steps: {visit: {request: GET /, capture: {token: {header: X}}}, identity: GET /me}\nsession: {bearer: \"{{token}}\"}")
	actor := stage.Actor("actor")
	actor.Wear(trace.Credential{{Slot: stage.Facts().Carrier[0], ID: secret.New("a\x01b")}})
	do(t, actor, "identity")
	if sent := <-target.requests; !strings.Contains(sent, "\r\nAuthorization: Bearer a\x01b\r\n") {
		t.Errorf("sent %q", sent)
	}
}

// Nothing that fills a template begins another header or another request.
func TestLineBreaksAreNotSent(t *testing.T) {
	t.Parallel()
	target := says(t, ok+"Content-Length: 0\r\n\r\n")
	refused := func(base, steps string, wear ...trace.Held) {
		t.Helper()
		stage := visit(t, base, steps)
		actor := stage.Actor("actor")
		actor.Wear(wear)
		err := actor.Login(t.Context(), "lines")
		wantError(t, err, "step login: POST /", "the header ", " holds a line break, which would begin another header; look at the value that fills it")
		if strings.Contains(err.Error(), "njected") || len(stage.Exchanges()) != 0 {
			t.Errorf("the error is %q, %d exchanges are recorded", err, len(stage.Exchanges()))
		}
	}
	refused(target.base(), `steps: {login: {request: POST /, headers: {X-User: "{{username}}"}}}`)
	refused(target.base(), `steps: {login: {request: POST /, headers: {Authorization: "Basic {{password}}"}}}`)
	for _, id := range []string{"a\r\nX-Injected: 1", "a\nX-Injected: 1", "a\rX-Injected: 1", "a\x00Injected"} {
		refused(target.base(), "steps: {login: POST /}", trace.Held{Slot: cookieSlot("sid"), ID: secret.New(id)})
		refused(target.base(), "steps: {login: POST /}", trace.Held{Slot: trace.Slot{Kind: trace.InHeader, Name: "X-Sid"}, ID: secret.New(id)})
	}
	select {
	case sent := <-target.requests:
		t.Errorf("sent %q", sent)
	default:
	}
}

func TestLineBreaksElsewhereAreEscaped(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		`request: "POST /{{username}}"`:                                 "POST /one%0D%0AX-Injected:%20two HTTP/1.1",
		`request: "POST /?u={{username}}"`:                              "POST /?u=one%0D%0AX-Injected:%20two HTTP/1.1",
		`request: POST /, query: {u: "{{username}}"}`:                   "POST /?u=one%0D%0AX-Injected%3A+two HTTP/1.1",
		`request: POST /, query: {"a\r\nX-Injected: b": c}`:             "POST /?a%0D%0AX-Injected%3A+b=c HTTP/1.1",
		`request: POST /, form: {u: "{{username}}"}`:                    "POST / HTTP/1.1",
		`request: POST /, json: {u: "{{username}}"}`:                    "POST / HTTP/1.1",
		`request: POST /, multipart: {"a\r\nX-Injected: b": c, d: "1"}`: "POST / HTTP/1.1",
	}
	for request, want := range cases {
		target := says(t, ok+"Content-Length: 0\r\n\r\n")
		mustDo(t, visit(t, target.base(), "steps: {login: {"+request+"}}").Actor("actor").Login(t.Context(), "lines"))
		sent := <-target.requests
		if line, _, _ := strings.Cut(sent, "\r\n"); line != want {
			t.Errorf("%s: sent %q, want %q", request, line, want)
		}
		if strings.Contains(sent, "\nX-Injected") {
			t.Errorf("%s: sent %q", request, sent)
		}
	}
}

// What a hostile answer gives a capture for a path stays a path of this target.
func TestCapturedPathStaysOnTheTarget(t *testing.T) {
	t.Parallel()
	cases := map[string]string{ // by the answer: what is sent, "" where nothing is
		"/confirm?token=a b":     "/confirm?token=a%20b",
		"//elsewhere.test/x":     "//elsewhere.test/x",
		"http://elsewhere.test/": "",
		"confirm":                "",
		"@elsewhere.test/":       "",
	}
	for given, want := range cases {
		site := serve(t, answers(given))
		err := visit(t, site.URL, `
steps: {login: [{request: POST /login, capture: {link: {regex: ".+"}}}, {request: "GET {{link}}"}]}
`).Actor("actor").Login(t.Context(), "alice")
		if want == "" {
			wantError(t, err, "step login: path {{link}}: what fills it does not begin with /; narrow its capture with a regex")
			if strings.Contains(err.Error(), given) || len(site.lines()) != 1 {
				t.Errorf("%q: error %q, sent %q", given, err, site.lines())
			}
			continue
		}
		if got := site.last(t); err != nil || got.URI != want || "http://"+got.Host != site.URL {
			t.Errorf("%q: sent %s to %s, %v", given, got.URI, got.Host, err)
		}
	}
}

// net/http reads the environment once, so the test is made in a process of its
// own. Only a host that is not this machine would go through a proxy.
func TestProxyOfTheEnvironmentIsIgnored(t *testing.T) {
	t.Parallel()
	if os.Getenv("HTTP_PROXY_OF_THE_TEST") != "" {
		for _, id := range ways {
			exchange, err := ask(t, "http://target.invalid", id, 5*time.Second)
			wantError(t, err, "step visit: GET /: ")
			if exchange.Response.Status != 0 {
				t.Errorf("recorded %d", exchange.Response.Status)
			}
		}
		return
	}
	proxy := serve(t, answers("from the proxy"))
	again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProxyOfTheEnvironmentIsIgnored$")
	again.Env = append(os.Environ(), "HTTP_PROXY_OF_THE_TEST=1", "NO_PROXY=", "no_proxy=")
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"} {
		again.Env = append(again.Env, name+"="+proxy.URL)
	}
	if out, err := again.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if got := proxy.lines(); got != nil {
		t.Errorf("the proxy was sent %q", got)
	}
}

func TestDuplicateHeadersAreRecorded(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["X-Twice"] = []string{"first", "second"}
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "a=2")
	})
	stage := visit(t, site.URL, "steps: {visit: GET /}")
	do(t, stage.Actor("actor"), "visit")
	response := stage.Exchanges()[0].Response
	var got []string
	for _, field := range response.Header {
		if field.Name == "X-Twice" || field.Name == "Set-Cookie" {
			got = append(got, field.Name+": "+field.Value.Reveal())
		}
	}
	if diff := cmp.Diff([]string{"X-Twice: first", "X-Twice: second"}, got); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
	if len(response.SetCookie) != 2 {
		t.Errorf("%d cookies are recorded", len(response.SetCookie))
	}
	if got := response.Get("x-twice").Reveal(); got != "first" {
		t.Errorf("Get gives %q", got)
	}
}

func TestURLIsRecordedAsSent(t *testing.T) {
	t.Parallel()
	site := serve(t, silent)
	stage := visit(t, site.URL+"/v2", "steps: {login: {request: POST /login, query: {sid: x}}}")
	mustDo(t, stage.Actor("actor").Login(t.Context(), "alice", plant("path", "p")))
	exchange := stage.Exchanges()[0]
	if got := exchange.Request.URL.Reveal(); got != site.URL+"/v2/login;p=planted-id?sid=x" {
		t.Errorf("recorded %s", got)
	}
	if exchange.Request.Line() != "POST /login" {
		t.Errorf("shown as %s", exchange.Request.Line())
	}
}

// A target of https is not told of a proxy that does not exist.
func TestForwardedProtoOverTLS(t *testing.T) {
	t.Parallel()
	address, err := url.Parse("https://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	stage := visit(t, "http://127.0.0.1:1", "steps: {visit: GET /}", func(o *browser.Options) { o.Base = address })
	_ = stage.Actor("actor").Do(t.Context(), "visit")
	for _, field := range stage.Exchanges()[0].Request.Header {
		if field.Name == "X-Forwarded-Proto" {
			t.Errorf("sent X-Forwarded-Proto: %s", field.Value.Reveal())
		}
	}
}

func TestUntrustedCertificateIsSaidSo(t *testing.T) {
	t.Parallel()
	site := httptest.NewUnstartedServer(http.HandlerFunc(silent))
	site.Config.ErrorLog = log.New(io.Discard, "", 0)
	site.StartTLS()
	t.Cleanup(site.Close)
	for _, id := range ways {
		exchange, err := ask(t, site.URL, id, 5*time.Second)
		wantError(t, err, "step visit: GET /: the TLS certificate is not trusted")
		if exchange.Response.Status != 0 {
			t.Errorf("recorded %d", exchange.Response.Status)
		}
	}
}
