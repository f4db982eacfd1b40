package browser_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// captured performs a login that captures a value, and then an identity step
// that sends it in a header.
func captured(t testing.TB, capture string, handle http.HandlerFunc) (string, error) {
	t.Helper()
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			handle(w, r)
		}
	})
	actor := visit(t, site.URL, `
steps:
  login: {request: POST /login, capture: {csrf: `+capture+`}}
  identity: {request: GET /me, headers: {X-Captured: "{{csrf}}"}}
`).Actor("actor")
	if err := actor.Login(t.Context(), "alice"); err != nil {
		return "", err
	}
	do(t, actor, "identity")
	return site.last(t).Header.Get("X-Captured"), nil
}

const page = `<!doctype html><html><head>
<meta name="csrf-token" content="from-the-meta">
</head><body><form method="post">
<input type="hidden" name="csrf" value="from-the-&quot;input&quot;">
<textarea id="text"> from the text </textarea>
<input type="hidden" name="empty" value="">
<p>uid: <b class="uid">7</b> and <b class="uid">8</b></p>
</form>`

const object = `{"token": "from-the-json", "user": {"id": 9007199254740993, "tags": ["a", "b"]},
 "items": [{"id": 5, "key": "five"}, {"id": 6, "key": "six"}], "ok": true, "none": null, "rate": 0.25,
 "huge": 123456789012345678901234567890}`

func answers(body string, lines ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for _, line := range lines {
			name, value, _ := strings.Cut(line, ": ")
			w.Header().Add(name, value)
		}
		_, _ = fmt.Fprint(w, body)
	}
}

func TestCapture(t *testing.T) {
	t.Parallel()
	headers := []string{"Set-Cookie: csrftoken=first; Path=/", "Set-Cookie: csrftoken=the-last; Path=/", "X-CSRF-Token: from-the-header", "Content-Type: text/html"}
	cases := []struct{ name, capture, body, want string }{
		{"html hidden input", `{html: "input[name=csrf]"}`, page, `from-the-"input"`},
		{"html meta", `{html: "meta[name=csrf-token]"}`, page, "from-the-meta"},
		{"html text", `{html: "b.uid"}`, page, "7"},
		{"html textarea", `{html: "#text"}`, page, "from the text"},
		{"html narrowed", `{html: p, regex: "and ([0-9]+)"}`, page, "8"},
		{"json text", `{json: $.token}`, object, "from-the-json"},
		{"json number of 64 bits", `{json: $.user.id}`, object, "9007199254740993"},
		{"json number beyond 64 bits", `{json: $.huge}`, object, "123456789012345678901234567890"},
		{"json fraction", `{json: $.rate}`, object, "0.25"},
		{"json boolean", `{json: $.ok}`, object, "true"},
		{"json element", `{json: "$.user.tags[1]"}`, object, "b"},
		{"json filter", `{json: "$.items[?(@.id==6)].key"}`, object, "six"},
		{"json narrowed", `{json: $.token, regex: "the-.*"}`, object, "the-json"},
		{"regex", `{regex: 'class="uid">([0-9])'}`, page, "7"},
		{"regex without a group", `{regex: "from-the-meta"}`, page, "from-the-meta"},
		{"cookie, the last of its name", `{cookie: csrftoken}`, "", "the-last"},
		{"cookie narrowed", `{cookie: csrftoken, regex: "the-(.)"}`, "", "l"},
		{"header", `{header: x-csrf-token}`, "", "from-the-header"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := captured(t, c.capture, answers(c.body, headers...))
			if err != nil || got != c.want {
				t.Errorf("captured %q, %v; want %q", got, err, c.want)
			}
		})
	}
}

