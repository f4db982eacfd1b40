package audit

import (
	"fmt"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
)

// Exit codes of the contract.
const (
	ExitMet      = 0
	ExitNotMet   = 1
	ExitUsage    = 2
	ExitUnproven = 3
)

// Policy is what the user lets pass.
type Policy struct {
	FailUnder         int
	FailOn            string // any | new
	AllowInconclusive bool
}

// decide closes where it cannot know: a gate that is missed even if all that is
// untested passed is missed for certain; else an open core probe leaves the
// question open, whatever the score says. Where nobody could log in (outside), the
// question is open before any other.
func (p Policy) decide(r report.Report, outside bool) report.Gate {
	gate := report.Gate{FailUnder: p.FailUnder, FailOn: p.FailOn}
	fresh := 0
	for _, found := range r.Findings {
		if found.Status == report.New && found.Rule.Severity > 0 {
			fresh++
		}
	}
	onlyNew := p.FailOn == "new" && r.Baseline.Given
	instead := ""
	if p.FailOn == "new" && !onlyNew {
		instead = ", which decides without a baseline"
	}
	missed := onlyNew && fresh > 0 || !onlyNew && r.Score.IfUntestedPassed < p.FailUnder
	unmeasured := r.Problem != "" && !p.AllowInconclusive
	switch {
	case unmeasured && outside:
		gate.ExitCode, gate.Reason = ExitUnproven, partly(r)
	case missed && onlyNew:
		gate.ExitCode, gate.Reason = ExitNotMet, fmt.Sprintf("%s that the baseline does not have", count(fresh, "finding"))
	case missed:
		gate.ExitCode, gate.Reason = ExitNotMet, fmt.Sprintf("score %d is below %d%s", r.Score.Value, p.FailUnder, instead)
	case unmeasured:
		gate.ExitCode, gate.Reason = ExitUnproven, partly(r)
	case r.Target.StoreProblem != "" && !p.AllowInconclusive:
		gate.ExitCode, gate.Reason = ExitUnproven, "the session store could not be used: "+r.Target.StoreProblem
	case len(r.Coverage.CoreUntested) > 0 && !p.AllowInconclusive:
		gate.ExitCode, gate.Reason = ExitUnproven, "core rules could not be tested: "+strings.Join(r.Coverage.CoreUntested, ", ")
	case !onlyNew && r.Score.Value < p.FailUnder:
		gate.ExitCode, gate.Reason = ExitNotMet, fmt.Sprintf("score %d is below %d%s", r.Score.Value, p.FailUnder, instead)
	case onlyNew:
		gate.Passed, gate.Reason = true, "no finding that the baseline does not have"
	default:
		gate.Passed, gate.Reason = true, fmt.Sprintf("score %d meets %d%s", r.Score.Value, p.FailUnder, instead)
	}
	return gate
}

func partly(r report.Report) string {
	if r.Coverage.Tested > 0 {
		return "not everything could be measured: " + r.Problem
	}
	return "nothing could be measured: " + r.Problem
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// blocks reports whether an untested core rule keeps the gate from answering.
func blocks(rule finding.Rule, verdict finding.Verdict) bool {
	return rule.Core && verdict.Outcome == finding.NotTested && verdict.Reason.Code.Blocks()
}
