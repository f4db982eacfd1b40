package locate

import (
	"context"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// spring are the classes of a workspace.
type spring struct {
	constants map[string][]springConstant // by "Class.NAME"
	classes   map[string][]springClass
	prefixes  map[string]string // of all paths, by module
	all       []springClass
	unread    map[string][]string // files by the class that they are called after
	files     *files
	ctx       context.Context
	steps     int
}

type springClass struct {
	file string
	node syntax.Node
}

// springConstant is a value, and the class that it is written in.
type springConstant struct {
	class string
	node  syntax.Node
}

const mostSpringSteps = 2_000_000

func (s *spring) step() bool {
	s.steps++
	return s.steps < mostSpringSteps
}

func readSpring(ctx context.Context, files *files) []route {
	names := files.of(javaFile)
	if !files.start.isAll() {
		names = files.modules(names)
	}
	if !slices.ContainsFunc(names, func(name string) bool { return mentions(files.read(name), []string{"springframework"}) }) {
		return nil
	}
	s := &spring{constants: map[string][]springConstant{}, classes: map[string][]springClass{}, prefixes: map[string]string{}, unread: map[string][]string{}, files: files, ctx: ctx}
	var mapping []string
	for _, name := range names {
		if mentions(files.read(name), []string{"addPathPrefix("}) {
			s.prefixes[moduleOf(name)] = unknownPart
		}
		if mentions(files.read(name), []string{"Controller", "Mapping"}) {
			mapping = append(mapping, name)
		} else {
			s.unread[stem(name)] = append(s.unread[stem(name)], name)
		}
	}
	for _, name := range mapping {
		s.load(name)
	}
	var routes []route
	for _, class := range slices.Clone(s.all) {
		if len(routes) < mostRoutes && isController(class.node) {
			routes = append(routes, s.routes(class)...)
		}
	}
	return routes
}

// load learns the classes of a file.
func (s *spring) load(name string) {
	for node := range s.files.tree(s.ctx, name, syntax.Java).Root().All() {
		if slices.Contains([]string{"class_declaration", "interface_declaration", "enum_declaration", "record_declaration"}, node.Kind()) {
			s.all = append(s.all, springClass{name, node})
			s.learn(springClass{name, node})
		}
	}
}

// named are the classes of a name. Their files are called like them, and are not
// read before something asks.
func (s *spring) named(name string) []springClass {
	unread := s.unread[name]
	delete(s.unread, name)
	for _, file := range unread {
		s.load(file)
	}
	return s.classes[name]
}

// modules are the sources of the modules that an application begins with, and of
// those that their builds name.
func (f *files) modules(names []string) []string {
	var begin []string
	builds := map[string]string{}
	for _, name := range names {
		module := moduleOf(name)
		if _, known := builds[module]; !known {
			for _, build := range []string{"pom.xml", "build.gradle", "build.gradle.kts"} {
				builds[module] += string(f.read(path.Join(module, build)))
			}
		}
		if f.start.begins(name) {
			begin = append(begin, module)
		}
	}
	seen := reachable(begin, func(module string) (named []string) {
		for other := range builds {
			if other != "" && (hasModule(builds[module], path.Base(other)) || hasModule(builds[module], artifactOf(builds[other]))) {
				named = append(named, other)
			}
		}
		return named
	})
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !seen[moduleOf(name)] })
}

// artifactOf is what a build of Maven calls itself.
func artifactOf(build string) string {
	if _, after, found := strings.Cut(build, "</parent>"); found {
		build = after
	}
	_, build, _ = strings.Cut(build, "<artifactId>")
	name, _, _ := strings.Cut(build, "</artifactId>")
	return strings.TrimSpace(name)
}

