package browser_test

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// redirects answers /from/STATUS with a redirect and a cookie, and the rest with 200.
func redirects(t testing.TB, location string) *site {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		if status, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/from/")); err == nil {
			w.Header().Set("Location", location)
			w.Header().Add("Set-Cookie", "sid=of-the-redirect; Path=/")
			w.WriteHeader(status)
		}
	})
}

func TestRedirectIsFollowedOnlyWhereTheRecipeSaysSo(t *testing.T) {
	t.Parallel()
	site := redirects(t, "/home")
	stage := visit(t, site.URL, "steps: {visit: GET /from/302}")
	do(t, stage.Actor("actor"), "visit")
	if diff := cmp.Diff([]string{"GET /from/302"}, site.lines()); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	if got := stage.Exchanges()[0].Response; got.Status != 302 || got.Get("location").Reveal() != "/home" {
		t.Errorf("recorded %d to %q", got.Status, got.Get("location").Reveal())
	}
}

func TestRedirectMethods(t *testing.T) {
	t.Parallel()
	cases := []struct {
		request string
		status  int
		want    string
	}{
		{"POST", 301, "GET  "}, {"POST", 302, "GET  "}, {"POST", 303, "GET  "}, {"PUT", 303, "GET  "},
		{"POST", 307, "POST a=1 application/x-www-form-urlencoded"}, {"POST", 308, "POST a=1 application/x-www-form-urlencoded"},
		{"PUT", 302, "PUT a=1 application/x-www-form-urlencoded"},
	}
	for _, c := range cases {
		t.Run(c.request+" "+strconv.Itoa(c.status), func(t *testing.T) {
			t.Parallel()
			site := redirects(t, "/home?then=1")
			stage := visit(t, site.URL, "steps: {login: {request: "+c.request+" /from/"+strconv.Itoa(c.status)+", form: {a: 1}, headers: {X-Key: k}, follow: true}, visit: GET /home}")
			mustDo(t, stage.Actor("actor").Login(t.Context(), "alice"))
			last := site.last(t)
			if got := last.Method + " " + last.Body + " " + last.Header.Get("Content-Type"); got != c.want || last.URI != "/home?then=1" {
				t.Errorf("sent %q to %s, want %q", got, last.URI, c.want)
			}
			if last.Header.Get("Cookie") != "sid=of-the-redirect" || last.Header.Get("X-Key") != "k" {
				t.Errorf("the hop carried the cookie %q and X-Key %q", last.Header.Get("Cookie"), last.Header.Get("X-Key"))
			}
			first, hop := stage.Exchanges()[0], stage.Exchanges()[1]
			if first.Hop != 0 || hop.Hop != 1 || hop.Step != "login" || hop.Request.Path != "/home" || first.Response.Status != c.status {
				t.Errorf("recorded hop %d %s (%d) and hop %d %s", first.Hop, first.Request.Line(), first.Response.Status, hop.Hop, hop.Request.Line())
			}
			if first.Request.Header == nil || first.Carried != nil {
				t.Errorf("the first request is recorded with %v", ids(first.Carried))
			}
		})
	}
}

func TestRedirectLocations(t *testing.T) {
	t.Parallel()
	cases := []struct{ location, want string }{
		{"home", "/from/home"},
		{"../up", "/up"},
		{"?q=1", "/from/302?q=1"},
		{"/a%2Fb;p=1?q=a b#fragment", "/a%2Fb;p=1?q=a%20b"},
		{"https://{host}/tls", "/tls"}, // behind a proxy that ends TLS
		{"//{host}/same", "/same"},
		{"http://{host}", "/"},
		{"http://{host}//double", "//double"},
	}
	for _, c := range cases {
		t.Run(c.location, func(t *testing.T) {
			t.Parallel()
			var host string
			site := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/from/302" && r.URL.RawQuery == "" {
					w.Header().Set("Location", strings.ReplaceAll(c.location, "{host}", host))
					w.WriteHeader(http.StatusFound)
				}
			})
			host = strings.TrimPrefix(site.URL, "http://")
			do(t, visit(t, site.URL, "steps: {visit: {request: GET /from/302, follow: true}}").Actor("actor"), "visit")
			if got := site.last(t).URI; got != c.want {
				t.Errorf("sent %s, want %s", got, c.want)
			}
		})
	}
}

func TestRedirectsThatAreNotFollowed(t *testing.T) {
	t.Parallel()
	cases := []struct{ location, want string }{
		{"http://elsewhere.test/canary", "GET /from/302 redirects to another host, which is not followed; end the step before it"},
		{"//127.0.0.1:1/canary", "another host"},
		{"javascript:canary", "another host"},
		{"http://%zz/canary", "redirects to something that is no URL"},
		{"", "answered 302 without a Location"},
	}
	for _, c := range cases {
		site := redirects(t, c.location)
		stage := visit(t, site.URL, "steps: {visit: {request: GET /from/302, follow: true}}")
		err := stage.Actor("actor").Do(t.Context(), "visit")
		wantError(t, err, "step visit: ", c.want)
		if strings.Contains(err.Error(), "canary") {
			t.Errorf("the error %q quotes the Location", err)
		}
		if len(site.lines()) != 1 || len(stage.Exchanges()) != 1 {
			t.Errorf("to %q: sent %q, recorded %d", c.location, site.lines(), len(stage.Exchanges()))
		}
	}
}

