package browser_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/browser"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

const guardedSteps = `
steps:
  state-change:
    - {request: GET /csrf, capture: {csrf: {json: $.csrf}}}
    - {request: POST /email, json: {csrf: "{{csrf}}", by: "{{username}}"}}
  visit: {request: GET /, capture: {other: {regex: "(.+)"}}}
`

// csrfSite gives each request for a token another one.
func csrfSite(t testing.TB) *site {
	t.Helper()
	given := 0
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/csrf" {
			given++
			fmt.Fprintf(w, `{"csrf":"token-%d"}`, given)
			return
		}
		fmt.Fprint(w, "hello")
	})
}

func TestAStepInPartsWithAnothersValues(t *testing.T) {
	t.Parallel()
	site := csrfSite(t)
	stage := visit(t, site.URL, guardedSteps)
	thief, v := stage.Actor("attacker"), stage.Actor("victim")
	v.Become("alice")
	do(t, thief, "visit") // what another step captured is not the step's
	mustDo(t, thief.Begin(t.Context(), "state-change"))
	mustDo(t, v.Begin(t.Context(), "state-change"))
	stolen := thief.Captured("state-change")
	if diff := cmp.Diff(map[string]secret.Text{"csrf": secret.New("token-1")}, stolen, compareSecrets); diff != "" {
		t.Errorf("captured (-want +got):\n%s", diff)
	}
	mustDo(t, v.Finish(t.Context(), "state-change", "stolen", stolen))
	if got := body(t, site.last(t)); got["csrf"] != "token-1" || got["by"] != "alice" {
		t.Errorf("with the stolen token it sent %q", got)
	}
	mustDo(t, v.Finish(t.Context(), "state-change", "none", map[string]secret.Text{"csrf": {}}))
	if got := body(t, site.last(t)); got["csrf"] != "" {
		t.Errorf("without a token it sent %q", got)
	}
	mustDo(t, v.Finish(t.Context(), "state-change", "own", nil))
	if got := body(t, site.last(t)); got["csrf"] != "token-2" {
		t.Errorf("with its own token it sent %q", got)
	}
	if got, want := site.lines(), []string{"GET /", "GET /csrf", "GET /csrf", "POST /email", "POST /email", "POST /email"}; !slices.Equal(got, want) {
		t.Errorf("sent %q", got)
	}
	var moments []string
	for _, exchange := range stage.Exchanges() {
		moments = append(moments, exchange.Moment)
	}
	if want := []string{"", "", "", "stolen", "none", "own"}; !slices.Equal(moments, want) {
		t.Errorf("recorded the moments %q", moments)
	}
}

func TestAStepOfOneRequestHasNothingToBegin(t *testing.T) {
	t.Parallel()
	site := serve(t, silent)
	actor := visit(t, site.URL, "steps: {callback: GET /callback}").Actor("actor")
	mustDo(t, actor.Begin(t.Context(), "callback"))
	if got := site.lines(); len(got) > 0 || len(actor.Captured("callback")) > 0 {
		t.Errorf("sent %q", got)
	}
	mustDo(t, actor.Finish(t.Context(), "callback", "", nil))
	if got := site.lines(); len(got) != 1 {
		t.Errorf("sent %q", got)
	}
}

