package corpus_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/internal/app"
	gate "github.com/sessiongate/sessiongate/internal/recipe"
)

// share is how many of the cases discovery has to understand wholly, in percent.
const share = 90

// title begins the part of RESULTS.md that tells what discovery found.
const title = "\n## With an address, users and passwords only\n"

type discovery struct {
	name, carrier string
	found         map[string]string // request by step
	asks          []string
	requests      int
	complete      bool
}

// discovered is what discovery makes of an address, users and passwords. It has to
// calibrate, and what it misses it has to ask for.
func discovered(t *testing.T, s *story, address string) discovery {
	t.Helper()
	loaded, err := gate.Load(s.Recipe, func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	bare := gate.New()
	bare.Target, bare.Users = gate.Target{URL: gate.Literal(address)}, loaded.Users
	made, err := app.Discover(t.Context(), app.Options{Recipe: bare, Version: "corpus", Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	row := discovery{name: s.Name, carrier: made.Calibration.Carrier, found: map[string]string{}, requests: made.Requests}
	for _, one := range made.Discovered {
		if one.Request != "" {
			row.found[one.Step] = one.Request
			continue
		}
		row.asks = append(row.asks, one.Step)
		if !strings.Contains(one.Pin, "--"+one.Step) {
			t.Errorf("no %s was found, and %q does not say how to give it", one.Step, one.Pin)
		}
	}
	row.complete = made.Problem == "" && len(row.asks) == 0
	if made.Problem == "" || len(row.asks) > 0 {
		return row
	}
	t.Errorf("everything was found and did not calibrate: %s %v", made.Problem, made.Discovered)
	return row
}

type discoveryTable struct {
	mu   sync.Mutex
	rows []discovery
}

func (d *discoveryTable) add(row discovery) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rows = append(d.rows, row)
}

func (d *discoveryTable) settle(t *testing.T, wanted int) {
	t.Helper()
	if len(d.rows) < wanted {
		return // a part of the corpus
	}
	complete := 0
	for _, row := range d.rows {
		if row.complete {
			complete++
		}
	}
	if complete*100 < share*len(d.rows) {
		t.Errorf("%d of %d cases are complete, which is less than %d %%", complete, len(d.rows), share)
	}
	made := d.text(complete)
	if *update {
		page, err := os.ReadFile(results)
		if err != nil {
			t.Fatal(err)
		}
		before, _, _ := strings.Cut(string(page), title)
		if err := os.WriteFile(results, []byte(before+made), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if was := discoveries(); was != made {
		t.Errorf("%s is stale: write it anew with go test ./testenv/corpus -update\n%s", results, made)
	}
}

func (d *discoveryTable) text(complete int) string {
	slices.SortFunc(d.rows, func(a, b discovery) int { return strings.Compare(a.name, b.name) })
	var page strings.Builder
	fmt.Fprintf(&page, "%s\n%d of %d cases are found completely. Where a step is missing, the tool asks for that one.\n\n", title, complete, len(d.rows))
	page.WriteString("| case | login | identity | logout | carrier | asks for |\n|---|---|---|---|---|---|\n")
	for _, row := range d.rows {
		fmt.Fprintf(&page, "| %s | %s | %s | %s | %s | %s |\n", row.name, row.found["login"], row.found["identity"], row.found["logout"],
			row.carrier, strings.Join(row.asks, ", "))
	}
	return page.String()
}

// discoveries is the part of RESULTS.md as it stands there.
func discoveries() string {
	page, err := os.ReadFile(results)
	if err != nil {
		return ""
	}
	_, after, found := strings.Cut(string(page), title)
	if !found {
		return ""
	}
	return title + after
}
