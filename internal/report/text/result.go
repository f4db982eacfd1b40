package text

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/report/screen"
)

const inner = "    "

// held lists the attacks that failed, those with something to say apart.
func held(p *screen.Page, r report.Report) {
	var quiet, noted []string
	for _, result := range r.Results {
		switch {
		case result.Outcome != finding.Pass:
		case result.Note == "":
			quiet = append(quiet, result.Rule.ID)
		default:
			noted = append(noted, result.Rule.ID+": "+result.Note)
		}
	}
	if len(quiet)+len(noted) == 0 {
		return
	}
	p.Heading(screen.Good, fmt.Sprintf("HELD: %d", len(quiet)+len(noted)))
	if len(quiet) > 0 {
		p.Wrap(screen.Plain, "  ", "  ", strings.Join(quiet, ", "))
	}
	for _, note := range noted {
		p.Wrap(screen.Plain, "  ", inner, note)
	}
}

// untested says what would have to change, once for each reason.
func untested(p *screen.Page, r report.Report) {
	groups, total := r.Open(), 0
	for _, open := range groups {
		total += len(open.Rules)
	}
	if total == 0 {
		return
	}
	p.Heading(screen.Warning, fmt.Sprintf("NOT TESTED: %d", total))
	for _, open := range groups {
		p.Wrap(screen.Plain, "  ", "  ", cmp.Or(either(": ", string(open.Reason.Code), open.Reason.Text), "without a reason"))
		p.Wrap(screen.Plain, inner, inner, strings.Join(open.Rules, ", "))
		if open.Reason.Remedy != "" {
			p.Wrap(screen.Faint, inner, inner, "To test it: "+open.Reason.Remedy)
		}
	}
}

// declared is what the user has said of rules, with the user's reasons.
func declared(p *screen.Page, r report.Report) {
	var without []string
	for _, result := range r.Results {
		if result.Outcome == finding.NotApplicable {
			without = append(without, either(": ", result.Rule.ID, result.Reason.Text))
		}
	}
	section(p, "NOT APPLICABLE", without)
	section(p, "ACCEPTED", accepted(r))
}

func section(p *screen.Page, name string, lines []string) {
	if len(lines) == 0 {
		return
	}
	p.Heading(screen.Bold, fmt.Sprintf("%s: %d", name, len(lines)))
	for _, line := range lines {
		p.Wrap(screen.Plain, "  ", inner, line)
	}
}

// accepted names the findings, and the declarations that cover none: those
// can go.
func accepted(r report.Report) []string {
	var lines []string
	used := map[string]bool{}
	for _, f := range r.With(report.Accepted) {
		line := either(", ", f.Rule.ID, f.Subject)
		used[f.Declared.Rule] = true
		lines = append(lines, either(": ", line, f.Declared.String()))
	}
	for _, d := range r.Accepted {
		if !used[d.Rule] {
			lines = append(lines, d.Rule+": "+d.String()+"; nothing found")
		}
	}
	return lines
}
