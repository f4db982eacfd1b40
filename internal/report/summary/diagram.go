package summary

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/sessiongate/sessiongate/internal/report"
	"github.com/sessiongate/sessiongate/internal/report/ladder"
)

// The bounds on a diagram: GitHub draws none of more than 50 000 characters,
// and nobody reads one that is wider than a page.
const (
	mostRungs = 40
	widest    = 44
	mostLines = 6
)

// sequence is the attack as a Mermaid diagram.
func sequence(f report.Finding) string {
	rungs := ladder.Of(f.Finding)
	if len(rungs) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("```mermaid\nsequenceDiagram\n    autonumber\n")
	for _, party := range ladder.Parties(rungs) {
		fmt.Fprintf(&b, "    participant %s as %s\n", short(party), party)
	}
	left := max(0, len(rungs)-mostRungs)
	for i, rung := range rungs {
		switch at := i - mostRungs/2; {
		case at < 0 || at >= left:
			b.WriteString(drawn(rung))
		case at == 0:
			fmt.Fprintf(&b, "    Note over API: %d steps left out here, see the JSON report\n", left)
		}
	}
	b.WriteString("```")
	return b.String()
}

// short is a name that is no word of Mermaid's.
func short(party ladder.Party) string { return [...]string{"A", "V", "C", "O", "API", "S"}[party] }

func drawn(rung ladder.Rung) string {
	as := ""
	if rung.As != "" {
		as = "(" + rung.As + ") "
	}
	from, to := short(rung.From), short(rung.To)
	if rung.From == rung.To {
		return fmt.Sprintf("    Note over %s: %s\n", from, folded(as+joined(rung.What, rung.Answer)))
	}
	drawn := fmt.Sprintf("    %s->>%s: %s\n", from, to, folded(as+joined(rung.What, rung.Carries)))
	if !rung.IsRequest() {
		return drawn
	}
	answer := "no answer"
	if rung.Status != 0 {
		answer = fmt.Sprint(rung.Status)
	}
	return drawn + fmt.Sprintf("    %s-->>%s: %s\n", to, from, folded(joined(answer, rung.Answer)))
}

func joined(what, more string) string {
	if more == "" {
		return what
	}
	return what + ", " + more
}

// folded breaks a text into lines that fit beside each other; of a long one
// the beginning is told.
func folded(text string) string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && utf8.RuneCountInString(line+" "+word) > widest {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimLeft(line+" "+word, " ")
	}
	lines = append(lines, line)
	if len(lines) > mostLines {
		lines = append(lines[:mostLines:mostLines], "…")
	}
	for i, line := range lines {
		if runes := []rune(line); len(runes) > 3*widest {
			line = string(runes[:3*widest]) + "…"
		}
		lines[i] = mermaid(line)
	}
	return strings.Join(lines, "<br/>")
}
