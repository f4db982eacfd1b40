package text

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
)

const inner = "    "

// held lists the attacks that failed, those with something to say apart.
func held(p *page, r report.Report) {
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
	p.heading(good, fmt.Sprintf("HELD: %d", len(quiet)+len(noted)))
	if len(quiet) > 0 {
		p.wrap(plain, "  ", "  ", strings.Join(quiet, ", "))
	}
	for _, note := range noted {
		p.wrap(plain, "  ", inner, note)
	}
}

// untested says what would have to change, once for each reason.
func untested(p *page, r report.Report) {
	groups, total := r.Open(), 0
	for _, open := range groups {
		total += len(open.Rules)
	}
	if total == 0 {
		return
	}
	p.heading(warning, fmt.Sprintf("NOT TESTED: %d", total))
	for _, open := range groups {
		p.wrap(plain, "  ", "  ", cmp.Or(either(": ", string(open.Reason.Code), open.Reason.Text), "without a reason"))
		p.wrap(plain, inner, inner, strings.Join(open.Rules, ", "))
		if open.Reason.Remedy != "" {
			p.wrap(faint, inner, inner, "To test it: "+open.Reason.Remedy)
		}
	}
}

// declared is what the user has said of rules, with the user's reasons.
func declared(p *page, r report.Report) {
	var without []string
	for _, result := range r.Results {
		if result.Outcome == finding.NotApplicable {
			without = append(without, either(": ", result.Rule.ID, result.Reason.Text))
		}
	}
	section(p, "NOT APPLICABLE", without)
	section(p, "ACCEPTED", accepted(r))
}

func section(p *page, name string, lines []string) {
	if len(lines) == 0 {
		return
	}
	p.heading(bold, fmt.Sprintf("%s: %d", name, len(lines)))
	for _, line := range lines {
		p.wrap(plain, "  ", inner, line)
	}
}

// accepted names the findings, and the declarations that cover none: those
// can go.
func accepted(r report.Report) []string {
	var lines []string
	used := map[string]bool{}
	for _, f := range r.With(report.Accepted) {
		line := either(", ", f.Rule.ID, f.Subject)
		if declared, covered := r.Acceptance(f.Rule); covered {
			used[declared.Rule] = true
			line += ": " + declared.String()
		}
		lines = append(lines, line)
	}
	for _, d := range r.Accepted {
		if !used[d.Rule] {
			lines = append(lines, d.Rule+": "+d.String()+"; nothing found")
		}
	}
	return lines
}
