package app_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/sessiongate/sessiongate/internal/finding"
)

// shop is a hardened API whose ways of asking and answering can be bent into
// the awkward shapes of real ones. Its session handling stays right.
type shop struct {
	mu       sync.Mutex
	sessions map[string]string // id -> user; "" is anonymous
	single   bool              // a login ends the user's other sessions

	carry  func(w http.ResponseWriter, id string) // hands an id to the client
	read   func(r *http.Request) string           // finds the id in a request
	routes map[string]func(http.ResponseWriter, *http.Request)
}

var shopUsers = map[string]string{"alice": "alice-pw-123", "bob": "bob-pw-456"}

func newID() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw)
	return base64.RawURLEncoding.EncodeToString(raw)
}

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if http.NewCrossOriginProtection().Check(r) != nil {
		http.Error(w, "cross-origin", http.StatusForbidden)
		return
	}
	if handler, known := s.routes[r.Method+" "+r.URL.Path]; known {
		handler(w, r)
		return
	}
	http.NotFound(w, r)
}

func (s *shop) user(r *http.Request) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[s.read(r)]
}

func (s *shop) begin(r *http.Request, user string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, s.read(r))
	if s.single {
		for id, other := range s.sessions {
			if other == user && user != "" {
				delete(s.sessions, id)
			}
		}
	}
	id := newID()
	s.sessions[id] = user
	return id
}

func (s *shop) end(r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, s.read(r))
}

func cookieShop(name, path string) *shop {
	s := &shop{sessions: map[string]string{}, routes: map[string]func(http.ResponseWriter, *http.Request){}}
	s.carry = func(w http.ResponseWriter, id string) {
		http.SetCookie(w, &http.Cookie{Name: name, Value: id, Path: path, HttpOnly: true, Secure: true, SameSite: http.SameSiteStrictMode})
	}
	s.read = func(r *http.Request) string {
		if c, err := r.Cookie(name); err == nil {
			return c.Value
		}
		return ""
	}
	return s
}

func (s *shop) credentials(r *http.Request) (user string, ok bool) {
	var given struct{ Username, Password string }
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		if json.NewDecoder(r.Body).Decode(&given) != nil {
			return "", false
		}
	} else {
		given.Username, given.Password = r.PostFormValue("username"), r.PostFormValue("password")
	}
	want, known := shopUsers[given.Username]
	return given.Username, known && want == given.Password
}

func (s *shop) jsonRoutes() *shop {
	s.routes["POST /login"] = func(w http.ResponseWriter, r *http.Request) {
		user, ok := s.credentials(r)
		if !ok {
			http.Error(w, `{"error":"no"}`, http.StatusUnauthorized)
			return
		}
		s.carry(w, s.begin(r, user))
		_, _ = w.Write([]byte(`{"ok":true}`))
	}
	s.routes["GET /me"] = func(w http.ResponseWriter, r *http.Request) {
		if user := s.user(r); user != "" {
			_ = json.NewEncoder(w).Encode(map[string]string{"name": user})
			return
		}
		http.Error(w, `{"error":"sign in"}`, http.StatusUnauthorized)
	}
	s.routes["POST /logout"] = func(w http.ResponseWriter, r *http.Request) {
		s.end(r)
		w.WriteHeader(http.StatusNoContent)
	}
	s.routes["GET /"] = func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte("{}")) }
	return s
}

const shopRecipe = `version: 1
target: {url: %s}
users: [{name: alice, password: alice-pw-123}, {name: bob, password: bob-pw-456}]
steps:
  visit: {request: GET /}
  login: {request: POST /login, json: {username: "{{username}}", password: "{{password}}"}}
  identity: {request: GET /me}
  logout: {request: POST /logout}
`

