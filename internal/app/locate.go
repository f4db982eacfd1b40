package app

import (
	"context"
	"path/filepath"
	"strings"
	"time"

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
}

// locate is the handler that the recipe names for a step, else the one that is
// found in the workspace, else the step in the recipe.
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
	return l.inRecipe(found.Step), doubt
}

// handler is what answers the last request of a step.
func (l *locator) handler(step recipe.Step, name string) (locate.Place, locate.Reason) {
	requests := step.Requests
	if strings.HasSuffix(name, ".then") {
		requests = step.Then
	}
	if len(requests) == 0 {
		return locate.Place{}, locate.Reason{Code: locate.NoneFits}
	}
	source := l.workspace()
	if source == nil {
		return locate.Place{}, locate.Reason{Code: locate.NoneFits}
	}
	last := requests[len(requests)-1]
	return source.Handler(last.Method, last.Path.String(), "")
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
	folder := l.Workspace
	if folder == "" {
		folder = workspaceOf(l.Recipe.File)
	}
	ctx, cancel := context.WithTimeout(context.Background(), reading) // the scan's own time may be over
	defer cancel()
	source, err := locate.Read(ctx, folder, l.start(folder), locate.Limits{})
	if err == nil {
		l.source = source
	}
	return l.source
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
func (l *locator) start(folder string) locate.Start {
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
	from, err := filepath.Abs(folder)
	if err != nil {
		return start
	}
	if directory, err = filepath.Abs(directory); err != nil {
		return start
	}
	if inside, err := filepath.Rel(from, directory); err == nil && !strings.HasPrefix(inside, "..") {
		start.Folder = filepath.ToSlash(inside)
	}
	return start
}
