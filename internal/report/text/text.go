// Package text writes a report for a person at a terminal: what worked against
// the API first, then what did not, and last what it costs. It rates nothing.
package text

import (
	"fmt"
	"io"
	"strings"

	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/report/screen"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// Style is how the text looks. The zero value is 80 columns without colour.
type Style = screen.Style

// Write writes the report. Code and commands keep their lines, however long;
// all else is wrapped. Its error is the writer's.
func Write(w io.Writer, r report.Report, style Style) error {
	p := screen.New(style)
	header(p, r)
	if r.Problem != "" {
		problem(p, r)
	}
	findings(p, r)
	held(p, r)
	if r.Problem == "" {
		untested(p, r)
	}
	declared(p, r)
	if r.Problem == "" {
		points(p, r)
	}
	gate(p, r)
	_, err := io.WriteString(w, p.Text())
	return err
}

func header(p *screen.Page, r report.Report) {
	title := "sessiongate " + r.Version + ": " + r.Target.URL
	if r.Target.Name != "" {
		title += " (" + r.Target.Name + ")"
	}
	p.Wrap(screen.Bold, "", "  ", title)
	p.Blank()
	entry(p, "Store", r.Target.Store)
	if r.Target.StoreProblem != "" {
		p.Wrap(screen.Bad, "  Store     ", strings.Repeat(" ", 12), "not used: "+r.Target.StoreProblem)
	}
	discovered(p, r.Discovered)
	entry(p, "Session", either(", ", r.Calibration.Carrier, r.Calibration.Kind))
	entry(p, "Accounts", accounts(r.Calibration))
	if r.Problem == "" {
		controls(p, r.Calibration.Controls)
	}
	entry(p, "Traffic", fmt.Sprintf("%s, %s, %.1f s", count(r.Requests, "request"), count(r.Logins, "login"), r.Duration.Seconds()))
}

// discovered is a line for each step that the recipe leaves out.
func discovered(p *screen.Page, all []report.Discovered) {
	for i, one := range all {
		name := ""
		if i == 0 {
			name = "Found"
		}
		if one.Request == "" {
			p.Wrap(screen.Warning, fmt.Sprintf("  %-10s", name), strings.Repeat(" ", 16), "no "+one.Step+": "+one.Note+"; "+one.Pin)
			continue
		}
		line := one.Step + ": " + one.Request
		if one.From != "" {
			line += ", from " + one.From
		}
		if one.Unproven {
			line += "; not used: " + one.Note
		}
		p.Wrap(screen.Plain, fmt.Sprintf("  %-10s", name), strings.Repeat(" ", 16), line)
	}
	if len(all) > 0 {
		entry(p, "", "pin them with sessiongate init")
	}
}

func entry(p *screen.Page, name, text string) {
	if text == "" {
		return
	}
	p.Wrap(screen.Plain, fmt.Sprintf("  %-10s", name), strings.Repeat(" ", 12), text)
}

// either joins those that are there.
func either(separator string, texts ...string) string {
	var there []string
	for _, text := range texts {
		if text != "" {
			there = append(there, text)
		}
	}
	return strings.Join(there, separator)
}

func accounts(c report.Calibration) string {
	victim, attackers := "", ""
	if c.Victim != "" {
		victim = "victim " + c.Victim
	}
	if c.Attackers != "" {
		attackers = "attackers: " + c.Attackers
	}
	return either("; ", victim, attackers)
}

// controls names those that did not hold: the others are what every verdict
// rests on anyway.
func controls(p *screen.Page, all []trace.Control) {
	if len(all) == 0 {
		return
	}
	kept := 0
	for _, control := range all {
		if control.Held {
			kept++
		}
	}
	entry(p, "Controls", fmt.Sprintf("%d of %d held", kept, len(all)))
	for _, control := range all {
		if !control.Held {
			p.Wrap(screen.Warning, strings.Repeat(" ", 12), strings.Repeat(" ", 16), controlLine(control))
		}
	}
}

func controlLine(c trace.Control) string {
	word := "did not hold"
	switch {
	case c.Held:
		word = "held"
	case c.Skipped:
		word = "not made"
	}
	line := fmt.Sprintf("%s %s: %s", c.Name, word, c.Says)
	if c.Note != "" {
		line += " (" + c.Note + ")"
	}
	return line
}

func count(number int, thing string) string {
	if number == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", number, thing)
}

// problem comes before all else: the rest is only what was seen until then.
func problem(p *screen.Page, r report.Report) {
	heading, rated := "COULD NOT MEASURE", "There is no score: what was not measured is not rated."
	if len(r.Findings) > 0 { // strangers see enough for some
		heading, rated = "COULD NOT MEASURE EVERYTHING", "What was not measured is counted against the score."
	}
	p.Heading(screen.Bad, heading)
	p.Wrap(screen.Bad, "  ", "  ", r.Problem)
	p.Heading(screen.Bold, "WHAT WAS ESTABLISHED")
	if len(r.Calibration.Controls) == 0 {
		p.Wrap(screen.Plain, "  ", "  ", "Nothing: no control could be made.")
	}
	for _, control := range r.Calibration.Controls {
		look := screen.Warning
		if control.Held {
			look = screen.Good
		}
		p.Wrap(look, "  ", "      ", controlLine(control))
	}
	p.Wrap(screen.Plain, "  ", "  ", fmt.Sprintf("%d of %d rules were tested. %s", r.Coverage.Tested, r.Coverage.Applicable, rated))
}
