package discover_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sessiongate/sessiongate/internal/browser"
	"github.com/sessiongate/sessiongate/internal/discover"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// api is a server with sessions in memory, whose doors a test arranges.
type api struct {
	*http.ServeMux
	mu       sync.Mutex
	users    map[string]string
	sessions map[string]string
	asked    []string
}

func newAPI() *api {
	return &api{ServeMux: http.NewServeMux(), users: map[string]string{"alice": "pw-a", "bob": "pw-b"}, sessions: map[string]string{}}
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	a.asked = append(a.asked, r.Method+" "+r.URL.Path)
	a.mu.Unlock()
	a.ServeMux.ServeHTTP(w, r)
}

// begin answers a login; how says where the id goes.
func (a *api) begin(w http.ResponseWriter, user, password string, how func(http.ResponseWriter, string)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if known, has := a.users[user]; !has || known != password {
		http.Error(w, "wrong", http.StatusUnauthorized)
		return
	}
	id := fmt.Sprintf("session-%s-%d", user, len(a.sessions))
	a.sessions[id] = user
	how(w, id)
}

func cookie(w http.ResponseWriter, id string) {
	http.SetCookie(w, &http.Cookie{Name: "sid", Value: id, Path: "/"})
	fmt.Fprint(w, `{"ok":true}`)
}

func (a *api) who(r *http.Request) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if held, err := r.Cookie("sid"); err == nil {
		return a.sessions[held.Value]
	}
	return a.sessions[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
}

func (a *api) identity(w http.ResponseWriter, r *http.Request) {
	if user := a.who(r); user != "" {
		fmt.Fprintf(w, `{"user":%q}`, user)
		return
	}
	http.Error(w, "sign in", http.StatusUnauthorized)
}

func (a *api) leave(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: "sid", Path: "/", MaxAge: -1})
	fmt.Fprint(w, `{"ok":true}`)
}

func jsonLogin(a *api, how func(http.ResponseWriter, string), name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var body map[string]any
		if !strings.Contains(r.Header.Get("Content-Type"), "json") || json.NewDecoder(r.Body).Decode(&body) != nil {
			http.Error(w, "JSON", http.StatusUnsupportedMediaType)
			return
		}
		a.begin(w, fmt.Sprint(body[name]), fmt.Sprint(body["password"]), how)
	}
}

func formLogin(a *api) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		a.begin(w, r.PostFormValue("username"), r.PostFormValue("password"), cookie)
	}
}

type world struct {
	base *url.URL
	t    *testing.T
}

func (w world) Open(trial discover.Trial) discover.Stage {
	return browser.New(browser.Options{Base: w.base, Steps: trial.Steps, Users: trial.Users, Session: trial.Session, Version: "test", Most: trial.Most,
		Redactor: &secret.Redactor{}, Recognise: func(trace.Response) trace.Who { return trace.Who{} }}).Open("discovery", trace.Facts{})
}

func (w world) Fetch(ctx context.Context, path string, most discover.Limit) (discover.Document, error) {
	read, err := browser.Fetch(ctx, w.base, "test", path, browser.Limit(most))
	return discover.Document(read), err
}

func run(t *testing.T, handler http.Handler, change ...func(*recipe.Recipe)) discover.Result {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	r := recipe.New()
	r.File = t.TempDir() + "/recipe.yml"
	r.Users = []recipe.User{{Name: "alice", Username: "alice", Password: secret.New("pw-a")}, {Name: "bob", Username: "bob", Password: secret.New("pw-b")}}
	for _, one := range change {
		one(r)
	}
	drawn := 0
	password := func() secret.Text { drawn++; return secret.New(fmt.Sprintf("drawn%08d", drawn)) }
	return discover.Run(t.Context(), discover.Options{Base: base, World: world{base, t}, Recipe: r, Password: password})
}

func request(result discover.Result, step string) string {
	for _, one := range result.Found {
		if one.Step == step {
			return one.Request
		}
	}
	return ""
}

