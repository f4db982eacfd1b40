// Package summary writes a report as the Markdown of a job summary, as GitHub
// shows it below a workflow run. Everything from the target is hostile here: it
// can be neither structure, nor a link, nor a mention, nor a workflow command.
package summary

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
)

// largest stays under the 1 MiB above which GitHub drops the summary of a step
// as a whole.
const largest = 1_000_000

// longestNote is room for what was left out.
const longestNote = 1000

// section is a part of the page that is written whole or not at all.
type section struct {
	name, text string
	rank       int
}

// The ranks, the lowest first.
const (
	rankAttack = iota
	rankRest
	rankOpen
	rankPoints
	rankFindings
	rankVerdict
)

// Write writes the report. Its error is the writer's.
func Write(w io.Writer, r report.Report) error {
	_, err := io.WriteString(w, page(sections(r)))
	return err
}

func sections(r report.Report) []section {
	parts := []section{{"verdict", verdict(r), rankVerdict}}
	add := func(name, text string, rank int) {
		if text != "" {
			parts = append(parts, section{name, text, rank})
		}
	}
	add("the table of findings", findings(r), rankFindings)
	for i, f := range r.Counted() {
		add(fmt.Sprintf("finding %d", i+1), attack(i+1, f), rankAttack)
	}
	add("what was not tested", open(r), rankOpen)
	add("what was discovered", discovered(r), rankRest)
	add("accepted risks", accepted(r), rankRest)
	add("the baseline", baseline(r), rankRest)
	add("the deductions", points(r), rankPoints)
	return parts
}

// page joins the sections, without those for which there is no room: the
// highest rank is served first, and of equal ones the first.
func page(parts []section) string {
	order := make([]int, len(parts))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(parts[b].rank, parts[a].rank) })
	kept, left := make([]bool, len(parts)), largest-longestNote
	for _, i := range order {
		if size := len(parts[i].text) + 1; size <= left {
			kept[i] = true
			left -= size
		}
	}
	var text strings.Builder
	var dropped []string
	for i, part := range parts {
		if kept[i] {
			text.WriteString(part.text + "\n")
		} else {
			dropped = append(dropped, part.name)
		}
	}
	if len(dropped) > 0 {
		fmt.Fprintf(&text, "*Left out, since a summary has at most 1 MiB: %s. The JSON and the HTML report have it all.*\n", few(dropped))
	}
	return text.String()
}

