package action

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/sethvargo/go-githubactions"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// runner is GitHub's, to which this process speaks through its streams and a
// few files. Everything that is not one of our own commands goes through log.
type runner struct {
	out    io.Writer
	getenv func(string) string
	log    *tamed
}

func newRunner(out io.Writer, getenv func(string) string) *runner {
	return &runner{out: out, getenv: getenv, log: &tamed{to: out}}
}

func (r *runner) commands() *githubactions.Action {
	return githubactions.New(githubactions.WithWriter(r.out), githubactions.WithGetenv(r.getenv))
}

// shortestMask: GitHub replaces a mask wherever it stands, and a short one
// would take the log apart.
const shortestMask = 4

// mask hides a value in the log and the summary.
func (r *runner) mask(values ...secret.Text) {
	for _, value := range values {
		if value.Len() >= shortestMask {
			r.commands().AddMask(value.Reveal())
		}
	}
}

func (r *runner) group(title string) { r.commands().Group(title) }

func (r *runner) endGroup() {
	r.log.flush()
	r.commands().EndGroup()
}

// output sets an output of the step. The library panics outside of a workflow,
// and ends the value at a delimiter that everybody knows, so that no text of
// the target's may come here.
func (r *runner) output(name, value string) {
	if r.getenv("GITHUB_OUTPUT") != "" {
		r.commands().SetOutput(name, value)
	}
}

func (r *runner) summary(markdown string) {
	if r.getenv("GITHUB_STEP_SUMMARY") != "" {
		r.commands().AddStepSummary(markdown)
	}
}

// annotation is what GitHub shows at a line of a file. File "" is none.
type annotation struct {
	level string // error, warning, notice
	title string
	file  string
	line  int
	text  string
}

const longestAnnotation = 4000 // GitHub cuts at 4,096

func (r *runner) annotate(a annotation) {
	properties := githubactions.CommandProperties{"title": a.title}
	if a.file != "" {
		properties["file"] = a.file
	}
	if a.file != "" && a.line > 0 {
		properties["line"] = fmt.Sprint(a.line)
	}
	if runes := []rune(a.text); len(runes) > longestAnnotation {
		a.text = string(runes[:longestAnnotation-1]) + "…"
	}
	r.log.flush() // a command stands at the start of a line
	r.commands().IssueCommand(&githubactions.Command{Name: a.level, Message: a.text, Properties: properties})
}

// The runner reads commands from every line of both streams: "::name::" where a
// line begins, after white space too, and "##[name]" anywhere in it (runner,
// ActionCommand.cs). What the API under test said must not be able to say one.
// A carriage return may end a line, too.
var (
	command = regexp.MustCompile(`(^|[\r\n])([\s\pZ\v\x1c-\x1f\x{85}\x{feff}]*)::`) // .NET trims any Unicode white space
	legacy  = regexp.MustCompile(`##\[`)
)

// tame is a text in which no line is a command any more and which reads the same.
func tame(text []byte) []byte {
	return legacy.ReplaceAll(command.ReplaceAll(text, []byte("${1}${2}: :")), []byte("## ["))
}

// tamed is a writer of whole lines in which none is a command.
type tamed struct {
	to   io.Writer
	held []byte
}

// longestLine is how much of a line is held back until it ends.
const longestLine = 64 << 10

func (t *tamed) Write(chunk []byte) (int, error) {
	t.held = append(t.held, chunk...)
	end := bytes.LastIndexByte(t.held, '\n') + 1
	if end == 0 && len(t.held) > longestLine {
		t.held = append(t.held, '\n')
		end = len(t.held)
	}
	if end == 0 {
		return len(chunk), nil
	}
	_, err := t.to.Write(tame(t.held[:end]))
	t.held = append(t.held[:0], t.held[end:]...)
	return len(chunk), err
}

// say writes a line.
func (t *tamed) say(format string, args ...any) {
	_, _ = fmt.Fprintln(t, strings.TrimRight(fmt.Sprintf(format, args...), "\n"))
}

// flush writes a last line that did not end.
func (t *tamed) flush() {
	if len(t.held) > 0 {
		_, _ = t.Write([]byte("\n"))
	}
}
