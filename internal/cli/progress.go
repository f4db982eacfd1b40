package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"golang.org/x/term"

	"github.com/sessiongate/sessiongate/internal/audit"
)

// progress is one line at the foot of a terminal that says what is going on. It
// is for a person who waits, and gone when there is something to read.
type progress struct {
	out   io.Writer
	width int

	mu      sync.Mutex
	shown   bool
	running []string // what has begun and not ended, in that order
	before  bool     // what runs is not an attack yet
}

// watch is the progress for these streams; nil where nobody waits in front of
// a terminal.
func (f *flags) watch(streams Streams) *progress {
	file, isFile := streams.Err.(*os.File)
	if f.quiet || f.verbose || !isFile || !term.IsTerminal(int(file.Fd())) {
		return nil
	}
	if kind, _ := streams.Getenv("TERM"); kind == "dumb" { // it cannot go back to the start of a line
		return nil
	}
	return &progress{out: file, width: widthOf(file)}
}

// The sequences that go back to the start of the line and empty it.
const emptied = "\r\x1b[K"

// tell replaces the line.
func (p *progress) tell(e audit.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shown = true
	switch at := slices.Index(p.running, e.Doing); {
	case !e.Ended && e.Total == 0: // before the attacks, nothing runs beside another
		p.running, p.before = []string{e.Doing}, true
	case !e.Ended && p.before:
		p.running, p.before = []string{e.Doing}, false
	case !e.Ended:
		p.running = append(p.running, e.Doing)
	case at >= 0:
		p.running = slices.Delete(p.running, at, at+1)
	}
	fmt.Fprint(p.out, emptied+p.line(e))
}

// line leaves the last column free: a terminal may wrap there.
func (p *progress) line(e audit.Event) string {
	var line string
	if e.Total > 0 {
		const wide = 16
		done := min(wide*e.Done/e.Total, wide)
		line = fmt.Sprintf("[%s%s] %d of %d attacks, %d requests: ", strings.Repeat("=", done), strings.Repeat(" ", wide-done), e.Done, e.Total, e.Requests)
	}
	line += strings.Join(p.running, ", ")
	if runes := []rune(line); len(runes) >= p.width {
		line = string(runes[:max(0, p.width-1)])
	}
	return line
}

// clear takes the line away.
func (p *progress) clear() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown {
		fmt.Fprint(p.out, emptied)
	}
	p.shown = false
}

// The widths a text is set in. Longer lines are hard to read.
const (
	narrowest = 60
	usual     = 80
	broadest  = 120
)

// widthOf is how many columns a terminal has; the usual where it does not say.
func widthOf(file *os.File) int {
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil || width <= 0 {
		return usual
	}
	return width
}