func TestRedirectLoopEnds(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"x", http.StatusFound) })
	stage := visit(t, site.URL, "steps: {visit: {request: GET /canary, follow: true}}")
	err := stage.Actor("actor").Do(t.Context(), "visit")
	wantError(t, err, "step visit: GET /canary (redirected) redirects more than 10 times")
	if n := len(site.lines()); n != 11 {
		t.Errorf("%d requests were sent, want the first and 10 more", n)
	}
	for i, exchange := range stage.Exchanges() {
		if exchange.Hop != i {
			t.Errorf("request %d is recorded as hop %d", i, exchange.Hop)
		}
	}
}

// The server chooses the path of a redirect and may write a session id into it.
func TestRedirectedPathIsNotShown(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			http.Redirect(w, r, "/s/canary-of-the-path/home;sid=canary", http.StatusFound)
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
	})
	stage := visit(t, site.URL, "steps: {login: {request: POST /login, follow: true}}")
	err := stage.Actor("actor").Login(t.Context(), "alice")
	wantError(t, err, "step login: GET /login (redirected) answered 500, expected a status below 400")
	if got := stage.Exchanges()[1].Request.URL; got != secret.New(site.URL+"/s/canary-of-the-path/home;sid=canary") {
		t.Error("the URL is not recorded as it was sent")
	}
}

func TestRedirectBelowABasePath(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v2/login":
			http.Redirect(w, r, "/v2/home", http.StatusFound)
		case "/v2/home":
			http.Redirect(w, r, "/outside", http.StatusFound)
		case "/outside":
			http.Redirect(w, r, "/v2/me", http.StatusFound)
		}
	})
	stage := visit(t, site.URL+"/v2", "steps: {login: {request: POST /login, follow: true}, identity: GET /me}")
	mustDo(t, stage.Actor("actor").Login(t.Context(), "alice"))
	if diff := cmp.Diff([]string{"POST /v2/login", "GET /v2/home", "GET /outside", "GET /v2/me"}, site.lines()); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	if got := stage.Exchanges()[3].Request.Line(); got != "GET /me" {
		t.Errorf("the last hop is called %q", got)
	}
}

// A Location is a whole URL: what the server put there already is not put there again.
func TestRedirectWithTheIdInItsURL(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ location, want string }{
		`{query: sid}`:          {"/home?sid=of-the-server", "/home?sid=of-the-server"},
		`{query:   sid}`:        {"/home", "/home?sid=worn-id"},
		`{path: "/s/{{sid}}/"}`: {"/s/of-the-server/home", "/s/of-the-server/home"},
		`{path: "/s/{{sid}}"}`:  {"/home", "/s/worn-id/home"},
	}
	for session, c := range cases {
		site := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/login") {
				http.Redirect(w, r, c.location, http.StatusFound)
			}
		})
		stage := visit(t, site.URL, "steps: {visit: {request: GET /, capture: {sid: {header: X}}}, login: {request: POST /login, follow: true}}\nsession: "+session)
		actor := stage.Actor("actor")
		actor.Wear(trace.Credential{{Slot: stage.Facts().Carrier[0], ID: secret.New("worn-id")}})
		mustDo(t, actor.Login(t.Context(), "alice"))
		if got := site.last(t).URI; got != c.want {
			t.Errorf("%s: sent %s, want %s", session, got, c.want)
		}
	}
}

// A hop records the plant only while it holds it.
func TestPlantAcrossARedirect(t *testing.T) {
	t.Parallel()
	cases := []struct {
		plant  probe.Plant
		status int
		held   bool
	}{
		{plant(probe.Header, "X-Sid"), 303, true},
		{plant(probe.Header, "X-Sid"), 307, true},
		{plant(probe.Form, "sid"), 303, false},
		{plant(probe.Form, "sid"), 307, true},
		{plant(probe.Query, "sid"), 307, false},
		{plant(probe.Path, "sid"), 307, false},
	}
	for _, c := range cases {
		site := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/login") {
				http.Redirect(w, r, "/home", c.status)
			}
		})
		stage := visit(t, site.URL, "steps: {login: {request: POST /login, form: {user: a}, follow: true}}")
		mustDo(t, stage.Actor("actor").Login(t.Context(), "alice", c.plant))
		last := site.last(t)
		sent := strings.Contains(last.URI+last.Body+last.Header.Get("X-Sid"), "planted-id")
		recorded := !stage.Exchanges()[1].Planted.ID.IsZero()
		if sent != c.held || recorded != c.held {
			t.Errorf("%s after %d: sent %v, recorded %v; want %v", c.plant.Channel, c.status, sent, recorded, c.held)
		}
	}
}

func TestRefusalAtTheEndOfARedirect(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			http.Redirect(w, r, "/home", http.StatusFound)
			return
		}
		w.WriteHeader(http.StatusForbidden)
	})
	err := visit(t, site.URL, "steps: {login: {request: POST /login, follow: true}, visit: GET /home}").Actor("actor").Login(t.Context(), "alice")
	var refused *probe.Refused
	if !errors.As(err, &refused) || refused.Line != "GET /home" || refused.Status != http.StatusForbidden {
		t.Errorf("the error is %v", err)
	}
}
