package locate

import (
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// railsRoutes reads the routes of one application. What it cannot tell stands
// before what follows as a route that takes everything below it: a later route
// that fits may then not be the one.
type railsRoutes struct {
	app      *railsApp
	calls    map[string]railsCall
	names    rubyNames
	concerns map[string]syntax.Node // the calls that make them
	own      map[string]bool        // methods that the file defines itself
	drawing  bool
	unsure   bool // something may have ended the block early
	ended    bool // a limit did
	steps    int
	order    int
	held     int // paths whose values have to match something
	routes   []route
}

const mostRailsSteps = 200_000

func (r *railsRoutes) step(depth int) bool {
	r.steps++
	if r.steps > mostRailsSteps || depth > mostDepth || len(r.routes) > mostRoutes || r.steps%1024 == 0 && r.app.ctx.Err() != nil {
		r.ended = true // a route that follows may not be the first
	}
	return !r.ended
}

// conditional are statements that may run or not.
var conditional = []string{"if", "unless", "case", "while", "until", "for", "if_modifier", "unless_modifier", "while_modifier", "until_modifier",
	"rescue", "rescue_modifier", "conditional", "case_match", "elsif", "when", "in_clause", "binary", "ensure"}

var plainBlocks = []string{"program", "body_statement", "block_body", "then", "else", "do", "begin", "begin_block", "parenthesized_statements"}

func (r *railsRoutes) walk(node syntax.Node, s railsScope, depth int) {
	if !r.step(depth) {
		return
	}
	switch kind := node.Kind(); {
	case slices.Contains(conditional, kind):
		s.unsure = true
		r.each(node, s, depth)
	case slices.Contains(plainBlocks, kind):
		r.each(node, s, depth)
	case kind == "assignment":
		r.assign(node, s)
		r.walk(node.Field("right"), s, depth+1)
	case kind == "operator_assignment":
		r.names[node.Field("left").Text()] = rubyName{}
	case kind == "method":
		r.own[node.Field("name").Text()] = true
	case kind == "return" || kind == "next" || kind == "break":
		r.unsure = true
	case kind == "ERROR" || kind == "yield":
		r.block(s)
	case kind == "call":
		r.call(node, s, depth)
	case kind == "identifier":
		if _, variable := r.names[node.Text()]; !variable {
			r.bare(node.Text(), s)
		}
	}
}

func (r *railsRoutes) each(node syntax.Node, s railsScope, depth int) {
	for child := range node.Children() {
		if !slices.Contains([]string{"condition", "value", "pattern"}, child.FieldName()) {
			r.walk(child, s, depth+1)
		}
	}
}

func (r *railsRoutes) assign(node syntax.Node, s railsScope) {
	left, value := node.Field("left"), rubyName{node: node.Field("right")}
	if s.unsure {
		value = rubyName{}
	}
	switch left.Kind() {
	case "identifier", "constant":
		r.names.assign(left.Text(), value)
	case "left_assignment_list":
		for one := range left.Children() {
			r.names[one.Text()] = rubyName{}
		}
	}
}

// bare is a word alone: a method that is given nothing.
func (r *railsRoutes) bare(name string, s railsScope) {
	if !slices.Contains(harmless, name) {
		r.block(s)
	}
}

// block says that anything below the scope may be answered by what is not known.
func (r *railsRoutes) block(s railsScope) {
	if !r.drawing {
		return
	}
	if s.inResource() && !s.shallow {
		s = s.below(s.resource.path)
	}
	prefix := s.path
	if s.shallow || strings.ContainsAny(prefix, unknownPart+"(") || len(s.expressions) > 0 {
		prefix = ""
	}
	r.put(nil, railsPaths(tidy(prefix)+rest, nil), s, railsTarget{}, true)
}

// harmless are methods that add no route.
var harmless = []string{"require", "require_relative", "require_dependency", "load", "puts", "p", "pp", "raise", "direct", "resolve", "extend", "include",
	"private", "public", "freeze", "warn", "default_url_options", "lambda", "proc", "using", "attr_accessor"}

// railsVerbs are the methods that a route may be named after.
var railsVerbs = map[string][]string{"get": reads, "post": {"POST"}, "put": {"PUT"}, "patch": {"PATCH"}, "delete": {"DELETE"}, "options": {"OPTIONS"}}

// reads is what Rails answers where GET is written.
var reads = []string{"GET", "HEAD"}

// call reads a call in the order of the source.
func (r *railsRoutes) call(node syntax.Node, s railsScope, depth int) {
	name, receiver := node.Field("method").Text(), node.Field("receiver")
	if name == "draw" && receiver.Field("method").Text() == "routes" {
		r.draw(node, receiver.Field("receiver").Text(), s, depth)
		return
	}
	if !r.drawing {
		r.outside(node, s, depth)
		return
	}
	if !receiver.IsZero() && receiver.Kind() != "self" {
		r.called(node, receiver, s, depth)
		return
	}
	if name != "draw" && r.own[name] {
		r.block(s)
		return
	}
	given := rubyArguments(node)
	switch {
	case railsVerbs[name] != nil:
		r.verb(name, railsVerbs[name], given, s)
	case r.calls[name] != nil:
		r.calls[name](r, node, given, s, depth)
	default:
		r.bare(name, s)
	}
}

// outside looks for what draws routes.
func (r *railsRoutes) outside(node syntax.Node, s railsScope, depth int) {
	if body, _ := rubyBlock(node); !body.IsZero() {
		s.unsure = true
		r.walk(body, s, depth+1)
	}
}

func (r *railsRoutes) draw(node syntax.Node, of string, s railsScope, depth int) {
	if !strings.HasSuffix(of, "pplication") { // Rails.application, or Shop::Application; not an engine
		return
	}
	before := r.drawing
	r.drawing = true
	body, _ := rubyBlock(node)
	r.walk(body, s, depth+1)
	r.drawing = before
}

// called is a call of something that is not the mapper.
func (r *railsRoutes) called(node, receiver syntax.Node, s railsScope, depth int) {
	body, parameters := rubyBlock(node)
	method := node.Field("method").Text()
	switch {
	case !body.IsZero() && (method == "each" || method == "map") && len(parameters) > 0:
		r.loop(receiver, body, parameters, s, depth)
	case !body.IsZero() && slices.Contains([]string{"times", "each_with_index", "each_pair", "each_with_object", "each"}, method):
		r.repeated(body, parameters, s, depth)
	case !body.IsZero() || node.Field("arguments").Text() != "" && mentionsSelf(node.Field("arguments")):
		r.block(s)
	}
}

func mentionsSelf(node syntax.Node) bool {
	for one := range node.All() {
		if kind := one.Kind(); kind == "self" || kind == "block_argument" {
			return true
		}
	}
	return false
}

// loop runs a block for each value of a list.
func (r *railsRoutes) loop(over, body syntax.Node, parameters []string, s railsScope, depth int) {
	values, told := r.names.list(over, 0)
	if !told || len(parameters) != 1 || !isList(r.names, over) {
		r.repeated(body, parameters, s, depth)
		return
	}
	if _, known := r.names[parameters[0]]; known { // what was made with it means the other one
		r.repeated(body, parameters, s, depth)
		return
	}
	for _, value := range values {
		name := rubyName{text: value}
		if strings.Contains(value, unknownPart) {
			name = rubyName{}
		}
		r.names[parameters[0]] = name
		r.walk(body, s, depth+1)
	}
	delete(r.names, parameters[0])
}

func isList(names rubyNames, node syntax.Node) bool {
	for range mostNesting {
		switch node.Kind() {
		case "array", "string_array", "symbol_array":
			return true
		case "identifier", "constant":
			node = names[node.Text()].node
		case "call":
			node = node.Field("receiver")
		default:
			return false
		}
	}
	return false
}

// repeated runs a block for what is not known, which may be nothing.
func (r *railsRoutes) repeated(body syntax.Node, parameters []string, s railsScope, depth int) {
	for _, name := range parameters {
		r.names[name] = rubyName{}
	}
	s.unsure = true
	r.walk(body, s, depth+1)
}

// put adds a route with its forms.
func (r *railsRoutes) put(methods []string, paths []railsPath, s railsScope, target railsTarget, unsure bool) {
	if r.ended {
		return
	}
	r.order++
	answers := r.app.answers(target)
	if len(answers) == 0 {
		answers = []railsAnswer{{}}
	}
	for _, path := range paths {
		if r.app.moved { // the root of all is not known
			if path.exact, path.pattern = nil, unknownPart+path.pattern; !path.pattern.says() && target != (railsTarget{}) {
				continue
			} else if !path.pattern.says() {
				path.pattern = rest
			}
		}
		sure := path.sure && !unsure && !s.unsure && !r.unsure && !r.app.unsure && !r.app.moved
		one := route{methods: methods, path: path.pattern, exact: path.exact, order: r.order, application: r.app.name, tidied: true,
			sure: sure, unsure: !sure}
		for _, answer := range answers {
			if path.pattern != rest { // what may be any path tells no handler
				one.place, one.setters = answer.place, answer.setters
			}
			r.routes = append(r.routes, one)
		}
	}
}

// mostHeld are the paths whose expressions are compiled; those of others are not told.
const mostHeld = 500

func (r *railsRoutes) paths(path string, s railsScope) []railsPath {
	if len(s.expressions) == 0 {
		return railsPaths(path, nil)
	}
	if r.held++; r.held > mostHeld {
		for name := range s.expressions {
			s = s.expecting(name, "")
		}
	}
	return railsPaths(path, s.expressions)
}

// verb is get, post and so on, and match with all its methods.
func (r *railsRoutes) verb(name string, methods []string, given rubyCall, s railsScope) {
	unsure := false
	if name == "match" {
		methods, unsure = s.methods, !s.anyMethod
		if given.has("via") {
			var told bool
			methods, told = railsMethods(r.names, given.options["via"])
			unsure = !told
		}
	}
	one := railsMatch{r: r, methods: methods, given: given, unsure: unsure}
	paths := given.values
	if len(paths) == 0 && !given.path.IsZero() {
		paths = []syntax.Node{given.path}
		one.target(given.to, true)
	} else if given.has("to") {
		one.target(given.options["to"], false)
	}
	if len(paths) == 0 || given.open {
		r.block(s)
		return
	}
	for _, path := range paths {
		one.add(path, s)
	}
}

// railsMatch is one call of match.
type railsMatch struct {
	r         *railsRoutes
	methods   []string
	given     rubyCall
	to        string
	action    string
	elsewhere bool   // to something that is no action
	whose     string // the controller that an arrow names
	unsure    bool
}

// target reads what to: or an arrow leads to.
func (m *railsMatch) target(node syntax.Node, arrow bool) {
	text := m.r.names.text(node, 0)
	switch {
	case node.Kind() == "nil":
	case text == unknownPart || !arrow && !strings.Contains(text, "#"): // Rails' versions differ
		m.elsewhere = true
	case strings.Contains(text, "#"):
		m.to = text
	case arrow && node.Kind() != "simple_symbol":
		m.whose = text
	default:
		m.action = text
	}
}

func (m railsMatch) add(path syntax.Node, s railsScope) {
	r, given := m.r, m.given
	if given.has("on") {
		level, known := map[string]railsLevel{"member": onMember, "collection": onCollection, "new": onNew}[r.names.text(given.options["on"], 0)]
		if !known {
			r.block(s)
			return
		}
		s = s.at(level)
	} else if s.level == manyResources {
		s = s.at(nestedIn)
	} else if s.level == oneResource {
		s = s.at(onMember)
	}
	written := r.names.text(path, 0)
	symbol := path.Kind() == "simple_symbol" || path.Kind() == "delimited_symbol"
	if !symbol && path.Kind() != "string" && s.isCanonical(written) {
		r.block(s) // a symbol has another path than a string
		return
	}
	target := m.chosen(written, symbol, s)
	switch {
	case symbol && given.has("path"):
		s = s.below(r.names.text(given.options["path"], 0))
	case symbol && s.isCanonical(written):
	case symbol:
		s = s.below(s.named(written))
	default:
		s = s.below(written)
	}
	s = s.formatted(given.options["format"]).constrained(r.names, m.given)
	r.put(m.methods, r.paths(m.ending(s), s), s, target, m.unsure)
}

var canonical = []string{"index", "create", "new", "show", "update", "destroy"}

// isCanonical reports whether an action of a resource has no path of its own.
func (s railsScope) isCanonical(action string) bool {
	return slices.Contains([]railsLevel{onMember, onCollection, onNew}, s.level) && slices.Contains(canonical, action)
}

// ending is the path with the format that it may have.
func (m railsMatch) ending(s railsScope) string {
	path := tidy(s.path)
	if len(path) > 1 {
		path = strings.TrimSuffix(path, "/")
	}
	switch {
	case m.given.has("anchor") && m.given.options["anchor"].Kind() == "false":
		return path + "(.:format)" + rest
	case s.format == hasNoFormat || strings.HasSuffix(path, "/") || strings.HasSuffix(path, ":format") || strings.HasSuffix(path, ":format)"):
		return path
	case s.format == hasFormat:
		return path + ".:format"
	}
	return path + "(.:format)"
}

// chosen is the controller and the action of a path.
func (m railsMatch) chosen(path string, symbol bool, s railsScope) railsTarget {
	given, names := m.given, m.r.names
	if m.elsewhere {
		return railsTarget{}
	}
	controller, action := m.whose, m.action
	if given.has("controller") {
		controller = names.text(given.options["controller"], 0)
	}
	if controller == "" {
		controller = s.controller
	}
	if action == "" && given.has("action") {
		action = names.text(given.options["action"], 0)
	}
	to := m.to
	if to == "" && !given.has("to") && s.controller != "" && s.action != "" {
		to = s.controller + "#" + s.action
	}
	if to == "" && action == "" && !symbol {
		to = shorthand(path)
	}
	if to != "" {
		controller, action, _ = strings.Cut(to, "#")
	}
	if action == "" {
		action = s.action
	}
	if action == "" && !strings.ContainsAny(path, "/:*(.") {
		action = strings.ReplaceAll(path, "-", "_")
	}
	if controller == "" && s.module == "" || action == "" || strings.Contains(path, ":action") || strings.Contains(path, ":controller") {
		return railsTarget{}
	}
	return railsTarget{s.within(controller), action}
}

// shorthand is what "users/list" leads to: users#list.
func shorthand(path string) string {
	path = strings.TrimPrefix(strings.TrimSuffix(path, "(.:format)"), "/")
	at := strings.LastIndex(path, "/")
	if at < 0 || strings.ContainsFunc(path, func(char rune) bool { return !isWord(char) && char != '-' && char != '/' }) {
		return ""
	}
	return strings.ReplaceAll(path[:at]+"#"+path[at+1:], "-", "_")
}

func isWord(char rune) bool {
	return char == '_' || char >= '0' && char <= '9' || char >= 'a' && char <= 'z' || char >= 'A' && char <= 'Z'
}
