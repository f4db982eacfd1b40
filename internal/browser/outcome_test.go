package browser_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// statuses answers /STATUS with it.
func statuses(t testing.TB) *site {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		if status, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/")); err == nil {
			w.WriteHeader(status)
		}
	})
}

func TestExpectations(t *testing.T) {
	t.Parallel()
	cases := []struct {
		status int
		expect string
		wanted string // of a refusal; "" where there is none
	}{
		{200, "", ""}, {302, "", ""}, {399, "", ""},
		{400, "", "a status below 400"}, {401, "", "a status below 400"}, {500, "", "a status below 400"}, {999, "", "a status below 400"},
		{401, ", expect: 401", ""}, {200, ", expect: 401", "401"},
		{302, ", expect: [200, 302]", ""}, {204, ", expect: [200, 302]", "200 or 302"},
	}
	site := statuses(t)
	for _, c := range cases {
		path := "/" + strconv.Itoa(c.status)
		err := visit(t, site.URL, "steps: {login: {request: POST "+path+c.expect+"}}").Actor("actor").Login(t.Context(), "alice")
		if c.wanted == "" {
			if err != nil {
				t.Errorf("%d%s: %v", c.status, c.expect, err)
			}
			continue
		}
		var got *probe.Refused
		if !errors.As(err, &got) {
			t.Errorf("%d%s: %v, want a refusal", c.status, c.expect, err)
			continue
		}
		if diff := cmp.Diff(&probe.Refused{Step: "login", Line: "POST " + path, Status: c.status, Wanted: c.wanted}, got); diff != "" {
			t.Errorf("%d%s (-want +got):\n%s", c.status, c.expect, diff)
		}
	}
}

func TestRefusalEndsTheStep(t *testing.T) {
	t.Parallel()
	site := statuses(t)
	err := visit(t, site.URL, "steps: {login: [GET /200, GET /403, GET /204]}").Actor("actor").Login(t.Context(), "alice")
	wantError(t, err, "step login: GET /403 answered 403, expected a status below 400")
	if diff := cmp.Diff([]string{"GET /200", "GET /403"}, site.lines()); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		handle http.HandlerFunc
		want   trace.Who
	}{
		{"a user", answers(`{"name": "alice"}`), trace.Who{Kind: trace.SignedIn, User: "alice"}},
		{"a stranger, whatever the status", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, trace.Who{Kind: trace.Anonymous}},
		{"something else", answers("hello"), trace.Who{Kind: trace.Unknown}},
		{"too many", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, trace.Who{Kind: trace.TooMany}},
		{"no answer", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, trace.Who{Kind: trace.Broken}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			stage := visit(t, serve(t, c.handle).URL, "steps: {identity: [GET /me]}")
			if got := stage.Actor("actor").Identify(t.Context(), "after"); got != c.want {
				t.Errorf("it is %v, want %v", got, c.want)
			}
			exchange := stage.Exchanges()[0]
			if exchange.Who != c.want || exchange.Moment != "after" {
				t.Errorf("recorded %v at %q", exchange.Who, exchange.Moment)
			}
		})
	}
}

