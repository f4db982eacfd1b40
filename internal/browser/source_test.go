package browser_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// tokens answers a login with a token in every place a recipe can take it from.
func tokens(t testing.TB) *site {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/login") {
			w.Header().Set("X-Session-ID", "header-token-1")
			_, _ = fmt.Fprint(w, `{"token": "body-token-1", "half": "other-half-1"}`)
		}
	})
}

const tokenSteps = `
steps:
  login: {request: POST /login, capture: {token: {json: $.token}, half: {json: $.half}}}
  identity: GET /me
session: `

func TestTokenCarriers(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, session string
		slot          trace.Slot
		id            string // after the login
		where         func(received) string
		sent, worn    string // with the issued and with another id
	}{
		{"bearer", `{bearer: "{{token}}"}`, trace.Slot{Kind: trace.InHeader, Name: "Authorization", Before: "Bearer "}, "body-token-1",
			header("Authorization"), "Bearer body-token-1", "Bearer other/id="},
		{"bare header", `{header: X-Session-ID}`, trace.Slot{Kind: trace.InHeader, Name: "X-Session-ID"}, "header-token-1",
			header("X-Session-ID"), "header-token-1", "other/id="},
		{"header with a template", `{header: Authorization, value: "Token {{token}};v=1"}`,
			trace.Slot{Kind: trace.InHeader, Name: "Authorization", Before: "Token ", After: ";v=1"}, "body-token-1",
			header("Authorization"), "Token body-token-1;v=1", "Token other/id=;v=1"},
		{"header of two captures", `{header: X-Auth, value: "a {{token}}.{{half}} z"}`,
			trace.Slot{Kind: trace.InHeader, Name: "X-Auth", Before: "a ", After: " z"}, "body-token-1.other-half-1",
			header("X-Auth"), "a body-token-1.other-half-1 z", "a other/id= z"},
		{"header with a secret word", `{header: X-Auth, value: "key ${KEY}:{{token}}"}`,
			trace.Slot{Kind: trace.InHeader, Name: "X-Auth", Before: "key "}, "key-of-the-environment:body-token-1",
			header("X-Auth"), "key key-of-the-environment:body-token-1", "key other/id="},
		{"query", `{query: token}`, trace.Slot{Kind: trace.InQuery, Name: "token"}, "body-token-1",
			uri, "/me?token=body-token-1", "/me?token=other%2Fid%3D"},
		{"path", `{path: "/s/{{token}}/"}`, trace.Slot{Kind: trace.InPath, Before: "/s/", After: "/"}, "body-token-1",
			uri, "/s/body-token-1/me", "/s/other%2Fid=/me"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			site := tokens(t)
			stage := visit(t, site.URL, tokenSteps+c.session)
			if diff := cmp.Diff([]trace.Slot{c.slot}, stage.Facts().Carrier); diff != "" {
				t.Fatalf("the declared carrier (-want +got):\n%s", diff)
			}
			actor := stage.Actor("actor")
			if got := actor.Carries(); got != nil {
				t.Errorf("before the login it carries %v", ids(got))
			}
			mustDo(t, actor.Login(t.Context(), "alice"))
			if diff := cmp.Diff(map[string]string{c.slot.String(): c.id}, ids(actor.Carries())); diff != "" {
				t.Errorf("after the login it carries (-want +got):\n%s", diff)
			}
			wantSent := func(actor probe.Actor, want string) {
				t.Helper()
				do(t, actor, "identity")
				if got := c.where(site.last(t)); got != want {
					t.Errorf("sent %q, want %q", got, want)
				}
			}
			wantSent(actor, c.sent)
			wantSent(actor.Freeze("frozen"), c.sent)
			wantSent(actor.Copy("twin"), c.sent)
			// A worn id stays, whatever was captured before.
			actor.Wear(trace.Credential{{Slot: c.slot, ID: secret.New("other/id=")}})
			wantSent(actor, c.worn)
			wantSent(actor, c.worn)
			mustDo(t, actor.Login(t.Context(), "alice"))
			wantSent(actor, c.sent)
		})
	}
}

