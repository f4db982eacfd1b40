package locate

import (
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// ofResource are the options that resources keep; others are of a scope.
var ofResource = []string{"as", "controller", "path", "only", "except", "param", "concerns"}

// resources reads resources and resource.
func (r *railsRoutes) resources(node syntax.Node, given rubyCall, s railsScope, depth int) {
	if given.open || len(given.values) == 0 {
		r.block(s)
		return
	}
	single := node.Field("method").Text() == "resource"
	if s.inResource() {
		s = s.at(nestedIn)
	}
	outer := rubyCall{options: map[string]syntax.Node{}}
	for name, value := range given.options {
		if !slices.Contains(ofResource, name) {
			outer.options[name] = value
		}
	}
	s = s.open(r.names, outer)
	for _, one := range given.values {
		if name := r.names.text(one, 0); strings.Contains(name, unknownPart) {
			r.block(s)
		} else {
			r.resource(node, name, single, given, s, depth)
		}
	}
}

func (r *railsRoutes) resource(node syntax.Node, name string, single bool, given rubyCall, s railsScope, depth int) {
	s.resource = railsResource{path: name, param: "id", single: single}
	s.level, s.controller, s.action = manyResources, name, ""
	if single {
		s.level, s.controller = oneResource, plural(name)
	}
	if given.has("path") && given.options["path"].Kind() != "nil" {
		s.resource.path = r.names.text(given.options["path"], 0)
	}
	if given.has("controller") {
		s.controller = r.names.text(given.options["controller"], 0)
	}
	if given.has("param") {
		s.resource.param = r.names.text(given.options["param"], 0)
	}
	actions, told := r.actions(given, s)
	s.actions = nil
	if body, _ := rubyBlock(node); !body.IsZero() || hasBlockArgument(node) {
		r.inside(node, s, depth)
	}
	if concerns := given.options["concerns"]; !concerns.IsZero() {
		r.concerned(concerns, s, depth)
	}
	for _, one := range s.ordered() {
		if slices.Contains(actions, one.action) {
			unsure := !told || r.app.mayBeAPI && (one.action == "new" || one.action == "edit")
			r.member(one, s, unsure)
		}
	}
}

// railsAction is a route that a resource has by itself.
type railsAction struct {
	action  string
	level   railsLevel
	methods []string
}

func (s railsScope) ordered() []railsAction {
	all := []railsAction{
		{"index", onCollection, reads}, {"create", onCollection, []string{"POST"}}, {"new", onNew, reads},
		{"edit", onMember, reads}, {"show", onMember, reads}, {"update", onMember, []string{"PATCH", "PUT"}},
		{"destroy", onMember, []string{"DELETE"}},
	}
	if s.resource.single {
		return all[1:]
	}
	return all
}

// actions are those that only: and except: leave; false where that is not told.
func (r *railsRoutes) actions(given rubyCall, s railsScope) ([]string, bool) {
	all := []string{"index", "create", "show", "update", "destroy"}
	if !r.app.isAPI {
		all = append(all, "new", "edit")
	}
	only, except := s.actions["only"], s.actions["except"]
	if given.has("only") || given.has("except") {
		only, except = given.options["only"], given.options["except"]
	}
	switch {
	case !only.IsZero() && only.Kind() != "nil":
		return r.listed(only, all)
	case !except.IsZero() && except.Kind() != "nil":
		left, told := r.listed(except, nil)
		return slices.DeleteFunc(all, func(action string) bool { return told && slices.Contains(left, action) }), told
	}
	return all, true
}

func (r *railsRoutes) listed(node syntax.Node, otherwise []string) ([]string, bool) {
	names, told := r.names.list(node, 0)
	if !told || slices.ContainsFunc(names, func(name string) bool { return strings.Contains(name, unknownPart) }) {
		return otherwise, false
	}
	return names, true
}

func (r *railsRoutes) member(one railsAction, s railsScope, unsure bool) {
	s = s.at(one.level)
	if one.action == "edit" {
		s = s.below(s.named("edit"))
	}
	match := railsMatch{r: r}
	r.put(one.methods, r.paths(match.ending(s), s), s, railsTarget{s.within(s.controller), one.action}, unsure)
}

// irregular are plurals that Rails knows beside its rules.
var irregular = map[string]string{"person": "people", "man": "men", "child": "children", "sex": "sexes", "move": "moves", "zombie": "zombies",
	"ox": "oxen", "mouse": "mice", "louse": "lice", "quiz": "quizzes", "bus": "buses", "octopus": "octopi", "virus": "viri"}

var uncountable = []string{"equipment", "information", "rice", "money", "species", "series", "fish", "sheep", "jeans", "police"}

// plural is the name of the controller of one resource. A plural that Rails
// makes in another way names no file, and no handler is found.
func plural(name string) string {
	head, last := "", name
	if at := strings.LastIndexAny(name, "_/"); at >= 0 {
		head, last = name[:at+1], name[at+1:]
	}
	if other, known := irregular[last]; known {
		return head + other
	}
	if slices.Contains(uncountable, last) {
		return name
	}
	return head + regularPlural(last)
}

func regularPlural(word string) string {
	ends := func(endings ...string) bool {
		return slices.ContainsFunc(endings, func(ending string) bool { return strings.HasSuffix(word, ending) })
	}
	cut := func(letters int, ending string) string { return word[:len(word)-letters] + ending }
	switch {
	case ends("sis"):
		return cut(2, "es")
	case ends("ss", "sh", "ch", "x", "status", "alias"):
		return word + "es"
	case ends("s"):
		return word
	case ends("ay", "ey", "iy", "oy", "uy") || !ends("y", "fe", "lf", "rf", "tum", "buffalo", "tomato", "ium"):
		return word + "s"
	case ends("quy"), ends("y"):
		return cut(1, "ies")
	case ends("tum", "ium"):
		return cut(2, "a")
	case ends("lf", "rf"):
		return cut(1, "ves")
	case ends("fe"):
		return cut(2, "ves")
	}
	return word + "es"
}
