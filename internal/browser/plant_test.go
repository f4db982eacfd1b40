package browser_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

const planting = `
steps:
  login: {request: "POST /login?sid=own&lang=en", query: {sid2: own}, headers: {X-Sid: own}, json: {sid: own, user: "{{username}}"}}
  identity: GET /me
`

func TestPlants(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		plant probe.Plant
		where func(received) string
		want  string
		noun  string
	}{
		{"query", plant(probe.Query, "session"), uri, "/login?sid=own&lang=en&sid2=own&session=planted-id", "query parameter session"},
		{"query in the place of the recipe's", plant(probe.Query, "sid"), uri, "/login?lang=en&sid2=own&sid=planted-id", "query parameter sid"},
		{"query in the place of a pair's", plant(probe.Query, "sid2"), uri, "/login?sid=own&lang=en&sid2=planted-id", "query parameter sid2"},
		{"several query parameters", plant(probe.Query, "a", "b c"), uri, "/login?sid=own&lang=en&sid2=own&a=planted-id&b+c=planted-id", "query parameter"},
		{"header", plant(probe.Header, "X-Session"), header("X-Session"), "planted-id", "header X-Session"},
		{"header in the place of the recipe's", plant(probe.Header, "x-sid"), header("X-Sid"), "planted-id", "header x-sid"},
		{"header Authorization", plant(probe.Header, "authorization"), header("Authorization"), "Bearer planted-id", "header authorization"},
		{"json", plant(probe.JSON, "session"), received.body, `{"session":"planted-id","sid":"own","user":"alice"}`, "JSON member session"},
		{"json in the place of the recipe's", plant(probe.JSON, "sid"), received.body, `{"sid":"planted-id","user":"alice"}`, "JSON member sid"},
		{"json inside", plant(probe.JSON, "a.b.c", "a.d"), received.body, `{"a":{"b":{"c":"planted-id"},"d":"planted-id"},"sid":"own","user":"alice"}`, "JSON member"},
		{"path parameter", plant(probe.Path, "jsessionid"), uri, "/login;jsessionid=planted-id?sid=own&lang=en&sid2=own", "path parameter jsessionid"},
		{"several path parameters", plant(probe.Path, "sid", "a/b"), uri, "/login;sid=planted-id;a%2Fb=planted-id?sid=own&lang=en&sid2=own", "path parameter"},
		{"path segment", plant(probe.Path, "/s/"), uri, "/s/planted-id/login?sid=own&lang=en&sid2=own", "path parameter /s/"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			site := serve(t, silent)
			stage := visit(t, site.URL, planting)
			mustDo(t, stage.Actor("actor").Login(t.Context(), "alice", c.plant))
			if got := c.where(site.last(t)); got != c.want {
				t.Errorf("sent %s, want %s", got, c.want)
			}
			if diff := cmp.Diff(trace.Planted{ID: c.plant.ID, Where: c.noun}, stage.Exchanges()[0].Planted, compareSecrets); diff != "" {
				t.Errorf("recorded (-want +got):\n%s", diff)
			}
		})
	}
}

func (r received) body() string { return r.Body }

func TestPlantsOfSeveralChannelsAtOnce(t *testing.T) {
	t.Parallel()
	site := serve(t, silent)
	actor := visit(t, site.URL, planting).Actor("actor")
	mustDo(t, actor.Login(t.Context(), "alice", plant(probe.Query, "q"), plant(probe.Header, "X-H"), plant(probe.JSON, "j"), plant(probe.Path, "p")))
	got := site.last(t)
	if got.URI != "/login;p=planted-id?sid=own&lang=en&sid2=own&q=planted-id" || got.Header.Get("X-H") != "planted-id" || !strings.Contains(got.Body, `"j":"planted-id"`) {
		t.Errorf("sent %+v", got)
	}
}

func TestPlantInAMemberWhoseNameHasADot(t *testing.T) {
	t.Parallel()
	site := serve(t, silent)
	actor := visit(t, site.URL, `steps: {login: {request: POST /login, json: {session.id: own}}}`).Actor("actor")
	mustDo(t, actor.Login(t.Context(), "alice", plant(probe.JSON, "session.id")))
	if got := site.last(t).Body; got != `{"session.id":"planted-id"}` {
		t.Errorf("sent %s", got)
	}
}

func TestPlantStaysInItsStep(t *testing.T) {
	t.Parallel()
	site := serve(t, silent)
	stage := visit(t, site.URL, planting)
	actor := stage.Actor("actor")
	actor.Identify(t.Context(), "after", plant(probe.Query, "sid"))
	actor.Identify(t.Context(), "after")
	if diff := cmp.Diff([]string{"GET /me?sid=planted-id", "GET /me"}, site.lines()); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	if got := stage.Exchanges()[1].Planted; got != (trace.Planted{}) {
		t.Errorf("recorded the plant %v", got)
	}
}

// An id that has no place in the request must not count as planted: a judge
// would call refused what was never sent.
func TestPlantWithoutAPlaceIsAnError(t *testing.T) {
	t.Parallel()
	cases := map[string]probe.Plant{
		"":                     plant(probe.JSON, "sid"),
		`, body: "raw"`:        plant(probe.Form, "sid"),
		`, json: ["a"]`:        plant(probe.JSON, "sid"),
		`, form: {user: a}`:    plant(probe.JSON, "sid"),
		`, json: {a: {b: c}} `: plant(probe.Form, "sid"),
	}
	for body, plant := range cases {
		site := serve(t, silent)
		stage := visit(t, site.URL, "steps: {login: {request: POST /login"+body+"}}")
		err := stage.Actor("actor").LoginAs(t.Context(), "alice", trace.LoginForms, plant)
		if body == `, form: {user: a}` {
			err = stage.Actor("actor").Login(t.Context(), "alice", plant)
		}
		wantError(t, err, "step login: it has no place for the planted id as "+plant.Channel.Noun())
		if got := site.lines(); got != nil {
			t.Errorf("%q: sent %q all the same", body, got)
		}
	}
}

// Of several requests only those that hold the id are recorded as holding it.
func TestPlantIsRecordedWhereItIs(t *testing.T) {
	t.Parallel()
	site := serve(t, silent)
	stage := visit(t, site.URL, "steps: {login: [GET /login, {request: POST /login, form: {user: a}}]}")
	mustDo(t, stage.Actor("actor").Login(t.Context(), "alice", plant(probe.Form, "sid")))
	var got []bool
	for _, exchange := range stage.Exchanges() {
		got = append(got, !exchange.Planted.ID.IsZero())
	}
	if diff := cmp.Diff([]bool{false, true}, got); diff != "" {
		t.Errorf("recorded as planted (-want +got):\n%s", diff)
	}
}
