package demoapi_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/testenv/demoapi"
)

func TestJourney(t *testing.T) {
	t.Parallel()
	c := start(t)
	first := c.do("GET", "/", "", "")
	id := first.id()
	if first.body != `{"service":"demo","visits":1}`+"\n" {
		t.Errorf("visit: %s", first.body)
	}
	if want := "__Host-sid=" + id + "; Path=/; HttpOnly; Secure; SameSite=Lax"; first.header.Get("Set-Cookie") != want {
		t.Errorf("Set-Cookie %q, want %q", first.header.Get("Set-Cookie"), want)
	}
	for want := 2; want < 5; want++ {
		if issued, visits := c.visit(id); issued != "" || visits != want {
			t.Errorf("visit %d: counted as %d, issued %q", want, visits, issued)
		}
	}
	if got := c.do("GET", "/me", id, ""); got.status != 401 || got.body != `{"detail":"not signed in"}`+"\n" {
		t.Errorf("anonymous profile: %d %s", got.status, got.body)
	}
	login := c.login(id, asAlice)
	if login.status != 200 || login.body != `{"ok":true}`+"\n" {
		t.Errorf("login: %d %s", login.status, login.body)
	}
	me := c.do("GET", "/me", login.id(), "")
	want := map[string]any{"username": "alice", "email": "alice@demo.invalid"}
	if diff := cmp.Diff(want, me.json()); diff != "" {
		t.Errorf("profile (-want +got):\n%s", diff)
	}
	if me.header.Get("Cache-Control") != "no-store" {
		t.Errorf("profile: Cache-Control %q", me.header.Get("Cache-Control"))
	}
	if _, visits := c.visit(login.id()); visits != 1 {
		t.Errorf("the new session begins with %d visits", visits)
	}
	if issued, visits := c.visit(id); issued == "" || visits != 1 {
		t.Errorf("the old session lives on: visit %d", visits)
	}
	if got, want := c.logout(login.id()).header.Get("Set-Cookie"), "__Host-sid=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"; got != want {
		t.Errorf("deletion %q, want %q", got, want)
	}
	if c.me(login.id()) != "" {
		t.Error("the session survives logout")
	}
}

func TestEveryLoginStartsAfresh(t *testing.T) {
	t.Parallel()
	c := start(t)
	first := c.login("", asAlice).id()
	for _, credentials := range []string{asAlice, asBob} {
		next := c.login(first, credentials).id()
		if next == first || c.me(first) != "" {
			t.Error("the session that a login came with lives on")
		}
		first = next
	}
}

func TestLogoutEndsOneSession(t *testing.T) {
	t.Parallel()
	c := start(t)
	one, other := c.login("", asAlice).id(), c.login("", asAlice).id()
	c.logout(one)
	if c.me(other) != "alice" {
		t.Error("logout ends another session")
	}
}

