// Package locate finds where in a workspace the handler of a request stands,
// the line that sets a cookie, and how a value of the request gets there. It
// parses with the grammars of the languages and answers only where one place
// fits: a wrong line is worse than none. It runs nothing of what it reads.
package locate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Place is a line of a file, which is relative to the workspace, with forward
// slashes. The zero value is none.
type Place struct {
	File string
	Line int // from 1
}

// String is "app/auth.py:42".
func (p Place) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// Code says why there is no place.
type Code string

// The codes; the zero code goes with a place.
const (
	Found      Code = ""
	NoneFits   Code = "none"
	SeveralFit Code = "several"
)

// Reason is why there is no place. The zero value: there is one.
type Reason struct {
	Code   Code
	Places []Place // that fit, with SeveralFit
}

// mostNamed keeps a reason one line.
const mostNamed = 4

// String is "2 handlers fit: a.py:3, b.py:9".
func (r Reason) String() string {
	switch r.Code {
	case SeveralFit:
		var named []string
		for _, one := range r.Places[:min(len(r.Places), mostNamed)] {
			named = append(named, one.String())
		}
		if len(r.Places) > mostNamed {
			named = append(named, "…")
		}
		return fmt.Sprintf("%d handlers fit: %s", len(r.Places), strings.Join(named, ", "))
	case NoneFits:
		return "no handler of the workspace fits"
	}
	return ""
}

// Start is how an application is started. The zero value: not known.
type Start struct {
	Folder  string   // the working directory, relative to the workspace
	Command []string // its words
}

// Source is a workspace. Its methods may be called from several goroutines.
type Source struct {
	mu     sync.Mutex
	ctx    context.Context
	python *python
	routes []route
}

// Read finds the routes of the applications below a folder. Single files that
// cannot be read or parsed are left out; an error is about the folder itself.
func Read(ctx context.Context, folder string, start Start, limits Limits) (*Source, error) {
	files, err := walk(ctx, folder, limits)
	if err != nil {
		return nil, fmt.Errorf("the workspace %s cannot be read: %w", folder, err)
	}
	defer files.close()
	files.begin(start)
	source := read(ctx, files, start)
	for len(source.routes) == 0 && files.widen() {
		source = read(ctx, files, start)
	}
	return source, nil
}

func read(ctx context.Context, files *files, start Start) *Source {
	source := &Source{ctx: context.WithoutCancel(ctx)}
	source.python, source.routes = readPython(ctx, files, start)
	if source.python == nil || len(source.python.roots) == 0 { // nothing of Python is known to be started
		source.routes = append(source.routes, readGo(ctx, files)...)
		source.routes = append(source.routes, readExpress(ctx, files)...)
		source.routes = append(source.routes, readSpring(ctx, files)...)
		source.routes = append(source.routes, readDjango(ctx, files)...)
		source.routes = append(source.routes, readRails(ctx, files)...)
		source.routes = append(source.routes, readSinatra(ctx, files)...)
	}
	return source
}

// Handler is the one place that answers a request, or none and why. The path
// may hold {placeholders}; the operationId of a schema may be empty.
func (s *Source) Handler(method, path, operation string) (Place, Reason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, reason := choose(s.routes, method, path, operation)
	return found.place, reason
}

// Cookie is the one line that sets the cookie in a handler and in what it
// calls; false where none or several do.
func (s *Source) Cookie(handler Place, name string) (Place, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.at(handler)
	if found == nil {
		return setterLine(s.routes, handler, name)
	}
	return cookieLine(s.python.watch(found), name)
}

// at is the code of a handler; nil where only its place is known.
func (s *Source) at(handler Place) *route {
	at := slices.IndexFunc(s.routes, func(r route) bool { return r.place == handler && r.code != nil })
	if at < 0 {
		return nil
	}
	return &s.routes[at]
}
