package audit_test

import (
	"slices"
	"testing"
	"time"

	"github.com/sessiongate/sessiongate/internal/audit"
	"github.com/sessiongate/sessiongate/internal/catalog"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
)

// sampled audits with one rule on the order of ids, and returns how many ids
// were asked for.
func sampled(t *testing.T, change func(*audit.Options), latency time.Duration, flaws ...string) (finding.Verdict, int) {
	t.Helper()
	all := catalog.All()
	i := slices.IndexFunc(all, func(p probe.Probe) bool { return p.Rule.ID == "session-id-sequential" })
	asked := options(t, all[i:i+1], latency, flaws...)
	change(&asked)
	result, err := audit.Run(t.Context(), asked)
	if err != nil || result.Problem.Code != "" {
		t.Fatal(err, result.Problem)
	}
	drawn := 0
	for _, exchange := range result.Seen {
		if exchange.Flow == "id-sample" && exchange.Step != "identity" {
			drawn++
		}
	}
	return result.Outcomes[0].Verdict, drawn
}

// The sample adapts to what the target can bear, and decides all the same.
func TestTheSampleAdaptsToItsTarget(t *testing.T) {
	t.Parallel()
	core, deep := func(*audit.Options) {}, func(o *audit.Options) { o.Deep = true }
	logins := func(o *audit.Options) { o.Steps = []string{"login", "identity"} }
	for name, test := range map[string]struct {
		change      func(*audit.Options)
		latency     time.Duration
		least, most int
	}{
		"core":                        {core, 0, 16, 27},
		"a slow target":               {core, 60 * time.Millisecond, 12, 22},
		"no ids before login":         {logins, 0, 6, 6},
		"slow, no ids before login":   {logins, 120 * time.Millisecond, 5, 5},
		"the deep profile":            {deep, 0, 2000, 2000},
		"the deep profile, no visits": {func(o *audit.Options) { deep(o); logins(o) }, 0, 2000, 2000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for outcome, flaws := range map[finding.Outcome][]string{finding.Pass: nil, finding.Fail: {"session-id-sequential"}} {
				verdict, drawn := sampled(t, test.change, test.latency, flaws...)
				if drawn < test.least || drawn > test.most {
					t.Errorf("%d ids were drawn, want %d to %d", drawn, test.least, test.most)
				}
				if verdict.Outcome != outcome {
					t.Errorf("%s, want %s: %s", verdict.Outcome, outcome, verdict.Reason)
				}
			}
		})
	}
}

// A login that keeps the id of its visit draws none: empty jars log in then.
func TestTheSampleDrawsWhereALoginKeepsTheID(t *testing.T) {
	t.Parallel()
	verdict, drawn := sampled(t, func(*audit.Options) {}, 0, "session-id-not-rotated-on-login")
	if verdict.Outcome != finding.Pass || drawn > 28 {
		t.Errorf("%s after %d ids: %s", verdict.Outcome, drawn, verdict.Reason)
	}
}
