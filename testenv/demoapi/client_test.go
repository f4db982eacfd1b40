package demoapi_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/testenv/demoapi"
)

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
	asAlice  = `{"username":"alice","password":"` + demoapi.AlicePassword + `"}`
	asBob    = `{"username":"bob","password":"` + demoapi.BobPassword + `"}`
)

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