func expect(t *testing.T, result discover.Result, login, identity, logout string) {
	t.Helper()
	for step, want := range map[string]string{"login": login, "identity": identity, "logout": logout} {
		if got := request(result, step); got != want {
			t.Errorf("%s is %q, not %q; missing %v", step, got, want, result.Missing)
		}
	}
	if result.Requests > 40 {
		t.Errorf("%d requests", result.Requests)
	}
}

const spec = `openapi: 3.0.0
paths:
  /v1/enter: {post: {operationId: signIn, requestBody: {content: {application/json: {schema: {required: [username, password, terms], properties: {username: {type: string}, password: {type: string}, terms: {type: boolean}}}}}}}}
  /v1/whoami: {get: {operationId: current, security: [{s: []}]}}
  /v1/signout: {post: {operationId: signOut}}
  /v1/users/delete: {post: {operationId: deleteEverybody, security: [{s: []}]}}
  /v1/me: {delete: {operationId: deleteMe}}
`

func described(a *api) *api {
	a.HandleFunc("POST /v1/enter", jsonLogin(a, cookie, "username"))
	a.HandleFunc("GET /v1/whoami", a.identity)
	a.HandleFunc("POST /v1/signout", a.leave)
	return a
}

func TestYAMLUnderTheWrongTypeIsRead(t *testing.T) {
	t.Parallel()
	a := described(newAPI())
	a.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, spec)
	})
	result := run(t, a)
	expect(t, result, "POST /v1/enter", "GET /v1/whoami", "POST /v1/signout")
	for _, line := range a.asked {
		if strings.Contains(line, "delete") || strings.HasPrefix(line, "DELETE") {
			t.Errorf("%s was tried", line)
		}
	}
	if said := result.Found[slices.IndexFunc(result.Found, func(f discover.Found) bool { return f.Step == "login" })].String(); !strings.Contains(said, "openapi.json operationId signIn") {
		t.Errorf("%q does not say where the login is from", said)
	}
}

func TestADocumentationPageLeadsToTheDescription(t *testing.T) {
	t.Parallel()
	a := described(newAPI())
	a.HandleFunc("GET /docs", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<script>SwaggerUIBundle({url: "/hidden/openapi-v1"})</script>`)
	})
	a.HandleFunc("GET /hidden/openapi-v1", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, spec) })
	expect(t, run(t, a), "POST /v1/enter", "GET /v1/whoami", "POST /v1/signout")
}

func TestADescriptionThatLiesIsNotBelieved(t *testing.T) {
	t.Parallel()
	a := newAPI()
	a.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, spec) }) // none of it is there
	a.HandleFunc("POST /login", formLogin(a))
	a.HandleFunc("GET /me", a.identity)
	a.HandleFunc("POST /logout", a.leave)
	expect(t, run(t, a), "POST /login", "GET /me", "POST /logout")
}

func TestAFormWithAHiddenToken(t *testing.T) {
	t.Parallel()
	a := newAPI()
	page := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<a href="https://elsewhere.example/login">other</a><form method="post" action="/enter"><input type="hidden" name="_token" value="once">
			<input name="username"><input type="password" name="password"><button>Sign in</button></form>`)
	}
	a.HandleFunc("GET /login", page)
	a.HandleFunc("POST /enter", func(w http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("_token") != "once" {
			http.Error(w, "token", http.StatusForbidden)
			return
		}
		formLogin(a)(w, r)
	})
	a.HandleFunc("GET /profile", a.identity)
	a.HandleFunc("POST /logout", a.leave)
	expect(t, run(t, a), "POST /enter", "GET /profile", "POST /logout")
}

func TestALoginWithHTTPBasic(t *testing.T) {
	t.Parallel()
	a := newAPI()
	a.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		w.Header().Set("WWW-Authenticate", "Basic")
		a.begin(w, user, password, cookie)
	})
	a.HandleFunc("GET /me", a.identity)
	a.HandleFunc("POST /logout", a.leave)
	found := run(t, a)
	expect(t, found, "POST /login", "GET /me", "POST /logout")
	if header := found.Steps["login"].Requests[0].Headers; len(header) != 1 || header[0].Value.String() != "Basic {{basic}}" {
		t.Errorf("%+v", header)
	}
}

