package locate

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// railsScope is what the blocks around a route say. It is handed on by value.
type railsScope struct {
	path       string // in Rails' own form
	module     string
	controller string
	action     string
	methods    []string // of via:
	anyMethod  bool     // via: is given, and may be all
	// expressions are what values of the path have to match, by their names.
	expressions map[string]string
	// unsure says that the request is asked for more than its path.
	unsure  bool
	names   map[string]string      // of path_names
	actions map[string]syntax.Node // only: and except:
	format  railsFormat

	level       railsLevel
	resource    railsResource
	shallow     bool
	shallowPath string
	nestings    int
}

// railsLevel is the kind of block around a route.
type railsLevel int

const (
	noResource railsLevel = iota
	manyResources
	oneResource
	onMember
	onCollection
	onNew
	nestedIn
)

// railsFormat is whether a path may end in ".json".
type railsFormat int

const (
	mayHaveFormat railsFormat = iota
	hasFormat
	hasNoFormat
)

// railsResource is what resources or resource names.
type railsResource struct {
	path, param string
	single      bool
}

func (r railsResource) member() string {
	if r.single {
		return r.path
	}
	return r.path + "/:" + r.param
}

func (r railsResource) nested() string {
	if r.single {
		return r.path
	}
	return r.path + "/:" + r.nestedParam()
}

// nestedParam is one name for all: only that it is another one matters.
func (r railsResource) nestedParam() string { return "above_" + r.param }

// below is the scope with a path added.
func (s railsScope) below(path string) railsScope {
	s.path = s.path + "/" + path
	return s
}

// at is the scope of a block of a resource: member, collection, new, or what is
// nested in it.
func (s railsScope) at(level railsLevel) railsScope {
	s.level = level
	switch level {
	case onMember:
		if s.isShallow() {
			s.path = s.shallowPath
		}
		return s.below(s.resource.member())
	case onCollection:
		return s.below(s.resource.path)
	case onNew:
		return s.below(s.resource.path + "/" + s.named("new"))
	case nestedIn:
		return s.nest()
	}
	return s
}

func (s railsScope) isShallow() bool { return s.shallow && !s.resource.single }

func (s railsScope) nest() railsScope {
	if s.isShallow() && s.nestings >= 1 {
		s.path = s.shallowPath
	}
	s.nestings++
	made := s.below(s.resource.nested())
	if expression, held := s.expressions[s.resource.param]; held && !s.resource.single {
		made = made.expecting(s.resource.nestedParam(), expression)
	}
	return made
}

func (s railsScope) inResource() bool { return s.level == manyResources || s.level == oneResource }

func (s railsScope) expecting(name, expression string) railsScope {
	s.expressions = maps.Clone(s.expressions)
	if s.expressions == nil {
		s.expressions = map[string]string{}
	}
	s.expressions[name] = expression
	return s
}

// named is the segment that stands for an action.
func (s railsScope) named(action string) string {
	if other, given := s.names[action]; given {
		return other
	}
	return action
}

// within is a controller inside the module of the scope; without one, Rails takes
// the module's own name.
func (s railsScope) within(controller string) string {
	if controller == "" {
		return s.module
	}
	if s.module == "" || strings.HasPrefix(controller, "/") {
		return strings.TrimPrefix(controller, "/")
	}
	return s.module + "/" + controller
}

// opened are the options of a scope that this reads; others only name things.
var opened = []string{"path", "module", "controller", "action", "via", "constraints", "path_names", "only", "except", "format", "shallow",
	"shallow_path", "defaults", "as", "shallow_prefix", "param", "concerns", "to", "on", "anchor", "internal"}

// open adds the options of a scope.
func (s railsScope) open(names rubyNames, given rubyCall) railsScope {
	s.unsure = s.unsure || given.open
	told := func(option string) string { return names.text(given.options[option], 0) }
	if given.has("path") && given.options["path"].Kind() != "nil" {
		s = s.below(told("path"))
	}
	if given.has("shallow_path") {
		s.shallowPath += "/" + told("shallow_path")
	} else if given.has("path") && s.level != nestedIn {
		s.shallowPath += "/" + told("path")
	}
	if given.has("module") && !slices.Contains([]string{"nil", "false"}, given.options["module"].Kind()) {
		s.module = strings.TrimPrefix(s.module+"/"+told("module"), "/")
	}
	if given.has("controller") {
		s.controller = told("controller")
	}
	if given.has("action") {
		s.action = told("action")
	}
	if given.has("via") {
		methods, told := railsMethods(names, given.options["via"])
		s.methods, s.unsure, s.anyMethod = methods, s.unsure || !told, true
	}
	if given.has("shallow") {
		s.shallow = given.options["shallow"].Kind() == "true"
	}
	if given.has("only") || given.has("except") {
		s.actions = map[string]syntax.Node{}
		for _, option := range []string{"only", "except"} {
			if given.has(option) {
				s.actions[option] = given.options[option]
			}
		}
	}
	s = s.renamed(names, given.options["path_names"]).formatted(given.options["format"])
	return s.constrained(names, given)
}

