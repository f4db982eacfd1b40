package locate

import (
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// Step is one station of a value on its way through the source.
type Step struct {
	Place Place
	What  string // "kept in session_id"
}

// deed is a call that a handler makes, or a member that it sets ("[]=").
type deed struct {
	name      string // of the function or method
	of        value
	what      string // the source of what it is done to
	arguments arguments
	at        Place
}

// deeds are those of one handler, in the order in which they are done.
type deeds struct{ all []deed }

const mostDeeds = 10_000

func (p *python) note(done deed) {
	if p.watched != nil && done.name != "" && len(p.watched.all) < mostDeeds {
		p.watched.all = append(p.watched.all, done)
	}
}

func (p *python) deed(called syntax.Node, callee value, given arguments, s *scope) deed {
	switch callee.(type) {
	case *function, method:
		return deed{} // what it does is seen
	}
	made := deed{arguments: given, of: callee, at: Place{s.module.file, called.Line()}}
	switch called.Kind() {
	case "identifier":
		made.name = called.Text()
	case "attribute":
		made.name, made.what = called.Field("attribute").Text(), called.Field("object").Text()
		made.at.Line = called.Field("attribute").Line()
	}
	return made
}

// mostWatched are the steps of one handler.
const mostWatched = 400_000

// watch runs a handler with what a client would send, and gives what it does.
func (p *python) watch(found *route) []deed {
	steps, made := p.steps, len(p.made)
	p.steps, p.stopped, p.watched = mostSteps-mostWatched, false, &deeds{}
	defer func() { p.steps, p.made, p.watched = steps, p.made[:made], nil }()
	p.run(found.code, nil, p.parameters(found.code, found.written, 0), 1)
	return p.watched.all
}

// cookieLine is the one line where the cookie is set.
func cookieLine(done []deed, name string) (Place, bool) {
	var named, unnamed []Place
	for _, one := range done {
		cookie, sets := one.cookie()
		switch {
		case !sets:
		case cookie == name:
			named = append(named, one.at)
		case strings.Contains(cookie, unknownPart):
			unnamed = append(unnamed, one.at)
		}
	}
	if len(named) == 0 {
		named = unnamed
	}
	slices.SortFunc(named, func(a, b Place) int { return strings.Compare(a.String(), b.String()) })
	if named = slices.Compact(named); len(named) != 1 {
		return Place{}, false
	}
	return named[0], true
}

// cookie is the name of the cookie that is set; with unknownPart where the
// source does not tell it.
func (d deed) cookie() (string, bool) {
	given := d.arguments
	switch {
	case d.name == "set_cookie" || d.name == "set_signed_cookie":
		return given.path("key", 0), true
	case d.name == "[]=" && isSetCookie(given.get("", 0)) || isAppending(d.name) && isSetCookie(given.get("key", 0)):
		return cookieOf(textOf(given.get("value", 1))), true
	}
	members, _ := given.named["headers"].(dict)
	for key, v := range members {
		if strings.EqualFold(key, "set-cookie") {
			return cookieOf(textOf(v)), true
		}
	}
	return "", false
}

// cookieOf is the name in a Set-Cookie line.
func cookieOf(line string) string {
	name, _, has := strings.Cut(line, "=")
	if !has {
		return unknownPart
	}
	return strings.TrimSpace(name)
}

func isAppending(name string) bool {
	return slices.Contains([]string{"append", "add", "setdefault", "set"}, name)
}

func isSetCookie(v value) bool { return strings.EqualFold(textOf(v), "set-cookie") }