func header(name string) func(received) string {
	return func(r received) string { return strings.Join(r.Header.Values(name), " AND ") }
}

func uri(r received) string { return r.URI }

func TestDeclaredCarrier(t *testing.T) {
	t.Parallel()
	cases := map[string][]trace.Slot{
		"{carrier: auto}":      nil,
		"{cookie: sid}":        {cookieSlot("sid")},
		"{cookie: [sid, sig]}": {cookieSlot("sid"), cookieSlot("sig")},
	}
	for session, want := range cases {
		world := newWorld(t, "http://127.0.0.1:1", "steps: {visit: GET /}\nsession: "+session)
		if diff := cmp.Diff(want, world.Declared()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", session, diff)
		}
	}
}

// A recipe may write out the header that session: names; a stranger has no value for it.
func TestCarrierWrittenOutInAStep(t *testing.T) {
	t.Parallel()
	site := tokens(t)
	stage := visit(t, site.URL, `
steps:
  login: {request: POST /login, capture: {token: {json: $.token}}}
  identity: {request: GET /me, headers: {authorization: "Bearer {{token}}"}}
session: {bearer: "{{token}}"}
`)
	do(t, stage.Actor("stranger"), "identity")
	if got := site.last(t).Header.Values("Authorization"); got != nil {
		t.Errorf("a stranger sent Authorization: %q", got)
	}
	actor := stage.Actor("actor")
	mustDo(t, actor.Login(t.Context(), "alice"))
	actor.Wear(trace.Credential{{Slot: stage.Facts().Carrier[0], ID: secret.New("another")}})
	do(t, actor, "identity")
	if diff := cmp.Diff([]string{"Bearer another"}, site.last(t).Header.Values("Authorization")); diff != "" {
		t.Errorf("with another id it sent (-want +got):\n%s", diff)
	}
}

// The id in the URL of a step gives way to the one that is worn.
func TestCarrierWrittenOutInAQuery(t *testing.T) {
	t.Parallel()
	site := tokens(t)
	stage := visit(t, site.URL, `
steps:
  login: {request: POST /login, capture: {token: {json: $.token}}}
  identity: "GET /me?a=1&token={{token}}&b=2"
session: {query: token}
`)
	actor := stage.Actor("actor")
	mustDo(t, actor.Login(t.Context(), "alice"))
	actor.Wear(trace.Credential{{Slot: stage.Facts().Carrier[0], ID: secret.New("another")}})
	do(t, actor, "identity")
	if got := site.last(t).URI; got != "/me?a=1&b=2&token=another" {
		t.Errorf("sent %s", got)
	}
}

func TestEchoedHeaderIsTakenFromEveryHop(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			w.Header().Set("X-Session-ID", "given-at-the-redirect")
			http.Redirect(w, r, "/home", http.StatusSeeOther)
		}
	})
	actor := visit(t, site.URL, `
steps: {login: {request: POST /login, follow: true}, identity: GET /me}
session: {header: X-Session-ID}
`).Actor("actor")
	mustDo(t, actor.Login(t.Context(), "alice"))
	if got := site.last(t); got.URI != "/home" || got.Header.Get("X-Session-ID") != "given-at-the-redirect" {
		t.Errorf("sent %s with %q", got.URI, got.Header.Get("X-Session-ID"))
	}
}

func TestEchoedHeaderThatCannotBeSentIsNotTaken(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"one\rX-Injected: two", strings.Repeat("x", 8<<10+1)} {
		target := says(t, ok+"X-Session-ID: "+value+"\r\nContent-Length: 0\r\n\r\n")
		actor := visit(t, target.base(), "steps: {identity: GET /me}\nsession: {header: X-Session-ID}\n").Actor("actor")
		_ = actor.Do(t.Context(), "identity")
		if got := actor.Carries(); got != nil {
			t.Errorf("it carries %d bytes", got[0].ID.Len())
		}
	}
}
