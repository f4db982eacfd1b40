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

// untested groups by reason, since one missing step leaves many rules open.
func untested(p *page, r report.Report) {
	var reasons []finding.Reason
	rules, total := map[finding.Reason][]string{}, 0
	for _, result := range r.Results {
		switch result.Outcome {
		case finding.Pass, finding.Fail, finding.NotApplicable:
			continue
		}
		if rules[result.Reason] == nil {
			reasons = append(reasons, result.Reason)
		}
		rules[result.Reason] = append(rules[result.Reason], result.Rule.ID)
		total++
	}
	if total == 0 {
		return
	}
	p.heading(warning, fmt.Sprintf("NOT TESTED: %d", total))
	for _, reason := range reasons {
		p.wrap(plain, "  ", "  ", cmp.Or(either(": ", string(reason.Code), reason.Text), "without a reason"))
		p.wrap(plain, inner, inner, strings.Join(rules[reason], ", "))
		if reason.Remedy != "" {
			p.wrap(faint, inner, inner, "To test it: "+reason.Remedy)
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
	for _, f := range r.Findings {
		if f.Status != report.Accepted {
			continue
		}
		line := either(", ", f.Rule.ID, f.Subject)
		for _, d := range r.Accepted {
			if covers(d, f.Rule) {
				used[d.Rule] = true
				line += ": " + reasonOf(d)
				break
			}
		}
		lines = append(lines, line)
	}
	for _, d := range r.Accepted {
		if !used[d.Rule] {
			lines = append(lines, d.Rule+": "+reasonOf(d)+"; nothing found")
		}
	}
	return lines
}

func covers(d report.Declared, rule finding.Rule) bool {
	return d.Rule == rule.ID || d.Rule == rule.Base()
}

func reasonOf(d report.Declared) string {
	if d.Until.IsZero() {
		return d.Reason
	}
	return d.Reason + " (until " + d.Until.Format("2006-01-02") + ")"
}