// Each error is one sentence that names the step, the request, the capture and
// the place, and holds nothing of the answer.
func TestCaptureErrors(t *testing.T) {
	t.Parallel()
	const canary = "canary-of-the-answer"
	deep := strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200)
	cases := []struct{ name, capture, body, want string }{
		{"no element", `{html: "input[name=token]"}`, page, "at the element input[name=token]; check the capture against the real answer"},
		{"empty element", `{html: "input[name=empty]"}`, page, "at the element input[name=empty]"},
		{"no selector", `{html: "input[name="}`, page, "input[name= is no CSS selector"},
		{"too deep for HTML", `{html: input}`, strings.Repeat("<div>", 5000), "nested too deeply for HTML"},
		{"too much HTML", `{html: "h1 ~ p"}`, strings.Repeat("<p>", 100000), "more than 20000 nodes; capture by a regex instead"},
		{"no member", `{json: $.csrf}`, object, "at the JSON path $.csrf"},
		{"null member", `{json: $.none}`, object, "at the JSON path $.none"},
		{"object", `{json: $.user}`, object, "$.user is no single value"},
		{"list", `{json: $.items}`, object, "$.items is no single value"},
		{"html for json", `{json: $.csrf}`, " \n" + page, "the answer is HTML, not JSON"},
		{"text for json", `{json: $.csrf}`, canary, "the answer is not JSON"},
		{"nothing for json", `{json: $.csrf}`, "", "the answer is not JSON"},
		{"two documents", `{json: $.csrf}`, `{"csrf": "` + canary + `"}{}`, "the answer is not JSON"},
		{"too deep for JSON", `{json: $..csrf}`, deep, "more than 100 levels deep"},
		{"no match", `{regex: "uid=([0-9]+)"}`, canary, "at the body by the regex uid=([0-9]+)"},
		{"empty match", `{regex: "canary(x?)"}`, canary, "at the body by the regex canary(x?)"},
		{"empty body", `{regex: ".+"}`, "", "at the body"},
		{"nothing narrowed", `{header: X-CSRF-Token, regex: "^[0-9]+$"}`, "", "at the header X-CSRF-Token by the regex ^[0-9]+$"},
		{"no header", `{header: X-Other}`, canary, "at the header X-Other"},
		{"no cookie", `{cookie: other}`, canary, "at the cookie other"},
		{"deleted cookie", `{cookie: gone}`, canary, "at the cookie gone"},
		{"line break", `{regex: "(?s)canary.*"}`, canary + "\r\nX-Injected: 1", "at the body by the regex (?s)canary.* is too long or has line breaks"},
		{"NUL", `{json: $.csrf}`, `{"csrf": "a\u0000b"}`, "at the JSON path $.csrf is too long or has line breaks"},
		{"too long", `{json: $.csrf}`, `{"csrf": "` + strings.Repeat("x", 8<<10+1) + `"}`, "is too long or has line breaks"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := captured(t, c.capture, answers(c.body, "X-CSRF-Token: "+canary, "Set-Cookie: gone=; Max-Age=0"))
			wantError(t, err, "step login: POST /login answered 200: capture csrf: nothing to capture", c.want)
			if strings.Contains(err.Error(), canary) {
				t.Errorf("the error %q quotes the answer", err)
			}
		})
	}
}

func TestCaptureOfCompressedAnswer(t *testing.T) {
	t.Parallel()
	for _, capture := range []string{`{html: input}`, `{json: $.csrf}`, `{regex: "x"}`} {
		_, err := captured(t, capture, answers("\x1f\x8b\x08 not for us", "Content-Encoding: gzip"))
		wantError(t, err, "capture csrf", "the answer is compressed, which was not asked for")
	}
	if got, err := captured(t, `{header: X-CSRF-Token}`, answers("\x1f\x8b", "Content-Encoding: gzip", "X-CSRF-Token: abc")); err != nil || got != "abc" {
		t.Errorf("a header beside a compressed body: captured %q, %v", got, err)
	}
}

// The time of ".." in a path must not grow with what a hostile answer nests.
func TestCaptureOfHostileJSONEnds(t *testing.T) {
	t.Parallel()
	began := time.Now()
	for _, body := range []string{
		strings.Repeat(`{"a":`, 9990) + "1" + strings.Repeat("}", 9990),
		strings.Repeat("[", 9990) + strings.Repeat("]", 9990),
		"[" + strings.Repeat("[],", 300000) + "1]",
	} {
		_, err := captured(t, `{json: "$..a..b"}`, answers(body))
		wantError(t, err, "capture csrf")
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %s", took)
	}
}

// What an earlier request captured is there for the later ones of the browser,
// and for nobody else's.
func TestCaptureStaysWithItsBrowser(t *testing.T) {
	t.Parallel()
	site := serve(t, answers(`<input name="csrf" value="token-of-the-form">`))
	stage := visit(t, site.URL, `
steps:
  login:
    - {request: GET /login, capture: {csrf: {html: "input[name=csrf]"}}}
    - {request: POST /login, form: {csrf: "{{csrf}}", username: "{{username}}"}}
  logout: "GET /logout/{{csrf}}"
`)
	actor := stage.Actor("actor")
	mustDo(t, actor.Login(t.Context(), "alice"))
	if got := site.last(t).Body; got != "csrf=token-of-the-form&username=alice" {
		t.Errorf("sent %q", got)
	}
	do(t, actor, "logout")
	if got := site.last(t).URI; got != "/logout/token-of-the-form" {
		t.Errorf("sent %q", got)
	}
	do(t, actor.Copy("twin"), "logout")
	err := stage.Actor("stranger").Do(t.Context(), "logout")
	wantError(t, err, "step logout: path: {{csrf}} has no value here: capture it in an earlier request")
	wantError(t, actor.Freeze("frozen").Do(t.Context(), "logout"), "{{csrf}} has no value here")
}

func TestCaptureFromAnAnswerBeyondTheKeptPart(t *testing.T) {
	t.Parallel()
	body := strings.Repeat(" ", 512<<10) + `<input name="csrf" value="far-down">`
	if got, err := captured(t, `{html: input}`, answers(body)); err != nil || got != "far-down" {
		t.Errorf("captured %q, %v", got, err)
	}
}
