// Package screen sets a page for a terminal: lines of a width, a few looks, and
// nothing in them that a terminal or a workflow runner would obey. What the page
// says is its callers' business.
package screen

import (
	"strings"
	"unicode/utf8"

	"github.com/fatih/color"

	"github.com/sessiongate/sessiongate/internal/report/tame"
)

// Look is what a line means; colour only repeats it.
type Look int

// The looks.
const (
	Plain Look = iota
	Bold
	Good
	Warning
	Bad
	Faint
)

// Style is how the page looks. The zero value is 80 columns without colour.
type Style struct {
	Color bool
	Width int // columns; 0 is 80, and less than 40 is 40
}

var attributes = map[Look][]color.Attribute{
	Bold:    {color.Bold},
	Good:    {color.FgGreen},
	Warning: {color.FgYellow},
	Bad:     {color.Bold, color.FgRed},
	Faint:   {color.Faint},
}

// Page collects lines. All that is printed goes through Line.
type Page struct {
	lines strings.Builder
	width int
	color bool
}

// New returns an empty page.
func New(style Style) *Page {
	width := style.Width
	if width == 0 {
		width = 80
	}
	return &Page{width: max(width, 40), color: style.Color}
}

// Text is all that was written.
func (p *Page) Text() string { return p.lines.String() }

// Width is how many columns the page has.
func (p *Page) Width() int { return p.width }

// Blank writes an empty line.
func (p *Page) Blank() { p.lines.WriteByte('\n') }

// Heading writes a line with an empty one before it.
func (p *Page) Heading(as Look, text string) {
	p.Blank()
	p.Line(as, text)
}

// Line writes one line, made harmless before it is coloured.
func (p *Page) Line(as Look, text string) {
	text = strings.TrimRight(inert(tame.Line(text)), " ")
	if p.color && as != Plain {
		indent := len(text) - len(strings.TrimLeft(text, " "))
		text = text[:indent] + paint(as, text[indent:])
	}
	p.lines.WriteString(text + "\n")
}

// paint ignores whether the process has a terminal: the caller has decided.
func paint(as Look, text string) string {
	painter := color.New(attributes[as]...)
	painter.EnableColor()
	return painter.Sprint(text)
}

// Wrap writes one paragraph; first and rest stand before its lines. A word
// that is too long for a line has one to itself.
func (p *Page) Wrap(as Look, first, rest, text string) {
	line, empty := first, true
	for _, word := range strings.Fields(tame.Line(text)) {
		if !empty && Columns(line)+1+Columns(word) > p.width {
			p.Line(as, line)
			line, empty = rest, true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	p.Line(as, line)
}

// Verbatim keeps the lines of code and commands.
func (p *Page) Verbatim(indent, text string) {
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		p.Line(Plain, indent+strings.ReplaceAll(line, "\t", "    "))
	}
}

// Columns is the width of a text.
func Columns(text string) int { return utf8.RuneCountInString(text) }

// inert parts what GitHub's runner takes for a command in any output: "::" at
// the start of a line, however it is indented, and "##[" anywhere in it.
func inert(line string) string {
	line = strings.ReplaceAll(line, "##[", "# #[")
	start := len(line) - len(strings.TrimLeft(line, " "))
	if strings.HasPrefix(line[start:], "::") {
		return line[:start] + ": " + line[start+1:]
	}
	return line
}