// Of several requests the last is the read; one that lacks what it should
// capture is one too: a stranger's page has no token.
func TestIdentifyInSeveralRequests(t *testing.T) {
	t.Parallel()
	const steps = `
steps:
  identity:
    - {request: GET /page, capture: {token: {header: X-Token}}}
    - {request: GET /me, headers: {X-Token: "{{token}}"}}
`
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/me":
			_, _ = w.Write([]byte("alice"))
		case r.Header.Get("Cookie") != "":
			w.Header().Set("X-Token", "t")
		default:
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	stage := visit(t, site.URL, steps)
	stranger, user := stage.Actor("stranger"), stage.Actor("user")
	if got := stranger.Identify(t.Context(), "before"); !got.IsAnonymous() {
		t.Errorf("the stranger is %v", got)
	}
	user.Wear(trace.Credential{{Slot: cookieSlot("sid")}})
	if got := user.Identify(t.Context(), "after"); !got.Is("alice") {
		t.Errorf("the user is %v", got)
	}
	var got []string
	for _, exchange := range stage.Exchanges() {
		got = append(got, exchange.Request.Line()+" "+exchange.Who.String()+" "+exchange.Moment)
	}
	want := []string{"GET /page anonymous before", "GET /page not read ", "GET /me alice after"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
}

func TestIdentifyWithoutAnIdentityStep(t *testing.T) {
	t.Parallel()
	stage := visit(t, serve(t, silent).URL, "steps: {visit: GET /}")
	if got := stage.Actor("actor").Identify(t.Context(), "after"); got.Kind != trace.Broken {
		t.Errorf("it is %v", got)
	}
	if got := stage.Exchanges(); len(got) != 0 {
		t.Errorf("recorded %d exchanges", len(got))
	}
}

func TestNothingIsSentAfterA429(t *testing.T) {
	t.Parallel()
	var limited atomic.Bool
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			limited.Store(true)
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	world := newWorld(t, site.URL, "steps: {visit: GET /, login: [GET /, POST /login, GET /], identity: GET /me}")
	stage := openStage(t, world, trace.Facts{})
	actor := stage.Actor("actor")
	err := actor.Login(t.Context(), "alice")
	wantError(t, err, "step login: POST /login: the API answered 429 Too Many Requests")
	sent := len(site.lines())
	other := openStage(t, world, trace.Facts{}).Actor("in another flow")
	for name, err := range map[string]error{
		"429 itself": err, "Do": actor.Do(t.Context(), "visit"), "Login": other.Login(t.Context(), "bob"),
		"LoginAs": other.LoginAs(t.Context(), "bob", trace.LoginForms), "LoginWrong": other.LoginWrong(t.Context(), "bob"),
	} {
		if !errors.Is(err, probe.ErrRateLimited) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if who := other.Identify(t.Context(), "after"); who.Kind != trace.TooMany {
		t.Errorf("identify says %v", who)
	}
	if got := len(site.lines()); got != sent || got != 2 {
		t.Errorf("sent %q", site.lines())
	}
	if got := stage.Exchanges()[1].Response.RetryAfter; got != "60" {
		t.Errorf("Retry-After is recorded as %q", got)
	}
	if world.Requests() != 2 || world.Logins() != 1 {
		t.Errorf("counted %d requests and %d logins", world.Requests(), world.Logins())
	}
}

// A step under way stops as soon as another actor is told to.
func TestA429StopsStepsUnderWay(t *testing.T) {
	t.Parallel()
	arrived, goOn := make(chan struct{}), make(chan struct{})
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			close(arrived)
			<-goOn
			http.Redirect(w, r, "/never", http.StatusFound)
		case "/limited":
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	stage := visit(t, site.URL, "steps: {login: {request: POST /slow, follow: true}, visit: GET /limited}")
	done := make(chan error)
	go func() { done <- stage.Actor("slow").Login(context.Background(), "alice") }()
	<-arrived
	if err := stage.Actor("quick").Do(t.Context(), "visit"); !errors.Is(err, probe.ErrRateLimited) {
		t.Errorf("the quick one: %v", err)
	}
	close(goOn)
	if err := <-done; !errors.Is(err, probe.ErrRateLimited) {
		t.Errorf("the slow one: %v", err)
	}
	if diff := cmp.Diff([]string{"POST /slow", "GET /limited"}, site.lines()); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
}

func TestCancelledContextEndsAtOnce(t *testing.T) {
	t.Parallel()
	for way, id := range ways {
		ctx, cancel := context.WithCancel(t.Context())
		target := listen(t, func(connection net.Conn) {
			cancel()
			_, _ = io.Copy(io.Discard, connection) // until the client hangs up
		})
		stage := visit(t, target.base(), "steps: {visit: [GET /, GET /again]}", within(time.Minute))
		actor := stage.Actor("actor")
		actor.Wear(trace.Credential{{Slot: cookieSlot("sid"), ID: secret.New(id)}})
		if err := actor.Do(ctx, "visit"); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: the error is %v", way, err)
		}
		got := stage.Exchanges()
		if len(got) != 1 || got[0].Problem != "the request was cancelled" || got[0].Took > 30*time.Second {
			t.Errorf("%s: recorded %d exchanges, the first with %q after %s", way, len(got), got[0].Problem, got[0].Took)
		}
	}
}
