package fastapi_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/internal/app"
	"github.com/sessiongate/sessiongate/internal/launch"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/store"
	"github.com/sessiongate/sessiongate/testenv/replaytest"
)

// running starts the application on a database of its own, which stay as long
// as the test.
func running(t *testing.T, name string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	admin, err := store.Open(ctx, database(t).DSN)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close() })
	dsn, err := admin.Prepare(ctx, store.Plan{Database: "sessiongate", User: "sessiongate_api",
		Files: []string{"testenv/fastapi/schema.sql", "testenv/fastapi/seed.sql"}})
	if err != nil {
		t.Fatal(err)
	}
	port, err := launch.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	api, err := launch.Start(ctx, launch.Process{Command: []string{"./serve", name + ".app:app"}, Directory: "testenv/fastapi",
		Environment: map[string]secret.Text{"DATABASE_URL": dsn}, Ready: launch.Ready{Method: "GET", Path: "/health"},
		StartTimeout: 3 * time.Minute, Port: port})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = api.Close() })
	return api.URL
}

// Whoever gets the report runs the script against an application of her own.
func TestReplaysOnRealApplications(t *testing.T) {
	t.Parallel()
	replaytest.Curl(t)
	vulnerable, hardened := running(t, "vulnerable"), running(t, "hardened")
	r, err := recipe.Load("testenv/fastapi/vulnerable.yml", os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	r.Target, r.Database = recipe.Target{URL: recipe.Literal(vulnerable)}, nil
	made := audited(t, app.Options{Recipe: r})
	if len(made.Findings) < 9 {
		t.Errorf("%d findings", len(made.Findings))
	}
	passwords := replaytest.Passwords{"ALICE_PASSWORD=alice-correct-horse", "BOB_PASSWORD=bob-battery-staple"}
	for _, f := range made.Findings {
		t.Run(f.Rule.ID, func(t *testing.T) { passwords.Check(t, f, vulnerable, hardened) })
	}
}