// Hardened APIs of awkward shape give no finding above low, and no core probe
// is left open.
func TestAwkwardShapesAreLeftAlone(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		api    http.Handler
		recipe func(string) string
		expect string // the carrier
	}{
		"a form with a CSRF token, redirects and pages": {csrfShop(), func(text string) string {
			text = strings.Replace(text, `login: {request: POST /login, json: {username: "{{username}}", password: "{{password}}"}}`,
				`login:
    - {request: GET /login, capture: {csrf: {html: "input[name=csrf]"}}}
    - {request: POST /login, form: {csrf: "{{csrf}}", username: "{{username}}", password: "{{password}}"}, follow: true}`, 1)
			return text
		}, "cookie __Host-shop"},
		"a login that answers 200 on failure, strangers that get 200": {politeShop(), nil, "cookie __Host-shop"},
		"one session a user": {singleShop(), nil, "cookie __Host-shop"},
		"a cookie below a path": {pathShop(), func(text string) string {
			return strings.Replace(text, "POST /logout", "POST /me/logout", 1)
		}, "cookie __Secure-shop"},
		"two cookies together":                      {twoCookieShop(), nil, "cookie a and cookie b"},
		"other cookies beside it":                   {noisyShop(), nil, "cookie __Host-shop"},
		"an id that is signed anew in every answer": {rollingShop(), nil, "cookie __Host-shop"},
		"a bearer token": {tokenShop(), func(text string) string {
			return strings.Replace(text, `"{{password}}"}}`, `"{{password}}"}, capture: {token: {json: $.token}}}`, 1) + "session: {bearer: \"{{token}}\"}\n"
		}, "header Authorization"},
		"a header of its own": {headerShop(), func(text string) string { return text + "session: {header: X-Shop-Session}\n" }, "header X-Shop-Session"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := fmt.Sprintf(shopRecipe, serve(t, test.api))
			if test.recipe != nil {
				text = test.recipe(text)
			}
			made := scan(t, text)
			for _, found := range made.Findings {
				if found.Rule.Severity >= 40 {
					t.Errorf("%s: %s\n%v", found.Rule.ID, found.Message, found.Evidence)
				}
			}
			if made.Gate.ExitCode != 0 || made.Calibration.Carrier != test.expect {
				t.Errorf("gate %+v, carrier %q", made.Gate, made.Calibration.Carrier)
			}
			for _, row := range made.Results {
				if row.Rule.Core && row.Outcome == finding.NotTested && row.Reason.Code.Blocks() {
					t.Errorf("%s: %s", row.Rule.ID, row.Reason)
				}
			}
		})
	}
}

func csrfShop() *shop {
	s := cookieShop("__Host-shop", "/").jsonRoutes()
	tokens := map[string]bool{}
	var mu sync.Mutex
	s.routes["GET /login"] = func(w http.ResponseWriter, r *http.Request) {
		token := newID()
		mu.Lock()
		tokens[token] = true
		mu.Unlock()
		http.SetCookie(w, &http.Cookie{Name: "csrf", Value: token, Path: "/", Secure: true, SameSite: http.SameSiteLaxMode})
		fmt.Fprintf(w, `<html><form><input type="hidden" name="csrf" value="%s"></form></html>`, token)
	}
	s.routes["POST /login"] = func(w http.ResponseWriter, r *http.Request) {
		token, err := r.Cookie("csrf")
		mu.Lock()
		known := err == nil && tokens[token.Value] && token.Value == r.PostFormValue("csrf")
		mu.Unlock()
		user, ok := s.credentials(r)
		if !known || !ok {
			http.Error(w, "<html>try again</html>", http.StatusForbidden)
			return
		}
		s.carry(w, s.begin(r, user))
		http.Redirect(w, r, "/account", http.StatusFound)
	}
	page := func(w http.ResponseWriter, r *http.Request) {
		user := s.user(r)
		if user == "" {
			http.Redirect(w, r, "/login", http.StatusFound)
			return
		}
		fmt.Fprintf(w, "<html><h1>Account</h1><p>Signed in as <b>%s</b></p><i>%s</i></html>", user, newID())
	}
	s.routes["GET /me"], s.routes["GET /account"] = page, page
	return s
}

func politeShop() *shop {
	s := cookieShop("__Host-shop", "/").jsonRoutes()
	s.routes["POST /login"] = func(w http.ResponseWriter, r *http.Request) {
		user, ok := s.credentials(r)
		if !ok {
			_, _ = w.Write([]byte(`{"success":false}`))
			return
		}
		s.carry(w, s.begin(r, user))
		_, _ = w.Write([]byte(`{"success":true}`))
	}
	s.routes["GET /me"] = func(w http.ResponseWriter, r *http.Request) {
		user := s.user(r)
		_ = json.NewEncoder(w).Encode(map[string]any{"authenticated": user != "", "user": user})
	}
	return s
}

