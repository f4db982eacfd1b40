package catalog_test

import (
	"fmt"
	"slices"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// flaw says what is wrong with a verdict whatever it judges; "" for nothing.
func flaw(p probe.Probe, seen trace.Trace, verdict finding.Verdict) string {
	if id, told := containsAny(texts(verdict), secrets(seen)); told {
		return "the verdict tells the session id " + id
	}
	switch verdict.Outcome {
	case finding.Pass:
		if len(verdict.Findings) > 0 || verdict.Reason != (finding.Reason{}) {
			return fmt.Sprintf("a pass has findings or a reason: %+v", verdict)
		}
	case finding.NotTested:
		if verdict.Reason.Code == "" || verdict.Reason.Text == "" || len(verdict.Findings) > 0 {
			return fmt.Sprintf("a not-tested needs a code and a text, and no findings: %+v", verdict)
		}
	case finding.Fail:
		if len(verdict.Findings) == 0 || verdict.Reason != (finding.Reason{}) {
			return fmt.Sprintf("a fail needs findings, and no reason: %+v", verdict)
		}
	default:
		return fmt.Sprintf("%q is no outcome of a judge", verdict.Outcome)
	}
	for _, found := range verdict.Findings {
		if problem := flawOf(found, p, seen); problem != "" {
			return problem
		}
	}
	return ""
}

func flawOf(found finding.Finding, p probe.Probe, seen trace.Trace) string {
	own := slices.ContainsFunc(p.Rules(), func(rule finding.Rule) bool { return rule.ID == found.Rule })
	switch {
	case !own:
		return fmt.Sprintf("the probe %s found %q, which is no rule of its own", p.Rule.ID, found.Rule)
	case found.Subject == "":
		return "a finding without a subject"
	case found.Step == "":
		return "a finding without a step"
	case found.Message == "":
		return "a finding without a message"
	}
	for _, evidence := range found.Evidence {
		if !rests(evidence, seen) {
			return fmt.Sprintf("no exchange is what the evidence says: %+v", evidence)
		}
	}
	return ""
}

// rests reports whether the evidence tells of an exchange that was seen, where
// it tells of one at all.
func rests(evidence finding.Evidence, seen trace.Trace) bool {
	return evidence.Exchange == 0 || slices.ContainsFunc(seen.Exchanges, func(e trace.Exchange) bool {
		return e.Seq == evidence.Exchange && e.Actor == evidence.Actor && e.Request.Line() == evidence.Request && e.Response.Status == evidence.Status
	})
}