func TestRequestsThatAreRefused(t *testing.T) {
	t.Parallel()
	c := start(t)
	for name, test := range map[string]struct {
		method, path, body string
		headers            []string
		want               int
	}{
		"wrong password":    {"POST", "/login", `{"username":"alice","password":"no"}`, []string{"Content-Type", jsonType}, 401},
		"unknown user":      {"POST", "/login", `{"username":"eve","password":"no"}`, []string{"Content-Type", jsonType}, 401},
		"unknown member":    {"POST", "/login", strings.Replace(asAlice, "}", `,"admin":"1"}`, 1), []string{"Content-Type", jsonType}, 400},
		"member's case":     {"POST", "/login", strings.Replace(asAlice, "username", "Username", 1), []string{"Content-Type", jsonType}, 400},
		"missing member":    {"POST", "/login", `{"username":"alice"}`, []string{"Content-Type", jsonType}, 400},
		"wrong type":        {"POST", "/login", `{"username":"alice","password":["no"]}`, []string{"Content-Type", jsonType}, 400},
		"null":              {"POST", "/login", `{"username":"alice","password":null}`, []string{"Content-Type", jsonType}, 400},
		"no object":         {"POST", "/login", `null`, []string{"Content-Type", jsonType}, 400},
		"trailing data":     {"POST", "/login", asAlice + "{}", []string{"Content-Type", jsonType}, 400},
		"no content type":   {"POST", "/login", asAlice, nil, 415},
		"a form":            {"POST", "/login", "username=alice&password=no", []string{"Content-Type", formType}, 415},
		"too long":          {"POST", "/login", `{"username":"` + strings.Repeat("a", 64<<10) + `"}`, []string{"Content-Type", jsonType}, 413},
		"other origin":      {"POST", "/login", asAlice, []string{"Content-Type", jsonType, "Origin", "https://attacker.example"}, 403},
		"other site":        {"POST", "/login", asAlice, []string{"Content-Type", jsonType, "Sec-Fetch-Site", "cross-site"}, 403},
		"unknown path":      {"GET", "/unknown", "", nil, 404},
		"matrix parameters": {"POST", "/login;jsessionid=x", asAlice, []string{"Content-Type", jsonType}, 404},
		"login by GET":      {"GET", "/login", "", nil, 405},
	} {
		if got := c.do(test.method, test.path, "", test.body, test.headers...); got.status != test.want || got.id() != "" {
			t.Errorf("%s: status %d, want %d; issued %d cookies", name, got.status, test.want, len(got.issued()))
		}
	}
}

func TestTwoSessionCookiesAreNone(t *testing.T) {
	t.Parallel()
	c := start(t)
	alice, bob := c.login("", asAlice).id(), c.login("", asBob).id()
	both := "__Host-sid=" + alice + "; __Host-sid=" + bob
	if got := c.do("GET", "/me", "", "", "Cookie", both); got.status != http.StatusUnauthorized {
		t.Errorf("status %d: %s", got.status, got.body)
	}
}

// A flaw of the login must not open other doors: it reads one more place, and
// nothing but what fits into a cookie.
func TestChosenIDsThatFitNoCookieAreIgnored(t *testing.T) {
	t.Parallel()
	c := start(t, "session-id-accepted-in-query")
	for _, id := range []string{"", "a%3BDomain=example.org", "a%0D%0ASet-Cookie:x=1", "%C3%A9", strings.Repeat("a", 1025)} {
		got := c.do("POST", "/login?session_id="+id, "", asAlice, "Content-Type", jsonType)
		if len(got.id()) != 43 || c.me(got.id()) != "alice" {
			t.Errorf("%q: status %d, id of %d bytes", id, got.status, len(got.id()))
		}
	}
}

func TestChosenIDReplacesALiveSession(t *testing.T) {
	t.Parallel()
	c := start(t, "session-id-accepted-in-header", "duplicate-set-cookie")
	alice := c.login("", asAlice).issued()
	chosen, other := alice[0].Value, alice[1].Value
	c.do("POST", "/login", "", asBob, "Content-Type", jsonType, "X-Session-ID", chosen)
	if c.me(chosen) != "bob" || c.me(other) != "" {
		t.Errorf("the chosen id reads %q, the other one of that session %q", c.me(chosen), c.me(other))
	}
}

// Re-authentication inside a session is a rule of its own.
func TestCrossUserReuseStillRotatesForTheSameUser(t *testing.T) {
	t.Parallel()
	c := start(t, "cross-user-session-reuse")
	old := c.login("", asAlice).id()
	if c.login(old, asAlice).id() == old || c.me(old) != "" {
		t.Error("the id is kept")
	}
}

func TestLogoutEndsEveryIDOfASession(t *testing.T) {
	t.Parallel()
	c := start(t, "session-fixation-dangling-id", "duplicate-set-cookie")
	old := c.anonymous()
	issued := c.login(old, asAlice).issued()
	c.logout(issued[1].Value)
	for _, id := range []string{old, issued[0].Value, issued[1].Value} {
		if c.me(id) != "" {
			t.Error("an id survives the logout of its session")
		}
	}
}

