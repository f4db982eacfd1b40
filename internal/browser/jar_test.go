package browser_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// sessions issues a fresh sid and a theme at GET /, and a new sid at POST /login.
func sessions(t testing.TB) *site {
	t.Helper()
	var issued atomic.Int64
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/", "/login":
			w.Header().Add("Set-Cookie", fmt.Sprintf("sid=id-number-%d; Path=/; HttpOnly", issued.Add(1)))
			w.Header().Add("Set-Cookie", "theme=dark; Path=/")
		case "/logout":
			w.Header().Add("Set-Cookie", "sid=; Path=/; Max-Age=0")
		}
	})
}

const sessionSteps = `
steps:
  visit: GET /
  login: {request: POST /login, json: {username: "{{username}}"}}
  identity: GET /me
  logout: POST /logout
session: {cookie: sid}
`

func do(t testing.TB, actor probe.Actor, step string, plants ...probe.Plant) {
	t.Helper()
	mustDo(t, actor.Do(context.Background(), step, plants...))
}

func TestEveryActorHasAJarOfItsOwn(t *testing.T) {
	t.Parallel()
	site := sessions(t)
	stage := visit(t, site.URL, sessionSteps)
	one, two := stage.Actor("one"), stage.Actor("two")
	do(t, one, "visit")
	do(t, two, "visit")
	do(t, one, "identity")
	if got := site.last(t).Header.Get("Cookie"); got != "sid=id-number-1; theme=dark" {
		t.Errorf("the first actor sent %q", got)
	}
	do(t, two, "identity")
	if got := site.last(t).Header.Get("Cookie"); got != "sid=id-number-2; theme=dark" {
		t.Errorf("the second actor sent %q", got)
	}
	do(t, stage.Actor("three"), "identity")
	if got := site.last(t).Header.Get("Cookie"); got != "" {
		t.Errorf("a fresh actor sent %q", got)
	}
}

func TestFrozenActorHoldsTheCarrierOnlyAndDoesNotFollow(t *testing.T) {
	t.Parallel()
	site := sessions(t)
	stage := visit(t, site.URL, sessionSteps)
	live := stage.Actor("live")
	do(t, live, "visit")
	frozen := live.Freeze("frozen")
	mustDo(t, live.Login(t.Context(), "alice"))
	do(t, frozen, "identity")
	if got := site.last(t).Header.Get("Cookie"); got != "sid=id-number-1" {
		t.Errorf("the frozen actor sent %q, want the id from before the login and no theme", got)
	}
	do(t, live, "identity")
	if got := site.last(t).Header.Get("Cookie"); got != "sid=id-number-2; theme=dark" {
		t.Errorf("the live actor sent %q, want the id of the login", got)
	}
	do(t, frozen, "visit")
	do(t, live, "identity")
	if got := site.last(t).Header.Get("Cookie"); got != "sid=id-number-2; theme=dark" {
		t.Errorf("the live actor sent %q: it followed the frozen one", got)
	}
}

func TestFrozenActorWearsNoTokenBesideTheCarrier(t *testing.T) {
	t.Parallel()
	site := serve(t, silent)
	stage := visit(t, site.URL, sessionSteps)
	actor := stage.Actor("live")
	actor.Wear(trace.Credential{{Slot: trace.Slot{Kind: trace.InHeader, Name: "X-Device"}, ID: secret.New("device-number-1")}})
	do(t, actor.Freeze("frozen"), "identity")
	if got := site.last(t).Header.Get("X-Device"); got != "" {
		t.Errorf("the frozen actor sent X-Device: %s", got)
	}
}

func TestCopyHoldsTheWholeJarAndDoesNotFollow(t *testing.T) {
	t.Parallel()
	site := sessions(t)
	stage := visit(t, site.URL, sessionSteps)
	live := stage.Actor("live")
	do(t, live, "visit")
	twin := live.Copy("twin")
	mustDo(t, live.Login(t.Context(), "alice"))
	do(t, twin, "identity")
	if got := site.last(t).Header.Get("Cookie"); got != "sid=id-number-1; theme=dark" {
		t.Errorf("the copy sent %q", got)
	}
}

