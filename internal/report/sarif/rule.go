package sarif

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/owenrumney/go-sarif/v2/sarif"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
)

// What code scanning takes: longer descriptions and more than 20 tags have the
// file rejected, of the tags it keeps the first 10.
const (
	longestDescription = 1024
	longestName        = 255
	mostTags           = 10
)

// rulesOf are all rules, not only the broken ones: an alert is closed by a run
// that knows its rule. A result whose rule is not listed would point nowhere.
func rulesOf(r report.Report) []finding.Rule {
	var rules []finding.Rule
	for _, result := range r.Results {
		rules = append(rules, result.Rule)
	}
	for _, f := range r.Findings {
		rules = append(rules, f.Rule)
	}
	slices.SortStableFunc(rules, func(a, b finding.Rule) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(rules, func(a, b finding.Rule) bool { return a.ID == b.ID })
}

func descriptorOf(rule finding.Rule) *sarif.ReportingDescriptor {
	title := cmp.Or(rule.Title, rule.ID)
	descriptor := sarif.NewRule(rule.ID).
		WithName(cut(nameOf(rule.ID), longestName)).
		WithDescription(cut(title, longestDescription)).
		WithFullDescription(sarif.NewMultiformatMessageString(cut(cmp.Or(rule.Why, title), longestDescription))).
		WithHelp(helpOf(rule)).
		WithDefaultConfiguration(sarif.NewReportingConfiguration().WithLevel(levelOf(rule.Severity))).
		WithProperties(propertiesOf(rule))
	if len(rule.CWE) > 0 {
		descriptor.WithHelpURI(fmt.Sprintf("https://cwe.mitre.org/data/definitions/%d.html", rule.CWE[0]))
	}
	return descriptor
}

// nameOf is the rule's name in camel case: SARIF wants it to differ from the id.
func nameOf(id string) string {
	words := strings.FieldsFunc(id, func(char rune) bool { return !unicode.IsLetter(char) && !unicode.IsDigit(char) })
	for i, word := range words {
		first, size := utf8.DecodeRuneInString(word)
		words[i] = string(unicode.ToUpper(first)) + word[size:]
	}
	return strings.Join(words, "")
}

// propertiesOf gives notes no security-severity: GitHub refuses words there,
// and 0.0 means the same as none.
func propertiesOf(rule finding.Rule) sarif.Properties {
	properties := sarif.Properties{
		"precision": "very-high", // an attack that worked, twice, beside controls that held
		"tags":      tagsOf(rule),
	}
	if rule.Severity > 0 {
		properties["security-severity"] = rule.Severity.String()
	}
	return properties
}

func tagsOf(rule finding.Rule) []string {
	tags := []string{"security"}
	for _, cwe := range rule.CWE {
		tags = append(tags, fmt.Sprintf("external/cwe/cwe-%03d", cwe))
	}
	for _, api := range rule.OWASPAPI {
		tags = append(tags, "external/owasp-api/"+strings.ToLower(strings.ReplaceAll(api, ":", "-")))
	}
	for _, asvs := range rule.ASVS {
		tags = append(tags, "external/owasp-asvs/"+asvs)
	}
	return distinct(tags, mostTags)
}

func distinct(tags []string, most int) []string {
	var kept []string
	for _, tag := range tags {
		if len(kept) < most && !slices.Contains(kept, tag) {
			kept = append(kept, tag)
		}
	}
	return kept
}

// cut shortens a text to so many characters, the last of them a sign that it
// was cut.
func cut(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	return string([]rune(text)[:most-1]) + "…"
}
