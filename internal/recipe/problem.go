package recipe

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/agnivade/levenshtein"
)

// Pos is a place in a recipe file, counted from 1; a column is a character, not
// a byte. The zero value is no place: the value came from a flag or a default.
type Pos struct {
	File   string
	Line   int
	Column int
}

// String is "file:line:column", or empty for no place.
func (p Pos) String() string {
	switch {
	case p.Line == 0:
		return ""
	case p.File == "":
		return fmt.Sprintf("%d:%d", p.Line, p.Column)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Error is a problem of a recipe.
type Error struct {
	Pos
	Problem string
	Line    string // the line as it stands in the file, made safe to print
	Hint    string // the word that was probably meant

	caret int // where the column is in Line, counted from 0
}

// Error is the problem, the line, a caret below it and the hint.
func (e *Error) Error() string {
	var text strings.Builder
	if e.Pos.Line == 0 {
		text.WriteString(e.Problem)
	} else {
		// The number before the line also keeps a line that begins with "::"
		// from being read as a workflow command.
		fmt.Fprintf(&text, "%s: %s\n%5d | %s\n      | %s^",
			e.Pos, e.Problem, e.Pos.Line, e.Line, strings.Repeat(" ", e.caret))
	}
	if e.Hint != "" {
		fmt.Fprintf(&text, "\ndid you mean %q?", e.Hint)
	}
	return text.String()
}

// most is how many problems are worth reading at once.
const most = 20

// join shows the first of them, each with its line.
func join(problems []*Error, lines []string) error {
	slices.SortStableFunc(problems, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Column, b.Column))
	})
	errs := make([]error, 0, most)
	for _, problem := range problems[:min(most, len(problems))] {
		errs = append(errs, problem.in(lines))
	}
	return errors.Join(errs...)
}

// in adds the line, and keeps the place inside the file wherever the YAML
// library saw it.
func (e *Error) in(lines []string) *Error {
	if e.Pos.Line == 0 || len(lines) == 0 {
		return e
	}
	e.Pos.Line = min(max(e.Pos.Line, 1), len(lines))
	line := []rune(lines[e.Pos.Line-1])
	e.Column = min(max(e.Column, 1), len(line)+1)
	e.Line, e.caret = echo(line, e.Column-1)
	return e
}

// echo is the line as it may be printed, and where the mark is in it.
func echo(line []rune, mark int) (string, int) {
	const width = 200
	// Masking reads what stands around, and a line may be a megabyte.
	const around = 10 * width
	before := max(0, mark-around)
	line = mask(slices.Clone(line[before:min(len(line), mark+around)]))
	mark -= before
	for i, r := range line {
		switch {
		case r == '\t':
			line[i] = ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029':
			line[i] = unicode.ReplacementChar
		}
	}
	start, end := 0, len(line)
	if len(line) > width {
		start = min(max(0, mark-width/2), len(line)-width)
		end = start + width
	}
	shown := slices.Clone(line[start:end])
	if start > 0 {
		shown[0] = '…'
	}
	if end < len(line) {
		shown[len(shown)-1] = '…'
	}
	return string(shown), mark - start
}

// literals are passwords written out in the file instead of taken from the
// environment: a log is read by more people than the repository.
var literals = []*regexp.Regexp{
	// The step change-password is not one, nor is what opens a mapping.
	regexp.MustCompile(`(?i)(?:^|[^-a-z])[a-z_]*password["']?\s*:\s*("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s,}"'{\[|>][^\s,}]*)`),
	regexp.MustCompile(`://[^\s/@:]*:([^\s@]*)@`),
}

// mask hides them, character for character so that the caret still fits.
func mask(line []rune) []rune {
	text := string(line)
	for _, literal := range literals {
		for _, found := range literal.FindAllStringSubmatchIndex(text, -1) {
			value := text[found[2]:found[3]]
			if strings.Contains(value, "${") || strings.Contains(value, "{{") {
				continue
			}
			from := len([]rune(text[:found[2]]))
			for i := range []rune(value) {
				line[from+i] = '*'
			}
		}
	}
	return line
}

// Nearest is the valid word that a mistyped one most likely means, or empty.
func Nearest(word string, valid []string) string {
	const longest = 64
	if len(word) > longest {
		return ""
	}
	word = strings.ToLower(word)
	// Two letters swapped are two edits; more than three are another word.
	best, distance := "", min(max(len(word)/2, 1), 3)+1
	for _, candidate := range valid {
		apart := levenshtein.ComputeDistance(word, strings.ToLower(candidate))
		// "env" is a fair way to write "environment".
		if len(word) >= 3 && strings.HasPrefix(candidate, word) {
			apart = min(apart, 1)
		}
		if apart < distance || apart == 0 {
			best, distance = candidate, apart
		}
	}
	return best
}