func TestBesideSharesTheConnectionAndNoCookie(t *testing.T) {
	t.Parallel()
	site := sessions(t)
	stage := visit(t, site.URL, sessionSteps)
	victim := stage.Actor("victim")
	do(t, victim, "visit")
	beside, apart := victim.Beside("beside"), stage.Actor("apart")
	for range 3 {
		do(t, victim, "identity")
		do(t, beside, "identity")
		do(t, apart, "identity")
	}
	all := site.all()[1:]
	for i := 0; i < len(all); i += 3 {
		own, shared, other := all[i], all[i+1], all[i+2]
		if shared.Remote != own.Remote {
			t.Errorf("beside came from %s, the victim from %s", shared.Remote, own.Remote)
		}
		if other.Remote == own.Remote {
			t.Errorf("another actor came over the victim's connection %s", own.Remote)
		}
		if got := shared.Header.Get("Cookie"); got != "" {
			t.Errorf("beside sent the cookie %q", got)
		}
		shared.Header.Del("Cookie")
		own.Header.Del("Cookie")
		if diff := cmp.Diff(own.Header, shared.Header); diff != "" {
			t.Errorf("beside sent other headers than the victim (-victim +beside):\n%s", diff)
		}
	}
}

func TestWearReplacesAndCarriesTells(t *testing.T) {
	t.Parallel()
	site := sessions(t)
	stage := visit(t, site.URL, sessionSteps)
	actor := stage.Actor("actor")
	if got := actor.Carries(); got != nil {
		t.Errorf("an empty jar carries %v", ids(got))
	}
	do(t, actor, "visit")
	if diff := cmp.Diff(map[string]string{"cookie sid": "id-number-1"}, ids(actor.Carries())); diff != "" {
		t.Errorf("after the visit it carries (-want +got):\n%s", diff)
	}
	actor.Wear(trace.Credential{{Slot: cookieSlot("sid"), ID: secret.New("planted")}})
	want := map[string]string{"cookie sid": "planted", "cookie theme": "dark"}
	if diff := cmp.Diff(want, ids(actor.Everything())); diff != "" {
		t.Errorf("it holds (-want +got):\n%s", diff)
	}
	do(t, actor, "identity")
	if got := site.last(t).Header.Get("Cookie"); got != "sid=planted; theme=dark" {
		t.Errorf("it sent %q, want the planted id once, in the old one's place", got)
	}
	last := stage.Exchanges()[len(stage.Exchanges())-1]
	if diff := cmp.Diff(map[string]string{"cookie sid": "planted"}, ids(last.Carried)); diff != "" {
		t.Errorf("recorded as carried (-want +got):\n%s", diff)
	}
}

func TestServerReplacesWornCookie(t *testing.T) {
	t.Parallel()
	site := sessions(t)
	actor := visit(t, site.URL, sessionSteps).Actor("actor")
	actor.Wear(trace.Credential{{Slot: cookieSlot("sid"), ID: secret.New("planted")}})
	do(t, actor, "visit")
	if diff := cmp.Diff(map[string]string{"cookie sid": "id-number-1"}, ids(actor.Carries())); diff != "" {
		t.Errorf("it carries (-want +got):\n%s", diff)
	}
}

func TestFrozenBrowserKeepsWhatItsReadsAreToldToForget(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		value := "sid=id-number-1; Path=/"
		if r.URL.Path == "/me" {
			value = "sid=; Path=/; Max-Age=0"
		}
		w.Header().Add("Set-Cookie", value)
	})
	actor := visit(t, site.URL, sessionSteps).Actor("actor")
	do(t, actor, "visit")
	kept := actor.Freeze("frozen")
	for range 2 {
		kept.Identify(t.Context(), "any")
		if got := site.last(t).Header.Get("Cookie"); got != "sid=id-number-1" {
			t.Errorf("the frozen browser sent %q", got)
		}
	}
	actor.Identify(t.Context(), "any")
	if got := actor.Carries(); got != nil {
		t.Errorf("the live browser still carries %v", ids(got))
	}
}

