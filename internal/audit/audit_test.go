package audit_test

import (
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/internal/audit"
	"github.com/sessiongate/sessiongate/internal/browser"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
	"github.com/sessiongate/sessiongate/testenv/demoapi"
)

// world is real browsers, as app makes them.
type world struct{ *browser.World }

func (w world) Open(flow string, facts trace.Facts) audit.Stage { return w.World.Open(flow, facts) }

// options are those of an audit of the demo API with the given flaws.
func options(t testing.TB, catalogue []probe.Probe, latency time.Duration, flaws ...string) audit.Options {
	t.Helper()
	api, err := demoapi.New(flaws...)
	if err != nil {
		t.Fatal(err)
	}
	api.Latency = latency
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	steps := recipe.Steps{}
	for name, line := range map[string]string{"visit": "GET /", "login": "POST /login", "identity": "GET /me", "logout": "POST /logout"} {
		request, err := recipe.ParseRequestLine(line)
		if err != nil {
			t.Fatal(err)
		}
		steps[name] = recipe.Step{Name: name, Requests: []recipe.Request{request}}
	}
	steps["login"].Requests[0].Body = recipe.Body{Kind: recipe.JSONBody, JSON: map[string]any{
		"username": recipe.Placeholder("username"), "password": recipe.Placeholder("password")}}
	users := []recipe.User{
		{Name: "alice", Username: "alice", Password: secret.New(demoapi.AlicePassword)},
		{Name: "bob", Username: "bob", Password: secret.New(demoapi.BobPassword)},
	}
	redactor, faces := &secret.Redactor{}, &audit.Faces{}
	made := audit.Options{Catalogue: catalogue, Faces: faces, Login: trace.LoginJSON, Redactor: redactor,
		Steps: []string{"visit", "login", "identity", "logout"},
		World: world{browser.New(browser.Options{Base: base, Steps: steps, Users: users, Version: "test", Redactor: redactor, Recognise: faces.Who})}}
	for _, user := range users {
		made.Users = append(made.Users, audit.User{Name: user.Name, Username: user.Username, Password: user.Password})
	}
	return made
}
