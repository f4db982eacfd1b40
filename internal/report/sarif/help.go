package sarif

import (
	"cmp"
	"strings"

	"github.com/owenrumney/go-sarif/v2/sarif"

	"github.com/sessiongate/sessiongate/internal/finding"
)

func helpOf(rule finding.Rule) *sarif.MultiformatMessageString {
	return sarif.NewMultiformatMessageString(plainHelp(rule)).WithMarkdown(markdownHelp(rule))
}

// plainHelp is never empty: GitHub wants a help text for each rule.
func plainHelp(rule finding.Rule) string {
	parts := paragraphs(rule.Why, labelled("Fix: ", rule.Fix), labelled("With FastAPI:\n\n", rule.FastAPI),
		labelled("Standards: ", strings.Join(rule.Standards(), ", ")))
	return cmp.Or(parts, rule.Title, rule.ID)
}

func markdownHelp(rule finding.Rule) string {
	standards := rule.Standards()
	for i, standard := range standards {
		standards[i] = "- " + standard
	}
	parts := paragraphs(labelled("## Why it matters\n\n", rule.Why), labelled("## How to fix it\n\n", rule.Fix),
		labelled("### FastAPI\n\n", fenced("python", rule.FastAPI)),
		labelled("## Standards\n\n", strings.Join(standards, "\n")))
	return cmp.Or(parts, rule.Title, rule.ID)
}

func paragraphs(parts ...string) string {
	var there []string
	for _, part := range parts {
		if part != "" {
			there = append(there, part)
		}
	}
	return strings.Join(there, "\n\n")
}

func labelled(label, text string) string {
	if text == "" {
		return ""
	}
	return label + text
}

// fenced takes a fence that the code does not hold.
func fenced(language, code string) string {
	if code == "" {
		return ""
	}
	fence := "```"
	for strings.Contains(code, fence) {
		fence += "`"
	}
	return fence + language + "\n" + code + "\n" + fence
}