// A cookie at another Path would stand beside the server's own.
func TestWornCookieTakesThePathOfTheServers(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			w.Header().Add("Set-Cookie", "sid=id-number-1; Path=/me")
		}
	})
	stage := visit(t, site.URL, sessionSteps)
	do(t, stage.Actor("somebody before"), "visit")
	actor := stage.Actor("actor")
	actor.Wear(trace.Credential{{Slot: cookieSlot("sid"), ID: secret.New("planted")}})
	do(t, actor, "identity")
	if got := site.last(t).Header.Get("Cookie"); got != "sid=planted" {
		t.Errorf("it sent %q", got)
	}
	do(t, actor, "visit")
	do(t, actor, "identity")
	if got := site.last(t).Header.Get("Cookie"); got != "sid=id-number-1" {
		t.Errorf("after the visit it sent %q", got)
	}
}

func TestOfferedAreAllValuesOfTheLastStep(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Set-Cookie", "sid=first-offer; Path=/")
		w.Header().Add("Set-Cookie", "theme=dark; Path=/")
		w.Header().Add("Set-Cookie", "sid=gone; Path=/; Max-Age=0")
		w.Header().Add("Set-Cookie", "sid=second-offer; Path=/")
	})
	actor := visit(t, site.URL, sessionSteps).Actor("actor")
	do(t, actor, "visit")
	do(t, actor, "identity")
	var got []string
	for _, credential := range actor.Offered() {
		got = append(got, ids(credential)["cookie sid"])
	}
	if diff := cmp.Diff([]string{"first-offer", "second-offer"}, got); diff != "" {
		t.Errorf("offered (-want +got):\n%s", diff)
	}
}

func TestDeletedCookieIsGone(t *testing.T) {
	t.Parallel()
	site := sessions(t)
	actor := visit(t, site.URL, sessionSteps).Actor("actor")
	do(t, actor, "visit")
	do(t, actor, "logout")
	if got := actor.Carries(); !got.IsZero() {
		t.Errorf("after the logout it carries %v", ids(got))
	}
	do(t, actor, "identity")
	if got := site.last(t).Header.Get("Cookie"); got != "theme=dark" {
		t.Errorf("after the logout it sent %q", got)
	}
}

func TestCookieOfAPathCountsWhereIdentityIs(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Set-Cookie", "sid=for-the-api; Path=/api")
		w.Header().Add("Set-Cookie", "sid=for-the-shop; Path=/shop")
	})
	actor := visit(t, site.URL, `
steps: {visit: GET /, identity: GET /api/me, logout: POST /logout}
session: {cookie: sid}
`).Actor("actor")
	do(t, actor, "visit")
	if diff := cmp.Diff(map[string]string{"cookie sid": "for-the-api"}, ids(actor.Carries())); diff != "" {
		t.Errorf("it carries (-want +got):\n%s", diff)
	}
	for step, want := range map[string]string{"identity": "sid=for-the-api", "logout": ""} {
		do(t, actor, step)
		if got := site.last(t).Header.Get("Cookie"); got != want {
			t.Errorf("%s sent %q, want %q", step, got, want)
		}
	}
}

// A target behind a path prefix sets cookies for that path.
func TestBasePathCountsForCookies(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Set-Cookie", "sid=of-the-prefix; Path=/v2")
		w.Header().Add("Set-Cookie", "folder=by-default")
	})
	actor := visit(t, site.URL+"/v2/", "steps: {visit: GET /hello, identity: GET /me}\nsession: {cookie: [sid, folder]}\n").Actor("actor")
	do(t, actor, "visit")
	do(t, actor, "identity")
	if got := site.last(t); got.URI != "/v2/me" || got.Header.Get("Cookie") != "sid=of-the-prefix; folder=by-default" {
		t.Errorf("sent %s with %q", got.URI, got.Header.Get("Cookie"))
	}
	want := map[string]string{"cookie sid": "of-the-prefix", "cookie folder": "by-default"}
	if diff := cmp.Diff(want, ids(actor.Carries())); diff != "" {
		t.Errorf("it carries (-want +got):\n%s", diff)
	}
}