func TestWhatTheRecipeDoesNotExpectIsRecordedAsRefused(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(map[string]int{"/forbidden": 403, "/accepted": 202}[r.URL.Path])
	})
	stage := visit(t, site.URL, `
steps:
  recover: {request: GET /forbidden}
  slow: {request: GET /accepted, expect: 200}
  visit: {request: GET /accepted}
  elevate: {request: GET /accepted, then: GET /forbidden}
`)
	actor := stage.Actor("actor")
	for _, step := range []string{"recover", "slow"} {
		var refused *probe.Refused
		if err := actor.Do(t.Context(), step); !errors.As(err, &refused) {
			t.Errorf("%s: %v", step, err)
		}
	}
	do(t, actor, "visit")
	do(t, actor, "elevate")
	mustDo(t, actor.Enter(t.Context(), "elevate", "after")) // whatever the answer
	var got []string
	for _, x := range stage.Exchanges() {
		got = append(got, fmt.Sprintf("%s %s %d %t", x.Step, x.Moment, x.Response.Status, x.Refused))
	}
	want := []string{"recover  403 true", "slow  202 true", "visit  202 false", "elevate  202 false", "elevate after 403 false"}
	if !slices.Equal(got, want) {
		t.Errorf("recorded\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

const passwordSteps = `
steps:
  login: {request: POST /login, json: {user: "{{username}}", password: "{{password}}"}}
  change-password: {request: POST /password, json: {old: "{{password}}", new: "{{new_password}}"}}
`

func TestAPasswordIsChangedThereAndBack(t *testing.T) {
	t.Parallel()
	site := serve(t, silent)
	redactor := &secret.Redactor{}
	stage := visit(t, site.URL, passwordSteps, func(o *browser.Options) { o.Redactor = redactor })
	actor := stage.Actor("actor")
	renewed := stage.NewPassword()
	mustDo(t, actor.LoginWith(t.Context(), "alice", renewed))
	if got := body(t, site.last(t)); got["user"] != "alice" || got["password"] != renewed.Reveal() {
		t.Errorf("LoginWith sent %q", got)
	}
	mustDo(t, actor.ChangePassword(t.Context(), "change-password", secret.Text{}, renewed))
	if got := body(t, site.last(t)); got["old"] != alicesPassword || got["new"] != renewed.Reveal() {
		t.Errorf("there: %q", got)
	}
	mustDo(t, actor.ChangePassword(t.Context(), "change-password", renewed, secret.Text{}))
	if got := body(t, site.last(t)); got["old"] != renewed.Reveal() || got["new"] != alicesPassword {
		t.Errorf("back: %q", got)
	}
	if got := redactor.Clean("is " + renewed.Reveal()); got != "is "+renewed.Tag() {
		t.Errorf("the new password is shown as %q", got)
	}
	if stage.NewPassword() == renewed {
		t.Error("two new passwords are the same")
	}
}

// A 429 stops everybody but those who put something back.
func TestOnlyWhoInsistsSendsAfterA429(t *testing.T) {
	t.Parallel()
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	world := newWorld(t, site.URL, passwordSteps)
	limited, beside, untouched := openStage(t, world, trace.Facts{}), openStage(t, world, trace.Facts{}), openStage(t, world, trace.Facts{})
	if err := limited.Actor("one").Login(t.Context(), "alice"); !errors.Is(err, probe.ErrRateLimited) {
		t.Errorf("got %v", err)
	}
	other := beside.Actor("other")
	other.Become("alice")
	if err := other.Do(t.Context(), "change-password"); !errors.Is(err, probe.ErrRateLimited) || len(site.lines()) != 1 {
		t.Errorf("got %v after %q", err, site.lines())
	}
	if !limited.Limited() || !beside.Limited() || untouched.Limited() {
		t.Errorf("limited: %t, %t, %t", limited.Limited(), beside.Limited(), untouched.Limited())
	}
	other.Insist()
	do(t, other, "change-password")
	if got := site.last(t); got.URI != "/password" {
		t.Errorf("sent %q", site.lines())
	}
}

func TestAMadeUpUserLooksLikeTheOthersAndIsKnownByHerName(t *testing.T) {
	t.Parallel()
	var last string
	site := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			fmt.Fprintf(w, `{"name":%q}`, last)
		}
	})
	stage := visit(t, site.URL, `
steps:
  register: {request: POST /register, json: {user: "{{username}}", password: "{{password}}"}}
  identity: {request: GET /me}
`, func(o *browser.Options) {
		o.Users = []recipe.User{{Name: "alice", Username: "alice@shop.test"}}
		o.Recognise = func(trace.Response) trace.Who { return trace.Who{Kind: trace.Unknown} }
	})
	dave, erin := stage.NewUser(), stage.NewUser()
	actor := stage.Actor("actor")
	actor.Become(dave)
	do(t, actor, "register")
	sent := body(t, site.last(t))
	if !strings.HasSuffix(sent["user"], "@shop.test") || sent["password"] == "" || dave == erin {
		t.Errorf("registered %q; names %q and %q", sent, dave, erin)
	}
	last = sent["user"]
	if who := actor.Identify(t.Context(), "now"); !who.Is(dave) {
		t.Errorf("taken for %s", who)
	}
	last = "somebody else"
	if who := actor.Identify(t.Context(), "then"); who.Kind != trace.Unknown {
		t.Errorf("taken for %s", who)
	}
}