func singleShop() *shop {
	s := cookieShop("__Host-shop", "/").jsonRoutes()
	s.single = true
	return s
}

func pathShop() *shop {
	s := cookieShop("__Secure-shop", "/me").jsonRoutes()
	s.routes["POST /me/logout"] = s.routes["POST /logout"]
	return s
}

func twoCookieShop() *shop {
	s := cookieShop("a", "/").jsonRoutes()
	s.carry = func(w http.ResponseWriter, id string) {
		for name, part := range map[string]string{"a": id[:20], "b": id[20:]} {
			http.SetCookie(w, &http.Cookie{Name: name, Value: part, Path: "/", HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode})
		}
	}
	s.read = func(r *http.Request) string {
		a, errA := r.Cookie("a")
		b, errB := r.Cookie("b")
		if errA != nil || errB != nil {
			return ""
		}
		return a.Value + b.Value
	}
	return s
}

func noisyShop() http.Handler {
	s := cookieShop("__Host-shop", "/").jsonRoutes()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"locale", "_ga", "session_hint", "lb"} {
			http.SetCookie(w, &http.Cookie{Name: name, Value: "x-" + newID()[:8], Path: "/"})
		}
		s.ServeHTTP(w, r)
	})
}

// rollingShop signs the id with a fresh salt in every answer: the cookie never
// has the same value twice, the session does not change.
func rollingShop() http.Handler {
	key := []byte(newID())
	sign := func(id string) string {
		salt := newID()[:16]
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(salt + id))
		return salt + id + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
	}
	s := cookieShop("__Host-shop", "/").jsonRoutes()
	plain := s.carry
	s.carry = func(w http.ResponseWriter, id string) { plain(w, sign(id)) }
	s.read = func(r *http.Request) string {
		c, err := r.Cookie("__Host-shop")
		if err != nil || len(c.Value) != 16+43+43 {
			return ""
		}
		salt, id := c.Value[:16], c.Value[16:59]
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(salt + id))
		if base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) != c.Value[59:] {
			return ""
		}
		return id
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id := s.read(r); s.user(r) != "" && r.URL.Path == "/me" {
			s.carry(w, id)
		}
		s.ServeHTTP(w, r)
	})
}

func tokenShop() *shop {
	s := cookieShop("", "").jsonRoutes()
	s.read = func(r *http.Request) string {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		return token
	}
	s.carry = func(w http.ResponseWriter, id string) { fmt.Fprintf(w, `{"token":"%s"}`, id) }
	s.routes["POST /login"] = func(w http.ResponseWriter, r *http.Request) {
		user, ok := s.credentials(r)
		if !ok {
			http.Error(w, `{}`, http.StatusUnauthorized)
			return
		}
		s.carry(w, s.begin(r, user))
	}
	return s
}

func headerShop() *shop {
	s := cookieShop("", "").jsonRoutes()
	s.read = func(r *http.Request) string { return r.Header.Get("X-Shop-Session") }
	s.carry = func(w http.ResponseWriter, id string) { w.Header().Set("X-Shop-Session", id) }
	return s
}

// Browsers drop a cookie of more than 4 KiB, and API clients do not: the session
// is found, and what is wrong with it is said.
func TestACookieThatBrowsersDropForItsLength(t *testing.T) {
	t.Parallel()
	long := cookieShop("__Host-shop", "/").jsonRoutes()
	padding := strings.Repeat("x", 5000)
	carry, read := long.carry, long.read
	long.carry = func(w http.ResponseWriter, id string) { carry(w, id+padding) }
	long.read = func(r *http.Request) string { return strings.TrimSuffix(read(r), padding) }
	made := scan(t, fmt.Sprintf(shopRecipe, serve(t, long)))
	if made.Problem != "" {
		t.Fatal(made.Problem)
	}
	if row := row(t, made, "session-cookie-rejected-by-browser"); row.Outcome != finding.Fail {
		t.Errorf("%s %s", row.Outcome, row.Reason)
	}
}
