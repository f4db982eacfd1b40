package audit

import (
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
)

// Unmeasured is the result of a scan that could not begin: every rule stands
// in it, none is tested, and each says why.
func Unmeasured(catalogue []probe.Probe, notApplicable map[string]string, reason finding.Reason) Result {
	r := &run{Options: Options{NotApplicable: notApplicable}}
	result := Result{Problem: reason}
	for _, p := range catalogue {
		verdict := finding.Verdict{Outcome: finding.NotTested, Reason: reason}
		if declared, is := r.declared(p.Rule); is {
			verdict = finding.Verdict{Outcome: finding.NotApplicable, Reason: finding.Reason{Code: finding.Declared, Text: declared}}
		}
		result.Outcomes = append(result.Outcomes, Outcome{p, verdict})
	}
	return result
}