func (s railsScope) renamed(names rubyNames, node syntax.Node) railsScope {
	if node.IsZero() {
		return s
	}
	s.names = maps.Clone(s.names)
	if s.names == nil {
		s.names = map[string]string{}
	}
	if node.Kind() != "hash" {
		s.names["new"], s.names["edit"] = unknownPart, unknownPart
	}
	for one := range node.Children() {
		s.names[names.text(one.Field("key"), 0)] = names.text(one.Field("value"), 0)
	}
	return s
}

func (s railsScope) formatted(node syntax.Node) railsScope {
	switch node.Kind() {
	case "", "string", "simple_symbol", "nil":
	case "false":
		s.format = hasNoFormat
	case "true":
		s.format = hasFormat
		return s.expecting("format", ".+") // slashes included
	default:
		return s.expecting("format", "")
	}
	return s
}

// constrained adds what a request has to match.
func (s railsScope) constrained(names rubyNames, given rubyCall) railsScope {
	for name, value := range given.options {
		if value.Kind() == "regex" && !slices.Contains(opened, name) {
			s = s.expecting(name, regexOf(value))
		} else if !slices.Contains(opened, name) && names.text(value, 0) == unknownPart {
			s = s.expecting(name, "")
		}
	}
	if given.has("constraints") {
		s = s.constrainedBy(names, given.options["constraints"])
	}
	return s
}

// requested are what a request is asked for beside its path.
var requested = []string{"subdomain", "host", "domain", "protocol", "port", "ip", "remote_ip", "user_agent", "method", "params", "tld_length"}

// constrainedBy reads constraints: a hash, or an object that is asked.
func (s railsScope) constrainedBy(names rubyNames, node syntax.Node) railsScope {
	if node.Kind() != "hash" {
		s.unsure = true
		return s
	}
	for one := range node.Children() {
		if one.Kind() == "pair" {
			s = s.matching(names, one)
		} else if one.Kind() != "comment" {
			s.unsure = true
		}
	}
	return s
}

func (s railsScope) matching(names rubyNames, pair syntax.Node) railsScope {
	key, value := names.text(pair.Field("key"), 0), pair.Field("value")
	if slices.Contains(requested, key) || key == unknownPart {
		s.unsure = true
		return s
	}
	s.unsure = s.unsure || !slices.Contains([]string{"regex", "string"}, value.Kind())
	return s.expecting(key, regexOf(value))
}

// regexOf is the source of a regular expression; "" where it is not told.
func regexOf(node syntax.Node) string {
	if node.Kind() == "string" {
		return verbatim(rubyNames(nil).text(node, 0))
	}
	text := node.Text()
	if node.Kind() != "regex" || len(text) < 2 || !strings.HasPrefix(text, "/") || !strings.HasSuffix(text, "/") || !node.Child("interpolation").IsZero() {
		return ""
	}
	return text[1 : len(text)-1]
}

// verbatim is an expression for one text.
func verbatim(text string) string {
	if strings.Contains(text, unknownPart) {
		return ""
	}
	return regexp.QuoteMeta(text)
}

// railsMethods are the methods of via:, nil for all; false where that is not told.
func railsMethods(names rubyNames, node syntax.Node) ([]string, bool) {
	all, told := names.list(node, 0)
	var methods []string
	for _, one := range all {
		switch {
		case one == "all":
			return nil, told
		case !isVerb(one):
			return nil, false
		}
		methods = append(methods, strings.ToUpper(one))
	}
	if slices.Contains(methods, "GET") {
		methods = append(methods, "HEAD") // Rails answers it as it does GET
	}
	return methods, told && len(methods) > 0
}
