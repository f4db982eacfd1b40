package text

import (
	"fmt"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/report/screen"
)

// points lets a reader add up the score: every line, and what else bounds it.
func points(p *screen.Page, r report.Report) {
	p.Heading(screen.Bold, fmt.Sprintf("SCORE: %d of 100, grade %s", r.Score.Value, r.Score.Grade))
	taken, open := 0, false
	for _, line := range r.Score.Deductions {
		taken += line.Points
		text := fmt.Sprintf("%7s  %s", "-"+finding.Severity(line.Points).String(), line.Rule)
		if line.Untested {
			text, open = text+" (not tested)", true
		}
		p.Line(screen.Plain, text)
	}
	if taken > 1000 {
		p.Wrap(screen.Plain, "  ", "  ", "More than 100 points are taken; the score ends at 0.")
	}
	if 1000-taken > 10*r.Score.Cap {
		p.Wrap(screen.Plain, "  ", "  ", fmt.Sprintf("The worst finding caps the score at %d.", r.Score.Cap))
	}
	if open {
		p.Wrap(screen.Plain, "  ", "  ", fmt.Sprintf("The score would be %d if everything not tested passed.", r.Score.IfUntestedPassed))
	}
	coverage(p, r.Coverage)
}

func coverage(p *screen.Page, c report.Coverage) {
	p.Wrap(screen.Plain, "  ", "  ", fmt.Sprintf("%d of %d rules were tested.", c.Tested, c.Applicable))
	if len(c.CoreUntested) > 0 {
		p.Wrap(screen.Warning, "  ", inner, "Core rules not tested: "+strings.Join(c.CoreUntested, ", "))
	}
}

// notMeasured is the exit code of a gate that cannot answer.
const notMeasured = 3

func gate(p *screen.Page, r report.Report) {
	as, word := screen.Bad, "GATE NOT MET"
	switch {
	case r.Gate.Passed:
		as, word = screen.Good, "GATE MET"
	case r.Gate.ExitCode == notMeasured:
		word = "GATE UNDECIDED"
	}
	p.Blank()
	p.Wrap(as, "", "  ", fmt.Sprintf("%s: %s (exit code %d)", word, r.Gate.Reason, r.Gate.ExitCode))
}
