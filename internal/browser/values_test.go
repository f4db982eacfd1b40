package browser_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"testing"

	"github.com/sessiongate/sessiongate/internal/browser"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
)

func body(t testing.TB, r received) map[string]string {
	t.Helper()
	var members map[string]string
	if err := json.Unmarshal([]byte(r.Body), &members); err != nil {
		t.Fatalf("the body %q: %v", r.Body, err)
	}
	return members
}

func TestUserValues(t *testing.T) {
	t.Parallel()
	site := serve(t, silent)
	stage := visit(t, site.URL, `
steps: {login: {request: POST /login, json: {user: "{{username}}", password: "{{password}}"}}, logout: {request: POST /logout, json: {user: "{{username}}"}}}
`)
	actor := stage.Actor("actor")
	mustDo(t, actor.Login(t.Context(), "alice"))
	if got := body(t, site.last(t)); got["user"] != "alice" || got["password"] != alicesPassword {
		t.Errorf("alice logged in with %q", got)
	}
	actor.Become("bob")
	do(t, actor, "logout")
	if got := body(t, site.last(t)); got["user"] != "bob" {
		t.Errorf("after Become the user is %q", got["user"])
	}
	mustDo(t, actor.LoginWrong(t.Context(), "alice"))
	if got := body(t, site.last(t)); got["user"] != "alice" || got["password"] == alicesPassword || got["password"] == "" {
		t.Error("LoginWrong did not send a password that is nobody's")
	}
	if got := stage.Exchanges()[0].User + " " + stage.Exchanges()[2].User; got != "alice alice" {
		t.Errorf("recorded the users %q", got)
	}
}

func TestRandomIsFreshEachTime(t *testing.T) {
	t.Parallel()
	site := serve(t, silent)
	actor := visit(t, site.URL, `
steps: {register: {request: POST /register, json: {a: "{{random}}", b: "{{random}}"}, headers: {X-Nonce: "n-{{random}}"}}}
`).Actor("actor")
	seen := map[string]bool{}
	for range 3 {
		do(t, actor, "register")
		sent := body(t, site.last(t))
		for _, value := range []string{sent["a"], sent["b"], site.last(t).Header.Get("X-Nonce")[2:]} {
			if seen[value] || !regexp.MustCompile(`^[0-9a-f]{16}$`).MatchString(value) {
				t.Errorf("%q is not fresh", value)
			}
			seen[value] = true
		}
	}
}

const choosing = `
steps:
  login:
    - {request: POST /begin, json: {sid: "{{session_id}}"}}
    - {request: POST /login, headers: {X-Session: "{{session_id}}"}, query: {sid: "{{session_id}}"}, json: {sid: "{{session_id}}", deep: {sid: "{{session_id}}"}, user: "{{username}}"}}
`

// An API may demand that the client chooses the id: one for a whole login.
func TestSessionIDIsFreshPerLogin(t *testing.T) {
	t.Parallel()
	site := serve(t, silent)
	stage := visit(t, site.URL, choosing)
	seen := map[string]bool{}
	for _, actor := range []probe.Actor{stage.Actor("one"), stage.Actor("two")} {
		for range 2 {
			mustDo(t, actor.Login(t.Context(), "alice"))
			all := site.all()
			first, second := body(t, all[len(all)-2])["sid"], all[len(all)-1].Header.Get("X-Session")
			if first != second {
				t.Errorf("one login sent %q and then %q", first, second)
			}
			if seen[first] || !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(first) {
				t.Errorf("%q is not fresh", first)
			}
			seen[first] = true
		}
	}
}

