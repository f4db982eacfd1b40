package text

import (
	"strings"
	"unicode/utf8"

	"github.com/fatih/color"

	"github.com/sessiongate/sessiongate/internal/report/tame"
)

// look is what a line means; colour only repeats it.
type look int

const (
	plain look = iota
	bold
	good
	warning
	bad
	faint
)

var attributes = map[look][]color.Attribute{
	bold:    {color.Bold},
	good:    {color.FgGreen},
	warning: {color.FgYellow},
	bad:     {color.Bold, color.FgRed},
	faint:   {color.Faint},
}

// page collects lines. All that is printed goes through its line method.
type page struct {
	lines strings.Builder
	width int
	color bool
}

func newPage(style Style) *page {
	width := style.Width
	if width == 0 {
		width = 80
	}
	return &page{width: max(width, 40), color: style.Color}
}

func (p *page) text() string { return p.lines.String() }

func (p *page) blank() { p.lines.WriteByte('\n') }

func (p *page) heading(as look, text string) {
	p.blank()
	p.line(as, text)
}

// line writes one line, made harmless before it is coloured.
func (p *page) line(as look, text string) {
	text = strings.TrimRight(inert(tame.Line(text)), " ")
	if p.color && as != plain {
		indent := len(text) - len(strings.TrimLeft(text, " "))
		text = text[:indent] + paint(as, text[indent:])
	}
	p.lines.WriteString(text + "\n")
}

// paint ignores whether the process has a terminal: the caller has decided.
func paint(as look, text string) string {
	painter := color.New(attributes[as]...)
	painter.EnableColor()
	return painter.Sprint(text)
}

// wrap writes one paragraph; first and rest stand before its lines. A word
// that is too long for a line has one to itself.
func (p *page) wrap(as look, first, rest, text string) {
	line, empty := first, true
	for _, word := range strings.Fields(tame.Line(text)) {
		if !empty && columns(line)+1+columns(word) > p.width {
			p.line(as, line)
			line, empty = rest, true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	p.line(as, line)
}

// verbatim keeps the lines of code and commands.
func (p *page) verbatim(indent, text string) {
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		p.line(plain, indent+strings.ReplaceAll(line, "\t", "    "))
	}
}

func columns(text string) int { return utf8.RuneCountInString(text) }

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