// few keeps the list of what was dropped from being long itself.
func few(names []string) string {
	const most = 10
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// notMeasured is the exit code of a gate that cannot answer.
const notMeasured = 3

func verdict(r report.Report) string {
	var b strings.Builder
	word := "gate not met"
	switch {
	case r.Gate.Passed:
		word = "gate met"
	case r.Gate.ExitCode == notMeasured:
		word = "gate undecided"
	}
	if r.Problem != "" {
		what := "could not measure"
		if len(r.Findings) > 0 {
			what += " everything"
		}
		fmt.Fprintf(&b, "## sessiongate: %s\n\n> [!CAUTION]\n> %s\n\n", what, Escape(r.Problem))
	} else {
		fmt.Fprintf(&b, "## sessiongate: %d of 100, grade %s, %s\n\n", r.Score.Value, Escape(r.Score.Grade), word)
	}
	fmt.Fprintf(&b, "**%s:** %s\n\n", strings.ToUpper(word[:1])+word[1:], Escape(r.Gate.Reason))
	facts := []string{code(r.Target.URL)}
	for _, fact := range []struct{ name, text string }{
		{"started as", r.Target.Name}, {"store:", r.Target.Store}, {"store not used:", r.Target.StoreProblem},
		{"session:", r.Calibration.Carrier}, {"", r.Calibration.Kind},
	} {
		if fact.text != "" {
			facts = append(facts, strings.TrimSpace(fact.name+" "+Escape(fact.text)))
		}
	}
	facts = append(facts, fmt.Sprintf("%d of %d rules tested", r.Coverage.Tested, r.Coverage.Applicable),
		fmt.Sprintf("requests: %d, logins: %d, %.1f s", r.Requests, r.Logins, r.Duration.Seconds()))
	b.WriteString(strings.Join(facts, " · ") + "\n")
	for _, control := range r.Calibration.Controls {
		if !control.Held && !control.Skipped {
			fmt.Fprintf(&b, "\n- control %s did not hold: %s (%s)", Escape(control.Name), Escape(control.Says), Escape(control.Note))
		}
	}
	return b.String()
}

func findings(r report.Report) string {
	counted := r.Counted()
	if len(counted) == 0 {
		if r.Problem != "" {
			return ""
		}
		return "### No findings\n\nEvery attack that was made failed, and its controls held.\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "### Findings: %d\n\n| # | severity | finding | subject | where | status |\n|---|---|---|---|---|---|\n", len(counted))
	for i, f := range counted {
		fmt.Fprintf(&b, "| %d | %s | %s<br>%s | %s | %s | %s |\n", i+1, badge(f.Rule.Severity), Escape(f.Rule.Title), code(f.Rule.ID),
			Escape(f.Subject), where(f.Location), f.Status)
	}
	return b.String()
}

func badge(severity finding.Severity) string {
	if severity == 0 {
		return "note"
	}
	return fmt.Sprintf("**%s** %s", severity.Level(), severity)
}

func where(l finding.Location) string {
	switch {
	case l.File == "":
		return "not known"
	case l.Line < 1:
		return code(l.File)
	}
	return code(fmt.Sprintf("%s:%d", l.File, l.Line))
}

// attack tells one finding: the sequence of the grave ones drawn, and what to
// do about it.
func attack(number int, f report.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %d. %s\n\n%s\n\n", number, Escape(f.Rule.Title), Escape(f.Message))
	level := f.Rule.Severity.Level()
	if level == finding.Critical || level == finding.High {
		if drawn := sequence(f); drawn != "" {
			b.WriteString(drawn + "\n\n")
		}
	}
	b.WriteString(flow(f.Flow))
	fix := "**Fix:** "
	if f.Location.File != "" {
		fix = "**Fix in** " + where(f.Location) + ": "
	}
	b.WriteString(fix + Escape(f.Rule.Fix) + "\n\n")
	if f.Doubt != "" {
		fmt.Fprintf(&b, "It is not known which handler answers: %s. A `source` on the step of the recipe says it.\n\n", Escape(f.Doubt))
	}
	if f.Rule.FastAPI != "" {
		fmt.Fprintf(&b, "<details><summary>With FastAPI</summary>\n\n%s\n\n</details>\n", block(f.Rule.FastAPI))
	}
	if f.Replay != "" {
		fmt.Fprintf(&b, "<details><summary>See it yourself</summary>\n\n%s\n\n</details>\n", block(f.Replay))
	}
	return b.String()
}

// flow tells how the source comes to do it.
func flow(steps []finding.Step) string {
	if len(steps) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("**In the source**\n\n")
	for _, step := range steps {
		fmt.Fprintf(&b, "- %s %s\n", where(step.Location), Escape(step.Says))
	}
	return b.String() + "\n"
}

func open(r report.Report) string {
	groups := r.Open()
	if len(groups) == 0 || r.Problem != "" {
		return ""
	}
	total := 0
	var rows strings.Builder
	for _, group := range groups {
		total += len(group.Rules)
		reason := cmp.Or(group.Reason.Text, "without a reason")
		rules := make([]string, len(group.Rules))
		for i, rule := range group.Rules {
			rules[i] = code(rule)
		}
		fmt.Fprintf(&rows, "| %s | %s | %s |\n", Escape(reason), cmp.Or(Escape(group.Reason.Remedy), "–"), strings.Join(rules, "<br>"))
	}
	return fmt.Sprintf("### Not tested: %d\n\n| why | to test it | rules |\n|---|---|---|\n%s", total, rows.String())
}

// discovered is a row for each step that the recipe leaves out.
func discovered(r report.Report) string {
	if len(r.Discovered) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("### Found, not in the recipe\n\n<details><summary>Steps, and how to pin them</summary>\n\n| step | found | why | to pin it |\n|---|---|---|---|\n")
	for _, one := range r.Discovered {
		found := "not found"
		if one.Request != "" {
			found = code(one.Request)
			if one.From != "" {
				found += "<br>from " + Escape(one.From)
			}
		}
		note := one.Note
		if one.Unproven {
			note = "not used: " + note
		}
		pin := "–"
		if one.Pin != "" {
			pin = code(one.Pin)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", Escape(one.Step), found, cmp.Or(Escape(note), "–"), pin)
	}
	return b.String() + "\n</details>\n"
}

func accepted(r report.Report) string {
	var b strings.Builder
	for _, f := range r.With(report.Accepted) {
		fmt.Fprintf(&b, "- accepted: %s, %s: %s\n", code(f.Rule.ID), Escape(f.Subject), Escape(f.Declared.String()))
	}
	for _, result := range r.Results {
		if result.Outcome == finding.NotApplicable {
			fmt.Fprintf(&b, "- not applicable: %s: %s\n", code(result.Rule.ID), Escape(result.Reason.Text))
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "### Declared by the recipe\n\n" + b.String()
}

func baseline(r report.Report) string {
	if !r.Baseline.Given {
		if r.Baseline.Source == "" {
			return ""
		}
		return fmt.Sprintf("### No baseline\n\nNothing to compare with: %s. So the score alone decides.\n", Escape(r.Baseline.Source))
	}
	var b strings.Builder
	b.WriteString("### Against the baseline\n\n")
	if r.Baseline.Source != "" {
		fmt.Fprintf(&b, "Compared with %s.\n\n", Escape(r.Baseline.Source))
	}
	fmt.Fprintf(&b, "| new | known | accepted | gone |\n|---|---|---|---|\n| %d | %d | %d | %d |\n",
		len(r.With(report.New)), len(r.With(report.Known)), len(r.With(report.Accepted)), len(r.Baseline.Gone))
	for _, f := range r.With(report.New) {
		fmt.Fprintf(&b, "\n- new: %s, %s", code(f.Rule.ID), Escape(f.Subject))
	}
	for _, rule := range r.Baseline.Gone {
		fmt.Fprintf(&b, "\n- gone: %s", code(rule))
	}
	return b.String() + "\n"
}

func points(r report.Report) string {
	if r.Problem != "" || len(r.Score.Deductions) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("### Score\n\n<details><summary>Every point that was taken</summary>\n\n| points | rule | |\n|---:|---|---|\n")
	taken, untested := 0, false
	for _, line := range r.Score.Deductions {
		why := ""
		if line.Untested {
			why, untested = "not tested", true
		}
		taken += line.Points
		fmt.Fprintf(&b, "| −%s | %s | %s |\n", finding.Severity(line.Points), code(line.Rule), why)
	}
	b.WriteString("\n</details>\n")
	const full = 1000
	if full-taken > 10*r.Score.Cap {
		fmt.Fprintf(&b, "\nThe worst finding caps the score at %d.", r.Score.Cap)
	}
	if untested {
		fmt.Fprintf(&b, "\nThe score would be %d if everything not tested passed.", r.Score.IfUntestedPassed)
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}
