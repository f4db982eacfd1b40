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
	described, err := recipe.Parse("recipe.yml", []byte(demoapi.Recipe(server.URL)), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	redactor, faces := &secret.Redactor{}, &audit.Faces{}
	made := audit.Options{Catalogue: catalogue, Faces: faces, Login: trace.LoginJSON, Redactor: redactor,
		Steps: append(described.Steps.Names(), "elevate.then"),
		World: world{browser.New(browser.Options{Base: base, Steps: described.Steps, Users: described.Users, Version: "test", Redactor: redactor, Recognise: faces.Who})}}
	for _, user := range described.Users {
		made.Users = append(made.Users, audit.User{Name: user.Name, Username: user.Username, Password: user.Password})
	}
	return made
}
