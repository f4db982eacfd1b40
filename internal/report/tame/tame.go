// Package tame takes out of a text what a terminal, a page or a workflow
// runner would obey. It is the fence of every output that people read: the
// texts of a report are clean already, and this stands when somebody forgets.
package tame

import (
	"strings"
	"unicode"
)

// Line is the text on one line: any white space is a blank, and what controls
// a terminal or turns text around is gone.
func Line(text string) string { return strip(text, false) }

// Lines is the same for code and commands, which keep their line breaks.
func Lines(text string) string { return strip(text, true) }

func strip(text string, breaks bool) string {
	return strings.Map(func(char rune) rune {
		switch {
		case breaks && char == '\n':
			return char
		case unicode.IsSpace(char):
			return ' '
		case unicode.In(char, unicode.Cc, unicode.Cf):
			return -1
		}
		return char
	}, strings.ToValidUTF8(text, "\ufffd"))
}
