package app

import (
	"context"
	"path/filepath"
	"strings"
	"time"

	"github.com/sessiongate/sessiongate/internal/discover"
	"github.com/sessiongate/sessiongate/internal/finding"
	"github.com/sessiongate/sessiongate/internal/locate"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// reading bounds the search for handlers, which begins with the first finding.
const reading = 30 * time.Second

// locator finds the places of findings.
type locator struct {
	*scan
	source *locate.Source // nil: not read yet, or not to be had
	read   bool
	kept   *discover.Described // in the repository; nil: not read yet
}

// locate is the handler that the recipe names for a step, else the one that is
// found in the workspace, else the operation in the description that the
// repository keeps, else the step in the recipe.
func (l *locator) locate(found finding.Finding, rule finding.Rule) (place finding.Location, doubt string) {
	step := l.Recipe.Steps[strings.TrimSuffix(found.Step, ".then")]
	if step.Source.File != "" {
		return finding.Location{File: filepath.ToSlash(step.Source.File), Line: max(1, step.Source.Line)}, ""
	}
	if path, is := trace.PagePath(found.Step); is {
		step.Requests = []recipe.Request{{Method: "GET", Path: recipe.Literal(path)}}
	}
	handler, reason := l.handler(step, found.Step)
	switch reason.Code {
	case locate.Found:
		return l.narrowed(handler, found, rule), ""
	case locate.SeveralFit:
		doubt = reason.String()
	}
	if line, known := l.inDescription(step, found.Step); known {
		return line, doubt
	}
	return l.inRecipe(found.Step), doubt
}

// lastOf is the last request of a step, or of what is open after it: its handler
// changes the session. nil without one.
func lastOf(step recipe.Step, name string) *recipe.Request {
	requests := step.Requests
	if strings.HasSuffix(name, ".then") {
		requests = step.Then
	}
	if len(requests) == 0 {
		return nil
	}
	return &requests[len(requests)-1]
}

// handler is what answers the last request of a step.
func (l *locator) handler(step recipe.Step, name string) (locate.Place, locate.Reason) {
	last := lastOf(step, name)
	source := l.workspace()
	if last == nil || source == nil {
		return locate.Place{}, locate.Reason{Code: locate.NoneFits}
	}
	place, reason := source.Handler(last.Method, last.Path.String(), "")
	if reason.Code != locate.SeveralFit {
		return place, reason
	}
	// The path is what the router goes by, and an operationId is what somebody
	// wrote: it is asked where the path leaves the question open, and nowhere else.
	if id := l.operationID(*last); id != "" {
		return source.Handler(last.Method, last.Path.String(), id)
	}
	return place, reason
}

// operationID is what the description calls a request: the one that the API
// serves, else the one that the repository keeps.
func (l *locator) operationID(request recipe.Request) string {
	if l.found != nil {
		if op, known := l.found.Described.Of(request.Method, request.Path.String()); known {
			return op.ID
		}
	}
	op, _ := l.description().Of(request.Method, request.Path.String())
	return op.ID
}

// inDescription is the line of a step's operation in the repository's own
// description. A description that the API serves has no line in the repository;
// one that is kept there has, if it knows the same method and path.
func (l *locator) inDescription(step recipe.Step, name string) (finding.Location, bool) {
	last := lastOf(step, name)
	if last == nil {
		return finding.Location{}, false
	}
	op, known := l.description().Of(last.Method, last.Path.String())
	if !known {
		return finding.Location{}, false
	}
	file, inside := l.inFolder(l.Recipe.Path(op.File))
	return finding.Location{File: file, Line: op.Line}, inside
}

// description is the repository's, read once and not before a finding needs it.
func (l *locator) description() discover.Described {
	if l.kept == nil {
		read := discover.Repository(l.Recipe.Folder())
		l.kept = &read
	}
	return *l.kept
}

// flow is how the handler of a finding comes to take a session's id from its
// client.
func (l *locator) flow(found finding.Finding, rule finding.Rule) []finding.Step {
	if rule.Family != finding.Fixation {
		return nil
	}
	step := l.Recipe.Steps[strings.TrimSuffix(found.Step, ".then")]
	handler, reason := l.handler(step, found.Step)
	if reason.Code != locate.Found || step.Source.File != "" && filepath.ToSlash(step.Source.File) != handler.File {
		return nil // the recipe knows better which it is
	}
	carrier, _ := strings.CutPrefix(found.Subject, "cookie ")
	var made []finding.Step
	for _, one := range l.source.Flow(handler, carrier) {
		made = append(made, finding.Step{Location: finding.Location{File: one.Place.File, Line: one.Place.Line}, Says: one.What})
	}
	return made
}

// narrowed is the line that sets the cookie where the finding is of one that
// has the wrong attributes: they stand there, and not in the handler's head.
func (l *locator) narrowed(handler locate.Place, found finding.Finding, rule finding.Rule) finding.Location {
	name, ofCookie := strings.CutPrefix(found.Subject, "cookie ")
	if rule.Family == finding.Cookie && ofCookie {
		if line, known := l.source.Cookie(handler, name); known {
			handler = line
		}
	}
	return finding.Location{File: handler.File, Line: handler.Line}
}

// workspace is read once, and not before a finding needs it.
func (l *locator) workspace() *locate.Source {
	if l.read {
		return l.source
	}
	l.read = true
	folder := l.folder()
	ctx, cancel := context.WithTimeout(context.Background(), reading) // the scan's own time may be over
	defer cancel()
	source, err := locate.Read(ctx, folder, l.start(), locate.Limits{})
	if err == nil {
		l.source = source
	}
	return l.source
}

// folder is the workspace's.
func (l *locator) folder() string {
	if l.Workspace != "" {
		return l.Workspace
	}
	return workspaceOf(l.Recipe.File)
}

// inFolder is a path as locations have it; false where it is outside of the
// workspace, so that no reader could follow it.
func (l *locator) inFolder(path string) (string, bool) {
	from, err := filepath.Abs(l.folder())
	if err != nil {
		return "", false
	}
	to, err := filepath.Abs(path)
	if err != nil {
		return "", false
	}
	relative, err := filepath.Rel(from, to)
	if err != nil || relative == ".." || strings.HasPrefix(relative, ".."+string(filepath.Separator)) {
		return "", false
	}
	return filepath.ToSlash(relative), true
}

// workspaceOf is the folder that locations are relative to, as inWorkspace has
// it.
func workspaceOf(file string) string {
	if file == "" || inWorkspace("", file) != filepath.ToSlash(filepath.Base(file)) {
		return "."
	}
	return filepath.Dir(file)
}

// start is how the recipe has the API started, in the folder of its process or
// of its image's build.
func (l *locator) start() locate.Start {
	var start locate.Start
	var directory string
	switch target := l.Recipe.Target; {
	case target.Process != nil:
		for _, word := range target.Process.Command {
			start.Command = append(start.Command, word.String())
		}
		directory = target.Process.Dir()
	case target.Container != nil:
		for _, word := range target.Container.Command { // maybe a line for a shell
			start.Command = append(start.Command, strings.Fields(word)...)
		}
		if target.Container.Build != nil {
			directory = l.Recipe.Path(target.Container.Build.Context)
		}
	}
	if inside, known := l.inFolder(directory); known {
		start.Folder = inside
	}
	return start
}