func TestCookiesGoOutInBrowserOrder(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for _, line := range []string{"first=1; Path=/", "second=2; Path=/", "deep=3; Path=/api", "first=4; Path=/", "nameless-value"} {
			w.Header().Add("Set-Cookie", line)
		}
	})
	actor := visit(t, site.URL, "steps: {visit: GET /, identity: GET /api/me}\n").Actor("actor")
	do(t, actor, "visit")
	do(t, actor, "identity")
	if got, want := site.last(t).Header.Get("Cookie"), "deep=3; first=4; second=2; nameless-value"; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
}

func TestSeveralCarriersAreCarriedTogetherOrNotAtAll(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			w.Header().Add("Set-Cookie", "sid=the-id; Path=/")
			return
		}
		w.Header().Add("Set-Cookie", "sig=the-signature; Path=/")
	})
	actor := visit(t, site.URL, "steps: {visit: GET /, login: POST /login, identity: GET /me}\nsession: {cookie: [sid, sig]}\n").Actor("actor")
	do(t, actor, "visit")
	if got := actor.Carries(); got != nil {
		t.Errorf("with one of two it carries %v", ids(got))
	}
	mustDo(t, actor.Login(t.Context(), "alice"))
	want := trace.Credential{{Slot: cookieSlot("sid"), ID: secret.New("the-id")}, {Slot: cookieSlot("sig"), ID: secret.New("the-signature")}}
	if !actor.Carries().Same(want) {
		t.Errorf("it carries %v", ids(actor.Carries()))
	}
	do(t, actor.Freeze("frozen"), "identity")
	if got := site.last(t).Header.Get("Cookie"); got != "sid=the-id; sig=the-signature" {
		t.Errorf("the frozen actor sent %q", got)
	}
}

func TestCookiesThatBrowsersRejectAreKeptAndRecorded(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Set-Cookie", "sid=cross-site; Path=/; SameSite=None")
		w.Header().Add("Set-Cookie", "__Host-sid=with-domain; Path=/app")
		w.Header().Add("Set-Cookie", "other=foreign; Domain=elsewhere.test")
		w.Header().Add("Set-Cookie", "fine=plain; Path=/; Secure")
	})
	stage := visit(t, site.URL, "steps: {visit: GET /, identity: GET /app}\n")
	actor := stage.Actor("actor")
	do(t, actor, "visit")
	do(t, actor, "identity")
	if got, want := site.last(t).Header.Get("Cookie"), "__Host-sid=with-domain; sid=cross-site; fine=plain"; got != want {
		t.Errorf("sent %q, want %q", got, want)
	}
	rejected := map[string]bool{}
	for _, set := range stage.Exchanges()[0].Response.SetCookie {
		rejected[set.Name] = len(set.Rejections) > 0
	}
	want := map[string]bool{"sid": true, "__Host-sid": true, "other": true, "fine": false}
	if diff := cmp.Diff(want, rejected); diff != "" {
		t.Errorf("recorded as rejected (-want +got):\n%s", diff)
	}
}

func TestRecordIsInTheOrderOfSending(t *testing.T) {
	t.Parallel()
	slow := make(chan struct{})
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			<-slow
		}
	})
	stage := visit(t, site.URL, sessionSteps)
	first := make(chan error)
	go func() { first <- stage.Actor("slow").Do(t.Context(), "visit") }()
	waitFor(t, "the slow request", func() bool { return len(site.all()) == 1 })
	do(t, stage.Round("second round").Actor("quick"), "identity")
	close(slow)
	mustDo(t, <-first)
	var got []string
	for i, exchange := range stage.Exchanges() {
		if exchange.Seq != i+1 {
			t.Errorf("exchange %d has the number %d", i+1, exchange.Seq)
		}
		got = append(got, exchange.Flow+"/"+exchange.Round+"/"+exchange.Actor+"/"+exchange.Step+" "+exchange.Request.Line())
	}
	want := []string{"flow//slow/visit GET /", "flow/second round/quick/identity GET /me"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
}
