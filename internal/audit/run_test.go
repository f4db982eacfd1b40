package audit_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sessiongate/sessiongate/internal/audit"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// one runs an audit with one probe over the hardened demo API.
func one(t *testing.T, p probe.Probe) finding.Verdict {
	t.Helper()
	result, err := audit.Run(t.Context(), options(t, []probe.Probe{p}, 0))
	if err != nil {
		t.Fatal(err)
	}
	if result.Problem.Code != "" {
		t.Fatalf("calibration: %s", result.Problem)
	}
	return result.Outcomes[0].Verdict
}

func flow(ran *atomic.Int64) *probe.Flow {
	return &probe.Flow{Name: "test", Run: func(ctx context.Context, stage probe.Stage) error {
		ran.Add(1)
		stage.Actor("victim").Identify(ctx, "after")
		return nil
	}}
}

var found = finding.Finding{Rule: "rule", Subject: "subject", Step: "login", Message: "message"}

// K6: an attack is believed when it worked twice with fresh ids.
func TestAFailureIsRepeatedBeforeItIsBelieved(t *testing.T) {
	t.Parallel()
	var ran, judged atomic.Int64
	verdict := one(t, probe.Probe{Rule: finding.Rule{ID: "rule"}, Flow: flow(&ran),
		Judge: func(trace.Trace) finding.Verdict { judged.Add(1); return finding.Failed(found) }})
	if verdict.Outcome != finding.Fail || ran.Load() != 2 || judged.Load() != 2 {
		t.Errorf("%s after %d runs of the flow, judged %d times", verdict.Outcome, ran.Load(), judged.Load())
	}
}

func TestAFailureThatDoesNotComeBackIsFlaky(t *testing.T) {
	t.Parallel()
	var ran atomic.Int64
	var first atomic.Int64
	verdict := one(t, probe.Probe{Rule: finding.Rule{ID: "rule", Core: true}, Flow: flow(&ran),
		Judge: func(seen trace.Trace) finding.Verdict {
			first.CompareAndSwap(0, int64(seen.Exchanges[0].Seq))
			if int64(seen.Exchanges[0].Seq) == first.Load() {
				return finding.Failed(found)
			}
			return finding.Passed("")
		}})
	if verdict.Outcome != finding.NotTested || verdict.Reason.Code != finding.Flaky || !verdict.Reason.Code.Blocks() {
		t.Errorf("%s %s", verdict.Outcome, verdict.Reason)
	}
}

func TestAFlowThatShowsItTwiceIsNotRunAgain(t *testing.T) {
	t.Parallel()
	var ran atomic.Int64
	verdict := one(t, probe.Probe{Rule: finding.Rule{ID: "rule"}, Flow: flow(&ran),
		Judge: func(trace.Trace) finding.Verdict {
			failed := finding.Failed(found)
			failed.Reproduced = true
			return failed
		}})
	if verdict.Outcome != finding.Fail || ran.Load() != 1 {
		t.Errorf("%s after %d runs", verdict.Outcome, ran.Load())
	}
}

// Our own errors are never a pass.
func TestBrokenJudgesAndFlowsAreOurError(t *testing.T) {
	t.Parallel()
	for name, judge := range map[string]func(trace.Trace) finding.Verdict{
		"panics":                  func(trace.Trace) finding.Verdict { panic("broken") },
		"says nothing":            func(trace.Trace) finding.Verdict { return finding.Verdict{} },
		"fails without a finding": func(trace.Trace) finding.Verdict { return finding.Verdict{Outcome: finding.Fail} },
		"open without a reason":   func(trace.Trace) finding.Verdict { return finding.Verdict{Outcome: finding.NotTested} },
		"declares for the user":   func(trace.Trace) finding.Verdict { return finding.Verdict{Outcome: finding.NotApplicable} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var ran atomic.Int64
			verdict := one(t, probe.Probe{Rule: finding.Rule{ID: "rule"}, Flow: flow(&ran), Judge: judge})
			if verdict.Outcome != finding.NotTested || verdict.Reason.Code != finding.Crashed || !verdict.Reason.Code.Blocks() {
				t.Errorf("%s %s", verdict.Outcome, verdict.Reason)
			}
		})
	}
}

func TestAFlowThatStopsIsJudgedOnWhatItDid(t *testing.T) {
	t.Parallel()
	for name, run := range map[string]func(context.Context, probe.Stage) error{
		"error": func(context.Context, probe.Stage) error { return errors.New("step login: it stopped") },
		"panic": func(context.Context, probe.Stage) error { panic("broken") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var problem string
			one(t, probe.Probe{Rule: finding.Rule{ID: "rule"}, Flow: &probe.Flow{Name: name, Run: run},
				Judge: func(seen trace.Trace) finding.Verdict { problem = seen.Problem; return finding.Passed("") }})
			if !strings.Contains(problem, "it stopped") && !strings.Contains(problem, "broke inside sessiongate") {
				t.Errorf("the judge was told %q", problem)
			}
		})
	}
}

func TestMissingStepsAndUsersAreNamedWithTheirRemedy(t *testing.T) {
	t.Parallel()
	pass := func(trace.Trace) finding.Verdict { return finding.Passed("") }
	for remedy, p := range map[string]probe.Probe{
		"add steps.elevate to the recipe":                                          {Steps: []string{"login", "elevate"}},
		"add steps.elevate and steps.elevate.then to the recipe":                   {Steps: []string{"elevate", "elevate.then"}},
		"add steps.register and steps.delete-account to the recipe":                {Flow: &probe.Flow{Name: "test", Steps: []string{"register", "delete-account"}}},
		"add steps.logout to the recipe, or --logout":                              {Steps: []string{"logout"}},
		"add a second user to the recipe, or --user with --password-env once more": {Users: 3},
	} {
		p.Rule, p.Judge = finding.Rule{ID: "rule"}, pass
		few := options(t, []probe.Probe{p}, 0)
		few.Steps = []string{"login", "identity"}
		result, err := audit.Run(t.Context(), few)
		if err != nil {
			t.Fatal(err)
		}
		verdict := result.Outcomes[0].Verdict
		if verdict.Outcome != finding.NotTested || verdict.Reason.Code != finding.NoPrecondition || verdict.Reason.Code.Blocks() ||
			verdict.Reason.Remedy != remedy {
			t.Errorf("%s %s; %s", verdict.Outcome, verdict.Reason, verdict.Reason.Remedy)
		}
	}
}

func TestAGraverFormCountsOnce(t *testing.T) {
	t.Parallel()
	var ran atomic.Int64
	fail := func(trace.Trace) finding.Verdict { return finding.Failed(found) }
	whole := probe.Probe{Rule: finding.Rule{ID: "whole"}, Flow: flow(&ran), Judge: fail}
	var never atomic.Int64
	part := probe.Probe{Rule: finding.Rule{ID: "part"}, PartOf: "whole", Judge: fail,
		Flow: &probe.Flow{Name: "part", Run: func(context.Context, probe.Stage) error { never.Add(1); return nil }}}
	result, err := audit.Run(t.Context(), options(t, []probe.Probe{whole, part}, 0))
	if err != nil {
		t.Fatal(err)
	}
	if got := result.Outcomes[1].Verdict; got.Outcome != finding.NotTested || got.Reason.Code != finding.Decided || never.Load() != 1 {
		t.Errorf("%s %s after %d runs", got.Outcome, got.Reason, never.Load())
	}
}