func TestABearerTokenDeepInTheAnswer(t *testing.T) {
	t.Parallel()
	a := newAPI()
	a.HandleFunc("POST /api/auth/login", jsonLogin(a, func(w http.ResponseWriter, id string) { fmt.Fprintf(w, `{"data":{"access_token":%q}}`, id) }, "email"))
	a.HandleFunc("GET /api/auth/me", a.identity)
	result := run(t, a)
	if request(result, "login") != "POST /api/auth/login" || request(result, "identity") != "GET /api/auth/me" || result.Session == nil || result.Session.Bearer.IsZero() {
		t.Errorf("%v %v", result.Found, result.Missing)
	}
}

func TestALoginThatLetsEverybodyInIsNone(t *testing.T) {
	t.Parallel()
	a := newAPI()
	a.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		var body map[string]string
		_ = json.NewDecoder(r.Body).Decode(&body)
		a.begin(w, body["username"], a.users[body["username"]], cookie)
	})
	a.HandleFunc("GET /me", a.identity)
	result := run(t, a)
	if request(result, "login") != "" || len(result.Missing) == 0 || !strings.Contains(fmt.Sprint(result.Missing), "wrong password") {
		t.Errorf("%v %v", result.Found, result.Missing)
	}
}

func TestRegistrationMakesUsersWhereNoneAreGiven(t *testing.T) {
	t.Parallel()
	a := described(newAPI())
	a.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, spec+"  /v1/register: {post: {operationId: register, requestBody: {content: {application/json: {schema: {required: [username, password], properties: {username: {type: string}, password: {type: string}}}}}}}}\n")
	})
	a.HandleFunc("POST /v1/register", func(w http.ResponseWriter, r *http.Request) {
		var body map[string]string
		_ = json.NewDecoder(r.Body).Decode(&body)
		a.mu.Lock()
		defer a.mu.Unlock()
		a.users[body["username"]] = body["password"]
	})
	result := run(t, a, func(r *recipe.Recipe) { r.Users = nil })
	expect(t, result, "POST /v1/enter", "GET /v1/whoami", "POST /v1/signout")
	if len(result.Users) != 2 {
		t.Errorf("users %v", result.Users)
	}
	for _, user := range result.Users {
		if _, taken := a.users[user.Username]; taken {
			t.Errorf("%s is registered already: the scan's own registration would be refused", user.Username)
		}
	}
}

func TestTooManyRequestsEndsIt(t *testing.T) {
	t.Parallel()
	var asked int
	result := run(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { asked++; w.WriteHeader(http.StatusTooManyRequests) }))
	if asked > 3 || !strings.Contains(fmt.Sprint(result.Missing), "429") {
		t.Errorf("%d requests, %v", asked, result.Missing)
	}
}

func TestWhatIsWrittenIsKept(t *testing.T) {
	t.Parallel()
	a := described(newAPI())
	a.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, spec) })
	result := run(t, a, func(r *recipe.Recipe) {
		line, err := recipe.ParseRequestLine("GET /v1/whoami")
		if err != nil {
			t.Fatal(err)
		}
		r.Steps["identity"] = recipe.Step{Name: "identity", Requests: []recipe.Request{line}}
	})
	if _, again := result.Steps["identity"]; again || request(result, "login") != "POST /v1/enter" {
		t.Errorf("%v %v", result.Found, result.Missing)
	}
}

func TestALoginWithoutIdentityAsksForTheIdentityAlone(t *testing.T) {
	t.Parallel()
	a := newAPI()
	a.HandleFunc("POST /login", jsonLogin(a, cookie, "username"))
	a.HandleFunc("GET /odd/place", a.identity)
	result := run(t, a)
	if request(result, "login") != "POST /login" || len(result.Missing) != 1 || result.Missing[0].Step != "identity" {
		t.Errorf("%v %v", result.Found, result.Missing)
	}
}