// A Domain made of the Host would be another flaw.
func TestDomainIsTheAddressOfTheAPI(t *testing.T) {
	t.Parallel()
	api, err := demoapi.New("session-cookie-domain-too-broad")
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{"127.0.0.1:8000": "Domain=127.0.0.1", "[::1]:8000": ""} {
		local, err := net.ResolveTCPAddr("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		request := httptest.NewRequest("GET", "/", nil)
		request = request.WithContext(context.WithValue(request.Context(), http.LocalAddrContextKey, local))
		request.Host = "app.example.org"
		recorder := httptest.NewRecorder()
		api.ServeHTTP(recorder, request)
		line := recorder.Header().Get("Set-Cookie")
		if !strings.Contains(line, want) || strings.Contains(line, "Domain") != (want != "") {
			t.Errorf("%s: %s", address, line)
		}
	}
}

func TestVisitsAreCountedOnceEach(t *testing.T) {
	t.Parallel()
	c := start(t)
	id := c.anonymous()
	const visitors = 20
	var group sync.WaitGroup
	for range visitors {
		group.Go(func() {
			c.visit(id)
			c.login("", asAlice)
		})
	}
	group.Wait()
	if _, visits := c.visit(id); visits != visitors+2 {
		t.Errorf("%d visits, want %d", visits, visitors+2)
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		api, err := demoapi.New()
		if err != nil {
			t.Fatal(err)
		}
		api.Latency = time.Second
		began, recorder := time.Now(), httptest.NewRecorder()
		api.ServeHTTP(recorder, httptest.NewRequest("GET", "/", nil))
		if waited := time.Since(began); waited != api.Latency || recorder.Code != http.StatusOK {
			t.Errorf("waited %s, status %d", waited, recorder.Code)
		}
		gone, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		began, recorder = time.Now(), httptest.NewRecorder()
		api.ServeHTTP(recorder, httptest.NewRequest("GET", "/", nil).WithContext(gone))
		if waited := time.Since(began); waited != time.Millisecond || recorder.Body.Len() > 0 {
			t.Errorf("waited %s for a client that had gone, and wrote %d bytes", waited, recorder.Body.Len())
		}
	})
}

// Whatever a client chooses, the id that a flawed login issues is one that its
// cookie brings back.
func FuzzChosenID(f *testing.F) {
	for _, id := range []string{"x", "fixated-by-attacker", "a b", `"q"`, "a;b", "\x00", "é", " a ", "a,b"} {
		f.Add(id)
	}
	api, err := demoapi.New("session-id-accepted-in-json-body")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, id string) {
		body := strings.NewReader(strings.Replace(asAlice, "}", `,"session_id":`+quote(t, id)+`}`, 1))
		login := httptest.NewRequest("POST", "/login", body)
		login.Header.Set("Content-Type", jsonType)
		answered := httptest.NewRecorder()
		api.ServeHTTP(answered, login)
		if answered.Code != http.StatusOK {
			t.Fatalf("login: %d %s", answered.Code, answered.Body)
		}
		pair, _, _ := strings.Cut(answered.Header().Get("Set-Cookie"), ";")
		me := httptest.NewRequest("GET", "/me", nil)
		me.Header.Set("Cookie", pair)
		answered = httptest.NewRecorder()
		api.ServeHTTP(answered, me)
		if answered.Code != http.StatusOK {
			t.Errorf("cookie %q is not signed in", pair)
		}
		logout := httptest.NewRequest("POST", "/logout", nil) // keeps the store small
		logout.Header.Set("Cookie", pair)
		api.ServeHTTP(httptest.NewRecorder(), logout)
	})
}

func quote(t *testing.T, text string) string {
	t.Helper()
	encoded, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}
