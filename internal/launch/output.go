package launch

import (
	"bytes"
	"net/url"
	"strings"
	"sync"
	"unicode"

	"github.com/sessiongate/sessiongate/internal/secret"
)

const (
	keptLines = 200
	lineBytes = 2_000
	// rawLineBytes is how much of a line is held before it is cleaned and cut:
	// a secret across the cut must still be whole when it is looked for.
	rawLineBytes = 4 * lineBytes
	keptBytes    = 4 << 20
)

// output takes what a process prints and never keeps more than its bounds.
type output struct {
	hidden *secret.Redactor
	grew   chan struct{} // holds one token after new bytes came

	mu      sync.Mutex
	all     []byte
	missing bool     // all is not everything
	ring    []string // the last lines, oldest at next once it is full
	next    int
	partial []byte // the line being written
}

func newOutput(hidden *secret.Redactor) *output {
	return &output{hidden: hidden, grew: make(chan struct{}, 1)}
}

// Write never fails: a program that prints too much must not block on us.
func (o *output) Write(chunk []byte) (int, error) {
	o.mu.Lock()
	room := min(len(chunk), keptBytes-len(o.all))
	o.all = append(o.all, chunk[:room]...)
	o.missing = o.missing || room < len(chunk)
	rest := chunk
	for {
		line, after, ended := bytes.Cut(rest, []byte("\n"))
		o.partial = append(o.partial, line[:min(len(line), rawLineBytes-len(o.partial))]...)
		if !ended {
			break
		}
		o.keep(o.readable(o.partial))
		o.partial, rest = o.partial[:0], after
	}
	o.mu.Unlock()
	select {
	case o.grew <- struct{}{}:
	default:
	}
	return len(chunk), nil
}

func (o *output) keep(line string) {
	if len(o.ring) < keptLines {
		o.ring = append(o.ring, line)
		return
	}
	o.ring[o.next] = line
	o.next = (o.next + 1) % keptLines
}

// readable makes a line fit to be shown. Format characters go with the control
// characters: a bidirectional override turns a sentence around.
func (o *output) readable(raw []byte) string {
	line := strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == '\u2028', r == '\u2029':
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(raw), "\uFFFD"))
	line = o.hidden.Clean(line)
	if len(line) > lineBytes {
		line = strings.ToValidUTF8(line[:lineBytes-len("…")], "") + "…"
	}
	return line
}

func (o *output) lines() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	lines := append(append([]string{}, o.ring[o.next:]...), o.ring[:o.next]...)
	if len(o.partial) > 0 {
		lines = append(lines, o.readable(o.partial))
	}
	return lines[max(0, len(lines)-keptLines):]
}

func (o *output) everything() (secret.Text, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return secret.New(string(o.all)), !o.missing
}

// tail ends a sentence with the last n lines.
func (o *output) tail(n int) string {
	lines := o.lines()
	lines = lines[max(0, len(lines)-n):]
	if len(lines) == 0 {
		return "; it printed nothing"
	}
	return "; its last lines:\n  " + strings.Join(lines, "\n  ")
}

// hide collects what must not be shown of an environment: the values, the
// lines of those that have several, and the passwords of those that are URLs,
// since a driver prints a DSN in its own spelling when it cannot connect.
func hide(environment map[string]secret.Text) *secret.Redactor {
	hidden := &secret.Redactor{}
	for _, value := range environment {
		hidden.Add(value)
		if raw := value.Reveal(); strings.Contains(raw, "\n") {
			for line := range strings.Lines(raw) {
				hidden.Add(secret.New(strings.TrimSpace(line)))
			}
		}
		if parsed, err := url.Parse(value.Reveal()); err == nil {
			if password, ok := parsed.User.Password(); ok {
				hidden.Add(secret.New(password))
			}
		}
	}
	return hidden
}
