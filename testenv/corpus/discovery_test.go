package corpus_test

import (
	"os"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/internal/app"
	gate "github.com/sessiongate/sessiongate/internal/recipe"
)

func TestScratch(t *testing.T) {
	if os.Getenv("SCRATCH") == "" {
		t.Skip("scratch")
	}
	for _, s := range stories(t) {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			loaded, err := gate.Load(s.Recipe, func(string) (string, bool) { return "", false })
			if err != nil {
				t.Fatal(err)
			}
			loaded.Steps, loaded.Session = gate.Steps{}, gate.Session{Carrier: gate.Auto}
			made, err := app.Discover(t.Context(), app.Options{Recipe: loaded, Version: "corpus", Now: time.Now()})
			if err != nil {
				t.Fatal(err)
			}
			show(t, made)
		})
	}
}

func show(t *testing.T, made app.Found) {
	for _, d := range made.Discovered {
		t.Logf("%s | %s | %s | %s", d.Step, d.Request, d.From, d.Note)
	}
	t.Logf("problem %q carrier %s requests %d", made.Problem, made.Calibration.Carrier, made.Requests)
}
