package action

import (
	"fmt"

	"github.com/sessiongate/sessiongate/internal/audit"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
)

// most is how many findings of a type are annotated: GitHub shows ten of each
// for a step, and one says that there are more (ExecutionContext.cs).
const most = 9

// annotations shows the findings at their lines, the worst first, and why the
// gate is not met.
func (j *job) annotations(made report.Report) {
	counts := map[string]int{}
	if made.Gate.ExitCode == audit.ExitUnproven {
		j.runner.annotate(annotation{level: "error", title: "sessiongate: could not measure", text: made.Gate.Reason})
		counts["error"]++
	}
	for _, found := range made.Counted() {
		level := levelOf(found)
		if counts[level]++; counts[level] > most {
			continue
		}
		j.runner.annotate(annotation{level: level, title: fmt.Sprintf("%s %s: %s", found.Rule.Severity.Level(), found.Rule.Severity, found.Rule.Title),
			file: found.Place().File, line: found.Place().Line, text: found.Message + " Fix: " + found.Rule.Fix})
	}
	for _, level := range []string{"error", "warning", "notice"} {
		if more := counts[level] - most; more > 0 {
			j.runner.annotate(annotation{level: level, title: "sessiongate", text: fmt.Sprintf("%d more of this kind: see the summary of this job", more)})
		}
	}
}

// levelOf: a known finding blocks nobody where only new ones do, and is no
// error of this pull request's.
func levelOf(found report.Finding) string {
	switch found.Rule.Severity.Level() {
	case finding.Critical, finding.High:
		if found.Status == report.Known {
			return "warning"
		}
		return "error"
	case finding.Medium:
		return "warning"
	}
	return "notice"
}
