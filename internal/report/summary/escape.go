package summary

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/sessiongate/sessiongate/internal/report/tame"
)

// Escape makes a text a text in GitHub's Markdown, whatever stands in it, on
// one line. What could be structure becomes a character reference, which
// CommonMark never reads as structure (§2.5), nor does a runner find a workflow
// command in it. An invisible blank after "@" and "#" keeps GitHub, which looks
// at the finished page, from making a mention or a reference to an issue.
func Escape(text string) string {
	var safe strings.Builder
	runes := []rune(strings.Join(strings.Fields(tame.Line(text)), " "))
	for i, char := range runes {
		switch {
		case char == '@' || char == '#':
			fmt.Fprintf(&safe, "&#%d;&#8203;", char)
		case plainChar(runes, i):
			safe.WriteRune(char)
		default:
			fmt.Fprintf(&safe, "&#%d;", char)
		}
	}
	return safe.String()
}

// plainChar reports whether the character is no structure where it stands.
func plainChar(runes []rune, i int) bool {
	char := runes[i]
	switch {
	case unicode.IsLetter(char), unicode.IsDigit(char), char > unicode.MaxASCII:
		return true
	case i == 0 || onlyDigits(runes[:i]): // a list, a heading, a rule, "1."
		return false
	case char == '.': // www. is a link by itself
		return !strings.HasSuffix(strings.ToLower(string(runes[max(0, i-3):i])), "www")
	case char == ':': // as http:// is, and :name: an emoji
		return i+1 < len(runes) && runes[i+1] == ' '
	}
	return strings.ContainsRune(" ,;/'()?=%+-\"", char)
}

func onlyDigits(runes []rune) bool {
	for _, char := range runes {
		if !unicode.IsDigit(char) {
			return false
		}
	}
	return true
}

// code is a text in the type of code. Backticks would take the references to
// the letter.
func code(text string) string { return "<code>" + Escape(text) + "</code>" }

// block is code that keeps its lines.
func block(text string) string {
	var lines []string
	for line := range strings.SplitSeq(strings.TrimRight(tame.Lines(text), "\n"), "\n") {
		indent := len(line) - len(strings.TrimLeft(line, " "))
		lines = append(lines, line[:indent]+Escape(line[indent:]))
	}
	return "<pre>" + strings.Join(lines, "\n") + "</pre>"
}

// mermaid makes a text a text in a Mermaid diagram: all but letters, digits and
// a few signs are references of its own kind, "#35;".
func mermaid(text string) string {
	var safe strings.Builder
	for _, char := range tame.Line(text) {
		if unicode.IsLetter(char) || unicode.IsDigit(char) || strings.ContainsRune(" ./,-_'=?«»→…", char) {
			safe.WriteRune(char)
			continue
		}
		fmt.Fprintf(&safe, "#%d;", char)
	}
	return safe.String()
}
