package sarif

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/report"
)

// mostTold keeps an alert readable: of a longer story its beginning and its
// end, where the attack succeeds, are told.
const mostTold = 12

// messageOf tells the story in one paragraph, since code scanning hides related
// locations and keeps no lines.
func messageOf(f report.Finding) string {
	told := []string{sentence(cmp.Or(f.Message, f.Rule.Title, f.Rule.ID))}
	if f.Subject != "" {
		told = append(told, sentence("Subject: "+f.Subject))
	}
	if f.Doubt != "" {
		told = append(told, sentence("It is not known which handler answers: "+f.Doubt))
	}
	left := max(0, len(f.Evidence)-mostTold)
	for i, seen := range f.Evidence {
		switch at := i - mostTold/2; {
		case at < 0 || at >= left:
			told = append(told, fmt.Sprintf("(%d) %s", i+1, evidenceOf(seen)))
		case at == 0:
			told = append(told, fmt.Sprintf("(Left out here, see the JSON report: %d.)", left))
		}
	}
	return strings.Join(told, " ")
}

// evidenceOf has no article before the actor, who may have a name.
func evidenceOf(seen finding.Evidence) string {
	answer := "gets no answer"
	if seen.Status != 0 {
		answer = fmt.Sprintf("gets %d", seen.Status)
	}
	told := fmt.Sprintf("%s sends %s and %s", cmp.Or(seen.Actor, "a browser"), seen.Request, answer)
	if seen.Note != "" {
		told += ": " + seen.Note
	}
	return sentence(told)
}

// sentence is one line that ends like one. SARIF makes a link of "[text](to)"
// even in plain text (§3.11.6); none of ours is meant as one.
func sentence(text string) string {
	text = strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "](", "] (")
	if text == "" || strings.ContainsAny(text[len(text)-1:], ".!?") {
		return text
	}
	return text + "."
}
