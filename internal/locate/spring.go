package locate

import (
	"context"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// spring are the classes of a workspace.
type spring struct {
	constants map[string][]string // by "Class.NAME"
	classes   map[string][]springClass
	steps     int
}

type springClass struct {
	file string
	node syntax.Node
}

const mostSpringSteps = 2_000_000

func (s *spring) step() bool {
	s.steps++
	return s.steps < mostSpringSteps
}

func readSpring(ctx context.Context, files *files) []route {
	names := files.of(javaFile)
	if !slices.ContainsFunc(names, func(name string) bool { return mentions(files.read(name), []string{"springframework"}) }) {
		return nil
	}
	s := &spring{constants: map[string][]string{}, classes: map[string][]springClass{}}
	var all []springClass
	for _, name := range names {
		for node := range files.tree(ctx, name, syntax.Java).Root().All() {
			if slices.Contains([]string{"class_declaration", "interface_declaration", "enum_declaration", "record_declaration"}, node.Kind()) {
				all = append(all, springClass{name, node})
				s.learn(springClass{name, node})
			}
		}
	}
	var routes []route
	for _, class := range all {
		if len(routes) < mostRoutes && isController(class.node) {
			routes = append(routes, s.routes(class)...)
		}
	}
	return routes
}

// isController leaves out clients, whose annotations are the same.
func isController(class syntax.Node) bool {
	return !annotation(class, "RestController").IsZero() || !annotation(class, "Controller").IsZero()
}

// learn keeps a class by its name, and its constants.
func (s *spring) learn(class springClass) {
	name := class.node.Field("name").Text()
	s.classes[name] = append(s.classes[name], class)
	for field := range class.node.Field("body").Children() {
		if field.Kind() != "field_declaration" && field.Kind() != "constant_declaration" {
			continue
		}
		declared := field.Field("declarator")
		known, ok := javaString(declared.Field("value"))
		if key := declared.Field("name").Text(); ok {
			s.constants[name+"."+key] = append(s.constants[name+"."+key], known)
		}
	}
}

func javaString(node syntax.Node) (string, bool) {
	if node.Kind() != "string_literal" {
		return "", false
	}
	made := ""
	for child := range node.Children() {
		if child.Kind() != "string_fragment" {
			return "", false
		}
		made += child.Text()
	}
	return made, isPlain(made) && len(made) <= longestText
}

// text is a string that the source tells, with unknownPart for what it does not.
func (s *spring) text(node syntax.Node, class string, depth int) string {
	if known, ok := javaString(node); ok {
		return known
	}
	key := node.Text()
	switch {
	case depth > mostNesting || !s.step():
		return unknownPart
	case node.Kind() == "binary_expression" && node.Field("operator").Text() == "+":
		made := s.text(node.Field("left"), class, depth+1) + s.text(node.Field("right"), class, depth+1)
		if len(made) > longestText {
			return unknownPart
		}
		return made
	case node.Kind() == "identifier":
		key = class + "." + key
	}
	if known := s.constants[key]; len(known) == 1 {
		return known[0]
	}
	return unknownPart
}

func annotation(of syntax.Node, name string) syntax.Node {
	for one := range of.Child("modifiers").Children() {
		if strings.HasSuffix("."+one.Field("name").Text(), "."+name) {
			return one
		}
	}
	return syntax.Node{}
}

// springMappings are annotations with their methods.
var springMappings = map[string][]string{
	"RequestMapping": nil, "GetMapping": {"GET"}, "PostMapping": {"POST"}, "PutMapping": {"PUT"}, "PatchMapping": {"PATCH"}, "DeleteMapping": {"DELETE"},
}

func (s *spring) routes(class springClass) []route {
	name := class.node.Field("name").Text()
	prefixes := []string{""}
	if mapping := annotation(class.node, "RequestMapping"); !mapping.IsZero() {
		prefixes = s.paths(mapping, name)
	}
	var routes []route
	for method := range class.node.Field("body").Children() {
		if method.Kind() != "method_declaration" {
			continue
		}
		for kind, methods := range springMappings {
			mapping := annotation(method, kind)
			if mapping.IsZero() {
				continue
			}
			if methods == nil {
				methods = requestMethods(mapping)
			}
			made := route{methods: methods, place: Place{class.file, method.Field("name").Line()}, setters: s.setters(class, method),
				operations: []string{method.Field("name").Text()}}
			routes = append(routes, s.below(prefixes, s.paths(mapping, name), made)...)
		}
	}
	return routes
}

// mostPaths of one annotation are read.
const mostPaths = 16

func (s *spring) below(prefixes, paths []string, made route) []route {
	var routes []route
	for _, prefix := range prefixes[:min(len(prefixes), mostPaths)] {
		for _, path := range paths[:min(len(paths), mostPaths)] {
			one := made
			one.written = joined(joined("", prefix), path)
			one.path = curly(one.written)
			routes = append(routes, one)
		}
	}
	return routes
}

// paths are those of an annotation: its value or path, one or several.
func (s *spring) paths(mapping syntax.Node, class string) []string {
	var paths []string
	for given := range mapping.Field("arguments").Children() {
		if given.Kind() == "element_value_pair" {
			if key := given.Field("key").Text(); key != "value" && key != "path" {
				continue
			}
			given = given.Field("value")
		}
		paths = append(paths, s.several(given, class)...)
	}
	if len(paths) == 0 {
		return []string{""}
	}
	return paths
}

func (s *spring) several(given syntax.Node, class string) []string {
	if given.Kind() != "element_value_array_initializer" {
		return []string{s.text(given, class, 0)}
	}
	var all []string
	for one := range given.Children() {
		all = append(all, s.text(one, class, 0))
	}
	return all
}

// requestMethods are those of RequestMapping(method = …); none is all.
func requestMethods(mapping syntax.Node) []string {
	var methods []string
	for given := range mapping.Field("arguments").Children() {
		if given.Field("key").Text() != "method" {
			continue
		}
		for one := range given.Field("value").All() {
			if name := one.Text(); one.Kind() == "identifier" && isVerb(name) && strings.ToUpper(name) == name {
				methods = append(methods, name)
			}
		}
	}
	return methods
}

// setters are the lines that make cookies in a method and in what it calls.
func (s *spring) setters(class springClass, method syntax.Node) []setter {
	search := springCookies{spring: s}
	search.follow(class, method, nil, 0)
	return search.found
}

type springCookies struct {
	*spring
	found []setter
	seen  []syntax.Node
}

func (c *springCookies) follow(class springClass, method syntax.Node, given map[string]string, depth int) {
	if depth > mostFollowed || slices.Contains(c.seen, method) {
		return
	}
	c.seen = append(c.seen, method)
	defer func() { c.seen = c.seen[:len(c.seen)-1] }()
	for node := range method.Field("body").All() {
		if !c.step() {
			return
		}
		switch {
		case node.Kind() == "object_creation_expression" && node.Field("type").Text() == "Cookie",
			node.Kind() == "method_invocation" && node.Field("object").Text() == "ResponseCookie" && strings.HasPrefix(node.Field("name").Text(), "from"):
			c.note(class, node, given)
		case node.Kind() == "method_invocation":
			c.enter(class, method, node, given, depth)
		}
	}
}

func (c *springCookies) note(class springClass, node syntax.Node, given map[string]string) {
	for argument := range node.Field("arguments").Children() {
		name, passed := given[argument.Text()]
		if !passed {
			name = c.text(argument, class.node.Field("name").Text(), 0)
		}
		if name != "" && !strings.Contains(name, unknownPart) && len(c.found) < mostItems {
			c.found = append(c.found, setter{name, Place{class.file, node.Line()}})
		}
		return
	}
}

// enter follows a call of the same class, or of a field whose class is known.
func (c *springCookies) enter(class springClass, from, call syntax.Node, given map[string]string, depth int) {
	target, found := class, true
	if object := call.Field("object"); !object.IsZero() && object.Text() != "this" {
		target, found = c.classOf(class, object.Text())
	}
	if !found {
		return
	}
	var methods []syntax.Node
	for method := range target.node.Field("body").Children() {
		if method.Kind() == "method_declaration" && method.Field("name").Text() == call.Field("name").Text() &&
			children(method.Field("parameters")) == children(call.Field("arguments")) {
			methods = append(methods, method)
		}
	}
	if len(methods) != 1 {
		return
	}
	passed := map[string]string{}
	var names []string
	for parameter := range methods[0].Field("parameters").Children() {
		names = append(names, parameter.Field("name").Text())
	}
	i := 0
	for argument := range call.Field("arguments").Children() {
		text, known := given[argument.Text()]
		if !known {
			text = c.text(argument, class.node.Field("name").Text(), 0)
		}
		passed[names[i]] = text
		i++
	}
	c.follow(target, methods[0], passed, depth+1)
}

func children(node syntax.Node) int {
	count := 0
	for range node.Children() {
		count++
	}
	return count
}

// classOf is the one class of a field, or of a name that is a class itself.
func (s *spring) classOf(class springClass, name string) (springClass, bool) {
	name = strings.TrimPrefix(name, "this.")
	for field := range class.node.Field("body").Children() {
		if field.Kind() == "field_declaration" && field.Field("declarator").Field("name").Text() == name {
			name = field.Field("type").Text()
			break
		}
	}
	if known := s.classes[name]; len(known) == 1 {
		return known[0], true
	}
	return springClass{}, false
}
