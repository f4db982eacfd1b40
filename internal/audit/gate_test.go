package audit

import (
	"testing"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/score"
)

func TestTheGateFailsClosed(t *testing.T) {
	t.Parallel()
	medium := finding.Rule{ID: "rule", Severity: 53}
	baseline := report.Baseline{Given: true}
	for name, test := range map[string]struct {
		policy  Policy
		report  report.Report
		code    int
		outside bool
	}{
		"met": {Policy{FailUnder: 70}, report.Report{Score: score.Score{Value: 70, IfUntestedPassed: 75}}, 0, false},
		"missed for certain, though a core rule is open": {Policy{FailUnder: 70},
			report.Report{Score: score.Score{Value: 40, IfUntestedPassed: 49}, Coverage: report.Coverage{CoreUntested: []string{"x"}}}, 1, false},
		"open": {Policy{FailUnder: 70},
			report.Report{Score: score.Score{Value: 90, IfUntestedPassed: 100}, Coverage: report.Coverage{CoreUntested: []string{"x"}}}, 3, false},
		"open, and low for what is untested": {Policy{FailUnder: 70},
			report.Report{Score: score.Score{Value: 60, IfUntestedPassed: 100}, Coverage: report.Coverage{CoreUntested: []string{"x"}}}, 3, false},
		"open, allowed": {Policy{FailUnder: 70, AllowInconclusive: true},
			report.Report{Score: score.Score{Value: 90, IfUntestedPassed: 100}, Coverage: report.Coverage{CoreUntested: []string{"x"}}}, 0, false},
		"open, allowed, and low": {Policy{FailUnder: 70, AllowInconclusive: true},
			report.Report{Score: score.Score{Value: 60, IfUntestedPassed: 100}, Coverage: report.Coverage{CoreUntested: []string{"x"}}}, 1, false},
		"nothing measured":                                {Policy{FailUnder: 0}, report.Report{Problem: "no target"}, 3, false},
		"nothing measured, allowed":                       {Policy{FailUnder: 70, AllowInconclusive: true}, report.Report{Problem: "no target", Score: score.Score{Value: 62, IfUntestedPassed: 100}}, 1, false},
		"nobody can log in, and it is missed for certain": {Policy{FailUnder: 70}, report.Report{Problem: "no users", Score: score.Score{Value: 5, IfUntestedPassed: 24}}, 3, true},
		"the same, allowed":                               {Policy{FailUnder: 70, AllowInconclusive: true}, report.Report{Problem: "no users", Score: score.Score{Value: 5, IfUntestedPassed: 24}}, 1, true},
		"untested points alone":                           {Policy{FailUnder: 70}, report.Report{Score: score.Score{Value: 69, IfUntestedPassed: 100}}, 1, false},
		"new finding":                                     {Policy{FailOn: "new"}, report.Report{Baseline: baseline, Findings: []report.Finding{{Rule: medium, Status: report.New}}}, 1, false},
		"known and accepted findings only":                {Policy{FailOn: "new"}, report.Report{Baseline: baseline, Findings: []report.Finding{{Rule: medium, Status: report.Known}, {Rule: medium, Status: report.Accepted}}}, 0, false},
		"a new note is no new finding":                    {Policy{FailOn: "new"}, report.Report{Baseline: baseline, Findings: []report.Finding{{Rule: finding.Rule{}, Status: report.New}}}, 0, false},
		"new only, without a baseline: the score is met": {Policy{FailOn: "new", FailUnder: 70},
			report.Report{Score: score.Score{Value: 75, IfUntestedPassed: 75}, Findings: []report.Finding{{Rule: medium, Status: report.New}}}, 0, false},
		"new only, without a baseline: the score is missed": {Policy{FailOn: "new", FailUnder: 70},
			report.Report{Score: score.Score{Value: 49, IfUntestedPassed: 49}, Findings: []report.Finding{{Rule: medium, Status: report.New}}}, 1, false},
		"new only, but a core rule is open": {Policy{FailOn: "new"}, report.Report{Baseline: baseline, Coverage: report.Coverage{CoreUntested: []string{"x"}}}, 3, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gate := test.policy.decide(test.report, test.outside)
			if gate.ExitCode != test.code || gate.Passed != (test.code == 0) || gate.Reason == "" {
				t.Errorf("%+v, want exit code %d", gate, test.code)
			}
		})
	}
}
