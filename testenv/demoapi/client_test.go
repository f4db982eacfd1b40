package demoapi_test

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/testenv/demoapi"
)

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
	asAlice  = `{"username":"alice","password":"` + demoapi.AlicePassword + `"}`
	asBob    = `{"username":"bob","password":"` + demoapi.BobPassword + `"}`
)

// maxSessions is the limit of a user, above what any other test needs.
const maxSessions = 30

// client talks to one API and holds no cookies: every request says which
// session id it carries.
type client struct {
	t      *testing.T
	url    string
	http   *http.Client
	cookie string // name of the session cookie
}

// start serves an API with the flaws on a socket of its own.
func start(t *testing.T, flaws ...string) client {
	t.Helper()
	api, err := demoapi.New(flaws...)
	if err != nil {
		t.Fatal(err)
	}
	api.MaxSessions, api.Slowness = maxSessions, 3*headStart
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	web := server.Client()
	web.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c := client{t: t, url: server.URL, http: web}
	c.cookie = c.do("GET", "/", "", "").issued()[0].Name
	return c
}

type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   string
}

// do sends one request with the session id, if there is one, in the cookie.
// headers are pairs of name and value.
func (c client) do(method, path, id, body string, headers ...string) answer {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if id != "" {
		request.Header.Set("Cookie", c.cookie+"="+id)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := c.http.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer{c.t, response.StatusCode, response.Header, string(read)}
}

func (a answer) issued() []*http.Cookie {
	a.t.Helper()
	var cookies []*http.Cookie
	for _, line := range a.header.Values("Set-Cookie") {
		cookie, err := http.ParseSetCookie(line)
		if err != nil {
			a.t.Fatalf("%s: %v", line, err)
		}
		cookies = append(cookies, cookie)
	}
	return cookies
}

// id is the session id a browser holds after the answer, "" if none was issued.
func (a answer) id() string {
	a.t.Helper()
	cookies := a.issued()
	if len(cookies) == 0 {
		return ""
	}
	return cookies[len(cookies)-1].Value
}

func (a answer) json() map[string]any {
	a.t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(a.body), &object); err != nil {
		a.t.Fatalf("%q: %v", a.body, err)
	}
	return object
}

// visit returns the id it was issued, if any, and the number of visits.
func (c client) visit(id string) (issued string, visits int) {
	c.t.Helper()
	got := c.do("GET", "/", id, "")
	if got.status != http.StatusOK {
		c.t.Fatalf("visit: status %d", got.status)
	}
	return got.id(), int(got.json()["visits"].(float64))
}

// anonymous starts a session and returns its id.
func (c client) anonymous() string {
	c.t.Helper()
	id, _ := c.visit("")
	if id == "" || c.me(id) != "" {
		c.t.Fatal("a visit starts no anonymous session")
	}
	return id
}

// login signs in and checks that this works.
func (c client) login(id, credentials string) answer {
	c.t.Helper()
	got := c.do("POST", "/login", id, credentials, "Content-Type", jsonType)
	user := "alice"
	if credentials == asBob {
		user = "bob"
	}
	if got.status >= 400 || c.me(got.id()) != user {
		c.t.Fatalf("login: status %d, signed in as %q", got.status, c.me(got.id()))
	}
	return got
}

// me is the user that the id reads the profile of, "" for nobody.
func (c client) me(id string) string {
	c.t.Helper()
	got := c.do("GET", "/me", id, "")
	switch got.status {
	case http.StatusOK:
		return got.json()["username"].(string)
	case http.StatusUnauthorized:
		return ""
	}
	c.t.Fatalf("GET /me: status %d", got.status)
	return ""
}

func (c client) logout(id string) answer {
	c.t.Helper()
	got := c.do("POST", "/logout", id, "")
	if got.status != http.StatusNoContent {
		c.t.Fatalf("logout: status %d", got.status)
	}
	return got
}

// json sends a body as JSON.
func (c client) json(method, path, id, body string) answer {
	c.t.Helper()
	return c.do(method, path, id, body, "Content-Type", jsonType)
}

func (c client) get(path, id string) (status int) {
	c.t.Helper()
	return c.do("GET", path, id, "").status
}

// changePassword changes that of alice and back, and returns the id that the
// browser has after the first.
func (c client) changePassword(id string) string {
	c.t.Helper()
	const renewed = `{"username":"alice","password":"renewed"}`
	change := func(id, from, to string) string {
		got := c.json("POST", "/password", id, `{"old":"`+from+`","new":"`+to+`"}`)
		if got.status != http.StatusNoContent {
			c.t.Errorf("the password change: %d", got.status)
		}
		return cmp.Or(got.id(), id)
	}
	now := change(id, demoapi.AlicePassword, "renewed")
	if c.json("POST", "/login", "", asAlice).status != http.StatusUnauthorized {
		c.t.Error("the old password still works")
	}
	c.json("POST", "/login", "", renewed)
	return now
}

// token is the CSRF token of a session.
func (c client) token(id string) string {
	c.t.Helper()
	return c.do("GET", "/csrf", id, "").json()["csrf"].(string)
}

// email reports whether a change of the address is accepted.
func (c client) email(id, csrf string) bool {
	c.t.Helper()
	return c.json("POST", "/email", id, `{"csrf":"`+csrf+`"}`).status == http.StatusNoContent
}

// during acts while a request for the path, which takes some time, is under way.
func (c client) during(path, id string, act func()) {
	c.t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.do("GET", path, id, "")
	}()
	time.Sleep(headStart)
	act()
	<-done
}

// headStart lets a request reach the API; there is no way to see it arrive.
const headStart = 20 * time.Millisecond

// sooner reports whether it happens in one of three tries: a machine that is busy
// may lose a race in its own way.
func (c client) sooner(happens func() bool) bool {
	return slices.ContainsFunc([]int{1, 2, 3}, func(int) bool { return happens() })
}
