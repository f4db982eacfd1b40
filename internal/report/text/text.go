// Package text writes a report for a person at a terminal: what worked against
// the API first, then what did not, and last what it costs. It rates nothing.
package text

import (
	"fmt"
	"io"
	"strings"

	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// Style is how the text looks. The zero value is 80 columns without colour.
type Style struct {
	Color bool
	Width int // columns; 0 is 80, and less than 40 is 40
}

// Write writes the report. Code and commands keep their lines, however long;
// all else is wrapped. Its error is the writer's.
func Write(w io.Writer, r report.Report, style Style) error {
	p := newPage(style)
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
	_, err := io.WriteString(w, p.text())
	return err
}

func header(p *page, r report.Report) {
	title := "sessiongate " + r.Version + ": " + r.Target.URL
	if r.Target.Name != "" {
		title += " (" + r.Target.Name + ")"
	}
	p.wrap(bold, "", "  ", title)
	p.blank()
	entry(p, "Store", r.Target.Store)
	if r.Target.StoreProblem != "" {
		p.wrap(bad, "  Store     ", strings.Repeat(" ", 12), "not used: "+r.Target.StoreProblem)
	}
	entry(p, "Session", either(", ", r.Calibration.Carrier, r.Calibration.Kind))
	entry(p, "Accounts", accounts(r.Calibration))
	if r.Problem == "" {
		controls(p, r.Calibration.Controls)
	}
	entry(p, "Traffic", fmt.Sprintf("%s, %s, %.1f s", count(r.Requests, "request"), count(r.Logins, "login"), r.Duration.Seconds()))
}

func entry(p *page, name, text string) {
	if text == "" {
		return
	}
	p.wrap(plain, fmt.Sprintf("  %-10s", name), strings.Repeat(" ", 12), text)
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
func controls(p *page, all []trace.Control) {
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
			p.wrap(warning, strings.Repeat(" ", 12), strings.Repeat(" ", 16), controlLine(control))
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
func problem(p *page, r report.Report) {
	p.heading(bad, "COULD NOT MEASURE")
	p.wrap(bad, "  ", "  ", r.Problem)
	p.heading(bold, "WHAT WAS ESTABLISHED")
	if len(r.Calibration.Controls) == 0 {
		p.wrap(plain, "  ", "  ", "Nothing: no control could be made.")
	}
	for _, control := range r.Calibration.Controls {
		look := warning
		if control.Held {
			look = good
		}
		p.wrap(look, "  ", "      ", controlLine(control))
	}
	p.wrap(plain, "  ", "  ", fmt.Sprintf("%d of %d rules were tested. There is no score: what was not measured is not rated.",
		r.Coverage.Tested, r.Coverage.Applicable))
}
