package rulebook

import (
	"fmt"
	"io"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/probe"
)

// Markdown writes every rule of the catalogue as one document, with the cases
// that prove a rule on software that others published, by rule. It is the same
// for the same input. Its error is the writer's.
func Markdown(w io.Writer, probes []probe.Probe, proofs map[string][]string) error {
	var b strings.Builder
	b.WriteString(`# Rules

Made from the catalogue by ` + "`go test ./testenv -run RULES -update`" + `; ` + "`sessiongate explain RULE`" + ` shows the same page in a terminal.

A rule **passes** when the attack failed while its controls held, and **fails** when the attack worked twice, each time
with fresh ids. Otherwise it is **not tested**, with the reason and what to do about it. Any rule is left not tested by
` + common + `. A **core** rule
must be answered for the gate to decide. Severities are CVSS 3.1 base scores.

`)
	tables(&b, probes, func(id string) string { return "#" + anchor(id) })
	for _, p := range probes {
		entry(&b, p, proofs)
		for _, variant := range p.Variants {
			fmt.Fprintf(&b, "## %s\n\n**%s.** %s\n\nTested and fixed as [`%s`](#%s), of which it is the form with this severity.\n\n%s",
				variant.ID, escape(variant.Title), facts(p, variant), p.Rule.ID, anchor(p.Rule.ID), proven(proofs[variant.ID]))
		}
	}
	_, err := io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
	return err
}

// MarkdownPage is one rule, which is the probe's own or one of its variants, as
// a document. A variant is told with what it shares with the probe's rule.
func MarkdownPage(p probe.Probe, rule finding.Rule) string {
	var b strings.Builder
	if rule.ID != p.Rule.ID {
		rule.Why, rule.Fix, rule.FastAPI = p.Rule.Why, p.Rule.Fix, p.Rule.FastAPI
		p.Rule = rule
	}
	entry(&b, p, nil)
	return strings.TrimPrefix(strings.TrimRight(b.String(), "\n")+"\n", "#")
}

// MarkdownList is every rule by family, with links that the caller makes of ids.
func MarkdownList(probes []probe.Probe, link func(id string) string) string {
	var b strings.Builder
	b.WriteString("# Rules\n\n")
	tables(&b, probes, link)
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func tables(b *strings.Builder, probes []probe.Probe, link func(id string) string) {
	for _, f := range families(probes) {
		fmt.Fprintf(b, "**%s.** %s\n\n| rule | severity | |\n|---|---|---|\n", title(string(f.name)), escape(about[f.name]))
		for _, p := range f.probes {
			for _, rule := range p.Rules() {
				fmt.Fprintf(b, "| [`%s`](%s) | %s | %s |\n", rule.ID, link(rule.ID), severity(rule), strings.TrimPrefix(core(rule)+deep(p), ", "))
			}
		}
		b.WriteString("\n")
	}
}

func entry(b *strings.Builder, p probe.Probe, proofs map[string][]string) {
	rule := p.Rule
	fmt.Fprintf(b, "## %s\n\n**%s.** %s\n\n### How it is tested\n\n", rule.ID, escape(rule.Title), facts(p, rule))
	for i, step := range p.How {
		fmt.Fprintf(b, "%d. %s\n", i+1, escape(step))
	}
	fmt.Fprintf(b, "\n### Why it matters\n\n%s\n\n### How to fix it\n\n%s\n\n", escape(rule.Why), escape(rule.Fix))
	if rule.FastAPI != "" {
		fmt.Fprintf(b, "With FastAPI:\n\n```python\n%s\n```\n\n", rule.FastAPI)
	}
	if clauses := Open(p); len(clauses) > 0 {
		b.WriteString("### What can leave it not tested\n\n")
		for _, clause := range clauses {
			fmt.Fprintf(b, "- %s\n", escape(clause))
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(b, "### Standards\n\n%s\n\n%s", strings.Join(rule.Standards(), ", "), proven(proofs[rule.ID]))
}

// proven links to the cases, which are folders of the corpus.
func proven(cases []string) string {
	if len(cases) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("### Proven on\n\n")
	for _, one := range cases {
		fmt.Fprintf(&b, "- %s\n", one)
	}
	return b.String() + "\n"
}

func facts(p probe.Probe, rule finding.Rule) string {
	return title(severity(rule)) + ", family " + string(rule.Family) + core(rule) + deep(p) + "."
}

func title(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// anchor is the name GitHub gives to a heading.
func anchor(id string) string { return strings.ReplaceAll(id, "/", "") }

// escape keeps the catalogue's words from being taken for Markdown. They are
// our own, so that the few signs they use are enough.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "<", `\<`, "[", `\[`, "]", `\]`, "|", `\|`).Replace(text)
}
