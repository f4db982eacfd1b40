package text

import (
	"fmt"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/report/screen"
	"github.com/sessiongate/sessiongate/internal/report/tame"
)

const (
	body = "   " // stands below the title of a finding
	code = "       "
)

// findings tells those attacks that somebody has to do something about.
func findings(p *screen.Page, r report.Report) {
	told := r.Counted()
	if len(told) == 0 {
		return
	}
	p.Heading(screen.Bold, fmt.Sprintf("FINDINGS: %d", len(told)))
	for i, f := range told {
		p.Blank()
		story(p, i+1, f)
	}
}

func story(p *screen.Page, number int, f report.Finding) {
	severity := f.Rule.Severity
	badge := strings.ToUpper(string(severity.Level()))
	if severity > 0 {
		badge += " " + severity.String()
	}
	p.Wrap(lookOf(severity), fmt.Sprintf("%d. ", number), body, badge+"  "+f.Rule.Title)
	p.Wrap(screen.Faint, body, body, either(", ", f.Rule.ID, f.Subject, sinceWhen(f.Status)))
	p.Blank()
	p.Wrap(screen.Plain, body, body, f.Message)
	exchanges(p, f.Evidence)
	flow(p, f.Flow)
	if f.Rule.Why != "" {
		p.Blank()
		p.Line(screen.Bold, body+"Why it matters")
		p.Wrap(screen.Plain, body, body, f.Rule.Why)
	}
	remedy(p, f)
	if f.Replay != "" {
		p.Blank()
		p.Line(screen.Bold, body+"See it yourself")
		p.Verbatim(code, f.Replay)
	}
}

func lookOf(severity finding.Severity) screen.Look {
	switch severity.Level() {
	case finding.Critical, finding.High:
		return screen.Bad
	case finding.Medium, finding.Low:
		return screen.Warning
	}
	return screen.Bold
}

func sinceWhen(status report.Status) string {
	if status == report.Known {
		return "known from the baseline"
	}
	return ""
}

// The widest columns: one long path or name is not to push every note off the
// page.
const (
	widest      = 24
	widestActor = 18
)

func exchanges(p *screen.Page, all []finding.Evidence) {
	if len(all) == 0 {
		return
	}
	p.Blank()
	actors, requests := 0, 0
	for _, seen := range all {
		if isWitness(seen) {
			continue
		}
		actors = max(actors, min(widestActor, screen.Columns(tame.Line(seen.Actor))))
		requests = max(requests, min(widest, screen.Columns(tame.Line(seen.Request))))
	}
	for i, seen := range all {
		if isWitness(seen) {
			start := fmt.Sprintf("%s%2d. %s  ", body, i+1, tame.Line(seen.Actor))
			p.Wrap(screen.Plain, start, body+"    ", testimony(seen))
			continue
		}
		answer := "  -"
		if seen.Status != 0 {
			answer = fmt.Sprintf("%3d", seen.Status)
		}
		actor := tame.Line(seen.Actor)
		start := fmt.Sprintf("%s%2d. %-*s  ", body, i+1, actors, actor)
		if screen.Columns(actor) > actors { // it has a line to itself
			p.Line(screen.Plain, start)
			start = strings.Repeat(" ", screen.Columns(body)+4+actors+2)
		}
		start += fmt.Sprintf("%-*s  %s  ", requests, tame.Line(seen.Request), answer)
		rest := strings.Repeat(" ", screen.Columns(start))
		if screen.Columns(start) > p.Width()-20 { // no room beside it
			p.Line(screen.Plain, start)
			start, rest = code, code
		}
		if seen.Note != "" || start != code {
			p.Wrap(screen.Plain, start, rest, seen.Note)
		}
	}
}

// isWitness reports whether the line is no request of ours, but what the store
// or the log showed: a sentence that needs the width of the page.
func isWitness(seen finding.Evidence) bool { return seen.Actor == "store" || seen.Actor == "API" }

func testimony(seen finding.Evidence) string {
	if strings.HasPrefix(seen.Note, seen.Request) {
		return seen.Note
	}
	return seen.Request + ": " + seen.Note
}

// flow tells how the source comes to do it.
func flow(p *screen.Page, steps []finding.Step) {
	if len(steps) == 0 {
		return
	}
	p.Blank()
	p.Line(screen.Bold, body+"In the source")
	for _, step := range steps {
		p.Wrap(screen.Plain, code, code+"  ", place(step.Location)+": "+step.Says)
	}
}

func remedy(p *screen.Page, f report.Finding) {
	p.Blank()
	heading := "Fix"
	if f.Location.File != "" {
		heading += " in " + place(f.Location)
	}
	p.Line(screen.Bold, body+heading)
	if f.Doubt != "" {
		p.Wrap(screen.Faint, body, body, "It is not known which handler answers: "+f.Doubt+". A source on the step of the recipe says it.")
	}
	p.Wrap(screen.Plain, body, body, f.Rule.Fix)
	if f.Rule.FastAPI != "" {
		p.Blank()
		p.Verbatim(code, f.Rule.FastAPI)
	}
}

func place(l finding.Location) string {
	if l.Line < 1 {
		return l.File
	}
	return fmt.Sprintf("%s:%d", l.File, l.Line)
}