// hasModule reports whether a build names a module: as an artifact of Maven, or
// in project(":web") of Gradle.
func hasModule(build, name string) bool {
	return slices.ContainsFunc(strings.FieldsFunc(build, func(char rune) bool { return strings.ContainsRune("<>\"':/\r\n\t (),", char) }), func(word string) bool {
		return word == name
	})
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
		key := name + "." + declared.Field("name").Text()
		s.constants[key] = append(s.constants[key], springConstant{name, declared.Field("value")})
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
	of, _, _ := strings.Cut(key, ".")
	s.named(of)
	if known := s.constants[key]; len(known) == 1 {
		return s.text(known[0].node, known[0].class, depth+1)
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
var springMappings = []struct {
	name    string
	methods []string
}{
	{"RequestMapping", nil}, {"GetMapping", []string{"GET"}}, {"PostMapping", []string{"POST"}}, {"PutMapping", []string{"PUT"}},
	{"PatchMapping", []string{"PATCH"}}, {"DeleteMapping", []string{"DELETE"}},
}

// mappingOf is the first annotation of a method that maps it, and its methods.
func mappingOf(method syntax.Node) (syntax.Node, []string) {
	for _, one := range springMappings {
		if mapping := annotation(method, one.name); !mapping.IsZero() {
			if one.methods == nil {
				return mapping, requestMethods(mapping)
			}
			return mapping, one.methods
		}
	}
	return syntax.Node{}, nil
}

// springMethod is a method that a class has, of its own or from above.
type springMethod struct {
	in   springClass
	node syntax.Node
}

func (m springMethod) isLike(other syntax.Node) bool {
	return m.node.Field("name").Text() == other.Field("name").Text() && children(m.node.Field("parameters")) == children(other.Field("parameters"))
}

// lineage are a class and what it is made from, as far as the workspace has the
// one class or interface of that name.
func (s *spring) lineage(class springClass) []springClass {
	all := []springClass{class}
	for i := 0; i < len(all) && len(all) < mostRouters; i++ {
		for _, heading := range []string{"superclass", "interfaces", "extends_interfaces"} {
			above := all[i].node.Field(heading)
			if above.IsZero() {
				above = all[i].node.Child(heading)
			}
			for node := range above.All() {
				if node.Kind() != "type_identifier" {
					continue
				}
				known := s.named(node.Text())
				if len(known) == 1 && !slices.Contains(all, known[0]) {
					all = append(all, known[0])
				}
			}
		}
	}
	return all
}

func (s *spring) routes(class springClass) []route {
	module := moduleOf(class.file)
	lineage := s.lineage(class)
	prefixes := []string{""}
	var methods []springMethod
	for _, one := range slices.Backward(lineage) {
		if mapping := annotation(one.node, "RequestMapping"); !mapping.IsZero() {
			prefixes = s.paths(mapping, one.node.Field("name").Text())
		}
	}
	for _, one := range lineage {
		for method := range one.node.Field("body").Children() {
			if method.Kind() == "method_declaration" {
				methods = append(methods, springMethod{one, method})
			}
		}
	}
	unsure := slices.ContainsFunc([]string{"Profile", "ConditionalOnProperty", "ConditionalOnExpression", "Conditional"}, func(name string) bool {
		return !annotation(class.node, name).IsZero()
	})
	var routes []route
	for i, method := range methods {
		mapping, verbs := mappingOf(method.node)
		if mapping.IsZero() || method.node.Field("name").IsZero() {
			continue
		}
		does := method // or what stands for it further down
		for _, lower := range slices.Backward(methods[:i]) {
			if lower.in != method.in && lower.isLike(method.node) {
				does = lower
			}
		}
		if own, _ := mappingOf(does.node); does != method && !own.IsZero() {
			continue // it has a mapping of its own
		}
		made := route{methods: verbs, place: Place{does.in.file, does.node.Field("name").Line()}, setters: s.setters(does.in, does.node),
			operations: []string{does.node.Field("name").Text()}, application: module, unsure: unsure}
		routes = append(routes, s.below(s.prefix(module), prefixes, s.paths(mapping, method.in.node.Field("name").Text()), made)...)
	}
	return routes
}

// mostPaths of one annotation are read.
const mostPaths = 16

func (s *spring) below(context string, prefixes, paths []string, made route) []route {
	var routes []route
	for _, prefix := range prefixes[:min(len(prefixes), mostPaths)] {
		for _, path := range paths[:min(len(paths), mostPaths)] {
			one := made
			one.written = joined(joined(joined("", context), resolved(prefix)), resolved(path))
			one.path = curly(one.written)
			routes = append(routes, one)
		}
	}
	return routes
}

var placeholder = regexp.MustCompile(`[$#]\{[^{}]*\}`)

// resolved leaves open what the environment decides: "${api.prefix}/login".
func resolved(path string) string { return placeholder.ReplaceAllString(path, unknownPart) }

// moduleOf is the folder that the sources of an application stand in.
func moduleOf(file string) string {
	for _, sources := range []string{"src/main/java/", "src/main/", "src/"} {
		if strings.HasPrefix(file, sources) {
			return ""
		}
		if before, _, found := strings.Cut(file, "/"+sources); found {
			return before
		}
	}
	return folderOf(file)
}

// prefix is what an application's settings put before all of its paths.
func (s *spring) prefix(module string) string {
	if known, seen := s.prefixes[module]; seen {
		return known
	}
	var found []string
	for _, name := range []string{"application", "bootstrap"} {
		for _, end := range []string{".properties", ".yml", ".yaml"} {
			for _, folder := range []string{"src/main/resources", "config", ""} {
				found = append(found, contextPaths(string(s.files.read(path.Join(module, folder, name+end))))...)
			}
		}
	}
	slices.Sort(found)
	switch found = slices.Compact(found); len(found) {
	case 0:
		s.prefixes[module] = ""
	case 1:
		s.prefixes[module] = strings.TrimSuffix(resolved(found[0]), "/")
	default:
		s.prefixes[module] = unknownPart // profiles have different ones
	}
	return s.prefixes[module]
}

var contextKeys = []string{"server.servlet.context-path", "server.servlet.contextpath", "server.context-path", "server.contextpath", "spring.mvc.servlet.path", "spring.webflux.base-path"}

// contextPaths are the values of the context path in properties or in YAML, whose
// nested keys are told by how far they stand in.
func contextPaths(settings string) []string {
	var found, keys []string
	var indents []int
	for line := range strings.Lines(settings) {
		line = strings.TrimRight(line, " \t\r\n")
		key, value, has := strings.Cut(strings.TrimSpace(line), ":")
		if before, after, equals := strings.Cut(strings.TrimSpace(line), "="); equals && (!has || len(before) < len(key)) {
			key, value, has = before, after, true
		}
		if !has || strings.HasPrefix(key, "#") {
			continue
		}
		indent := len(line) - len(strings.TrimLeft(line, " "))
		for len(indents) > 0 && indents[len(indents)-1] >= indent {
			indents, keys = indents[:len(indents)-1], keys[:len(keys)-1]
		}
		if len(keys) > mostNesting {
			return found
		}
		indents, keys = append(indents, indent), append(keys, strings.ToLower(strings.TrimSpace(key)))
		if value, _, _ = strings.Cut(value, " #"); slices.Contains(contextKeys, strings.Join(keys, ".")) && strings.TrimSpace(value) != "" {
			if value = strings.Trim(strings.TrimSpace(value), `"'`); isPlain(value) && len(value) <= longestText {
				found = append(found, value)
			}
		}
	}
	return found
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
	if known := s.named(name); len(known) == 1 {
		return known[0], true
	}
	return springClass{}, false
}