// Where a probe plants an id, it stands in the place of the chosen one, and the
// other places keep theirs: which place was read is what the probe asks.
func TestSessionIDIsThePlantedOneWhereAProbePlants(t *testing.T) {
	t.Parallel()
	const planted = "planted-by-the-probe"
	places := func(r received) map[string]string {
		var members struct {
			Sid  string
			Deep struct{ Sid string }
		}
		_ = json.Unmarshal([]byte(r.Body), &members)
		return map[string]string{"json sid": members.Sid, "json deep.sid": members.Deep.Sid, "header X-Session": r.Header.Get("X-Session"), "query sid": r.URI[len("/login?sid="):]}
	}
	for _, plant := range []probe.Plant{
		{Channel: probe.JSON, Names: []string{"sid"}}, {Channel: probe.JSON, Names: []string{"deep.sid"}},
		{Channel: probe.Header, Names: []string{"X-Session"}}, {Channel: probe.Query, Names: []string{"sid"}},
	} {
		t.Run(string(plant.Channel)+" "+plant.Names[0], func(t *testing.T) {
			t.Parallel()
			site := serve(t, silent)
			plant.ID = secret.New(planted)
			mustDo(t, visit(t, site.URL, choosing).Actor("actor").Login(t.Context(), "alice", plant))
			for place, got := range places(site.last(t)) {
				if is, want := got == planted, place == string(plant.Channel)+" "+plant.Names[0]; is != want || got == "" {
					t.Errorf("%s is %q", place, got)
				}
			}
		})
	}
}

func TestNewPasswordIsOneForAStep(t *testing.T) {
	t.Parallel()
	site := serve(t, silent)
	redactor := &secret.Redactor{}
	actor := visit(t, site.URL, `
steps: {change-password: {request: POST /password, json: {old: "{{password}}", new: "{{new_password}}", again: "{{new_password}}"}}}
`, func(o *browser.Options) { o.Redactor = redactor }).Actor("actor")
	actor.Become("alice")
	do(t, actor, "change-password")
	first := body(t, site.last(t))
	do(t, actor, "change-password")
	second := body(t, site.last(t))
	if first["new"] == "" || first["new"] != first["again"] || first["new"] == second["new"] || first["old"] != alicesPassword {
		t.Errorf("sent %q and %q", first, second)
	}
	if got := redactor.Clean("now " + first["new"]); got != "now "+secret.New(first["new"]).Tag() {
		t.Errorf("the new password is shown as %q", got)
	}
}

func TestCapturedNameShadowsABuiltInOne(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X-Given", "from-the-server") })
	actor := visit(t, site.URL, `
steps:
  visit: {request: GET /, capture: {session_id: {header: X-Given}, username: {header: X-Given}}}
  login: {request: POST /login, json: {sid: "{{session_id}}", user: "{{username}}"}}
`).Actor("actor")
	do(t, actor, "visit")
	mustDo(t, actor.Login(t.Context(), "alice"))
	if got := body(t, site.last(t)); got["sid"] != "from-the-server" || got["user"] != "from-the-server" {
		t.Errorf("sent %q", got)
	}
}

func TestUnknownValueIsASentence(t *testing.T) {
	t.Parallel()
	site := serve(t, silent)
	const earlier = "steps: {visit: {request: GET /, capture: {late: {header: X-Late}}}, logout: {request: POST /logout, "
	for with, where := range map[string]string{
		`json: {a: {b: ["{{late}}"]}}}}`: "step logout: body: a: b: ",
		`form: {a: "{{late}}"}}}`:        "step logout: body: a: ",
		`multipart: {a: "{{late}}"}}}`:   "step logout: body: a: ",
		`body: "{{late}}"}}`:             "step logout: body: ",
		`headers: {X-A: "{{late}}"}}}`:   "step logout: header X-A: ",
		`query: {a: "{{late}}"}}}`:       "step logout: query a: ",
	} {
		err := visit(t, site.URL, earlier+with).Actor("actor").Do(t.Context(), "logout")
		wantError(t, err, where+"{{late}} has no value here: capture it in an earlier request")
	}
	if got := site.lines(); got != nil {
		t.Errorf("sent all the same: %q", got)
	}
	wantError(t, visit(t, site.URL, "steps: {visit: GET /}").Actor("actor").Do(t.Context(), "elevate"), "step elevate: the recipe does not have it")
}
