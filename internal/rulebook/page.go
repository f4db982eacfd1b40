package rulebook

import (
	"fmt"
	"io"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/report/screen"
)

const inner = "  "

// Page writes a rule, which is the probe's own or one of its variants, for a
// terminal. Its error is the writer's.
func Page(w io.Writer, p probe.Probe, rule finding.Rule, style screen.Style) error {
	page := screen.New(style)
	page.Wrap(lookOf(rule.Severity), "", "", strings.ToUpper(severity(rule))+" "+rule.Title)
	page.Wrap(screen.Faint, "", "", rule.ID+", family "+string(rule.Family)+core(rule))
	for _, other := range p.Rules() {
		if other.ID != rule.ID {
			page.Wrap(screen.Faint, "", inner, "see also "+other.ID+" ("+severity(other)+"): "+other.Title)
		}
	}
	part := func(heading, text string) {
		page.Heading(screen.Bold, heading)
		page.Wrap(screen.Plain, inner, inner, text)
	}
	part("Why it matters", rule.Why)
	page.Heading(screen.Bold, "How it is tested")
	for i, step := range p.How {
		page.Wrap(screen.Plain, fmt.Sprintf("%s%d. ", inner, i+1), inner+"   ", step)
	}
	part("How to fix it", rule.Fix)
	if rule.FastAPI != "" {
		page.Heading(screen.Bold, "With FastAPI")
		page.Verbatim(inner, rule.FastAPI)
	}
	page.Heading(screen.Bold, "What can leave it not tested")
	for _, clause := range Open(p) {
		page.Wrap(screen.Plain, inner+"- ", inner+"  ", clause)
	}
	page.Wrap(screen.Plain, inner+"- ", inner+"  ", common)
	part("Standards", strings.Join(rule.Standards(), ", "))
	_, err := io.WriteString(w, page.Text())
	return err
}

// List writes every rule by family, for a terminal. Its error is the writer's.
func List(w io.Writer, probes []probe.Probe, style screen.Style) error {
	page := screen.New(style)
	rules := 0
	for i, f := range families(probes) {
		if i > 0 {
			page.Blank()
		}
		page.Wrap(screen.Bold, "", inner, strings.ToUpper(string(f.name))+": "+about[f.name])
		for _, p := range f.probes {
			for _, rule := range p.Rules() {
				rules++
				page.Wrap(screen.Plain, inner+fmt.Sprintf("%-13s ", severity(rule)), strings.Repeat(" ", 16), rule.ID+core(rule)+deep(p))
				page.Wrap(screen.Faint, strings.Repeat(" ", 16), strings.Repeat(" ", 16), rule.Title)
			}
		}
	}
	page.Blank()
	page.Wrap(screen.Plain, "", "", fmt.Sprintf("%d rules. A core rule must be answered for the gate to decide. sessiongate explain RULE shows one.", rules))
	_, err := io.WriteString(w, page.Text())
	return err
}

func severity(rule finding.Rule) string {
	if rule.Severity == 0 {
		return string(finding.Note)
	}
	return string(rule.Severity.Level()) + " " + rule.Severity.String()
}

func core(rule finding.Rule) string {
	if rule.Core {
		return ", core"
	}
	return ""
}

func deep(p probe.Probe) string {
	if p.Deep {
		return ", deep profile"
	}
	return ""
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
