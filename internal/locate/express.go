package locate

import (
	"context"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// express is Express: the first route that fits is taken.
var express = dialect{name: "express", holes: colons, ordered: true}

func readExpress(ctx context.Context, files *files) []route {
	names := slices.Concat(files.of(scriptFile), files.of(typedScriptFile))
	s := &scripts{ctx: ctx, files: files, modules: map[string]*script{}, functions: map[scriptKey]*scriptFunction{},
		made: map[scriptKey]*router{}, held: map[scriptKey]*router{}, setting: map[scriptKey][]setter{}, read: map[scriptKey]bool{},
		blocks: map[scriptKey]map[string]scriptName{}}
	if !slices.ContainsFunc(names, func(name string) bool { return mentions(files.read(name), []string{"express"}) }) {
		return nil
	}
	names = s.written(names)
	if !files.start.isAll() {
		names = files.reached(names)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !routesOfScript.Match(files.read(name)) })
	for _, s.learning = range []bool{true, false} {
		for _, name := range names {
			if module := s.load(name); module != nil {
				s.walk(module.tree.Root(), module.scope, 0)
			}
		}
	}
	for _, function := range s.functions {
		if own := function.result.itself(); len(function.callers) > 1 && own.made {
			own.shared = true // each call makes another
		}
	}
	return routesIn(s.routers)
}

// routesOfScript is found in what adds to a router or hands one on. Another
// module is parsed only where one of these needs it.
var routesOfScript = regexp.MustCompile(`express|[rR]outer|\.(?:get|post|put|delete|patch|all|use|route|options|head|del)\s*[(<]|\(\s*(?:\w+\.)*\w*(?:[aA]pp|[sS]erver)\s*[,)]`)

// written leaves out what a compiler made of other sources.
func (s *scripts) written(names []string) []string {
	sources := map[string]bool{}
	for _, name := range names {
		if languageOf(name) == typedScriptFile {
			sources[stem(name)] = true
		}
	}
	return slices.DeleteFunc(names, func(name string) bool {
		return languageOf(name) == scriptFile && sources[stem(name)] && mentions(s.files.read(name), []string{"__esModule", "sourceMappingURL="})
	})
}

func stem(name string) string { return strings.TrimSuffix(path.Base(name), path.Ext(name)) }

// walk reads statements in the order of the source.
func (s *scripts) walk(node syntax.Node, scope *scriptScope, depth int) {
	if depth > mostDepth || !s.step() {
		return
	}
	switch kind := node.Kind(); {
	case isFunction(node):
		function := s.function(scriptValue{node: node, scope: scope})
		body := node.Field("body")
		if body.Kind() == "statement_block" {
			s.walkBelow(body, function.scope, depth)
			return
		}
		if !s.learning {
			s.result(body, function.scope)
		}
		s.walk(body, function.scope, depth+1)
		return
	case isBlock(node):
		scope = s.block(node, scope)
	case isClass(node):
		scope = &scriptScope{module: scope.module, parent: scope, names: map[string]scriptName{}, class: &scriptValue{node: node, scope: scope}}
	case s.learning:
	case kind == "return_statement":
		for child := range node.Children() {
			s.result(child, scope)
		}
	case kind == "assignment_expression" && node.Field("left").Field("object").Kind() == "this":
		s.keep(node.Field("left").Field("property").Text(), node.Field("right"), scope)
	case strings.HasSuffix(kind, "field_definition"):
		name := node.Field("name").Text() + node.Field("property").Text()
		s.keep(name, node.Field("value"), scope)
	case kind == "call_expression":
		s.call(node, scope)
	case kind == "new_expression":
		s.pass(s.eval(node.Field("constructor"), scope, 0), node, scope)
	}
	s.walkBelow(node, scope, depth)
}

// branches are statements of which a part may be left out.
var branches = []string{"if_statement", "switch_statement", "ternary_expression", "for_statement", "for_in_statement", "while_statement", "catch_clause"}

func (s *scripts) walkBelow(node syntax.Node, scope *scriptScope, depth int) {
	isBranch := slices.Contains(branches, node.Kind()) || node.Kind() == "binary_expression" && node.Field("operator").Text() == "&&"
	if isBranch {
		s.branches++
	}
	for child := range node.Children() {
		s.walk(child, scope, depth+1)
	}
	if isBranch {
		s.branches--
	}
}

func (s *scripts) result(node syntax.Node, scope *scriptScope) {
	for at := scope; at != nil; at = at.parent {
		if at.in == nil {
			continue
		}
		if found := s.eval(node, scope, 0); found.router != nil {
			at.in.result.is(found.router)
		}
		return
	}
}

// keep says that a field of "this" holds a router.
func (s *scripts) keep(name string, value syntax.Node, scope *scriptScope) {
	found := s.eval(value, scope, 0)
	for at := scope; at != nil && found.router != nil; at = at.parent {
		if at.class == nil {
			continue
		}
		if field := s.classMember(*at.class, name, 0); field.router != nil {
			field.router.is(found.router)
		}
		return
	}
}

// called is what a call gives.
func (s *scripts) called(node syntax.Node, scope *scriptScope, depth int) scriptValue {
	callee := node.Field("function")
	if callee.Text() == "require" {
		for argument := range node.Field("arguments").Children() {
			if name, known := plainString(argument); known {
				return s.required(scope.module, name, depth)
			}
		}
	}
	if callee.Kind() == "member_expression" {
		of := s.eval(callee.Field("object"), scope, depth)
		method := callee.Field("property").Text()
		switch {
		case of.router != nil && method == "route":
			return s.below(node, of.router, scope)
		case of.router != nil && (isVerb(method) || method == "all" || method == "use"):
			return of
		case method == "bind":
			return of
		}
	}
	found := s.eval(callee, scope, depth)
	if found.external != "" {
		return s.library(found.external, node, scope)
	}
	if function := s.function(found); function != nil && !isClass(found.node) {
		function.callers[s.key(node, scope)] = true
		return scriptValue{router: function.result}
	}
	return scriptValue{}
}

// required is what module.exports is.
func (s *scripts) required(from *script, name string, depth int) scriptValue {
	found := s.imported(from, name)
	if found.module == nil {
		return found
	}
	if whole, known := found.module.exports[""]; known {
		value := s.given(whole, depth+1)
		if value.node.Kind() != "object" || len(found.module.exports) == 1 {
			return value
		}
	}
	return found
}

// library is what a function of a library gives.
func (s *scripts) library(name string, node syntax.Node, scope *scriptScope) scriptValue {
	if !slices.Contains([]string{"express", "express.Router", "express-promise-router"}, name) {
		return scriptValue{}
	}
	key := s.key(node, scope)
	if s.made[key] == nil {
		s.made[key] = s.router(true)
		s.made[key].isPart = name != "express"
	}
	return scriptValue{router: s.made[key]}
}

// below is router.route('/x').
func (s *scripts) below(node syntax.Node, base *router, scope *scriptScope) scriptValue {
	key := s.key(node, scope)
	key.kind = "route" // a chain begins where its first call does
	for argument := range node.Field("arguments").Children() {
		key.start = argument.Start()
		if s.made[key] == nil {
			s.made[key] = s.router(true)
			base.put(entry{prefix: s.text(argument, scope, 0), inner: s.made[key], unsure: s.branches > 0})
		}
		return scriptValue{router: s.made[key]}
	}
	return scriptValue{}
}

func argumentsOf(node syntax.Node) []syntax.Node {
	var all []syntax.Node
	for one := range node.Field("arguments").Children() {
		if one.Kind() != "comment" {
			all = append(all, one)
		}
	}
	return all
}

// call reads what a call adds to a router.
func (s *scripts) call(node syntax.Node, scope *scriptScope) {
	callee, given := node.Field("function"), argumentsOf(node)
	s.pass(s.eval(callee, scope, 0), node, scope)
	if callee.Kind() != "member_expression" || len(given) == 0 {
		return
	}
	key := s.key(callee.Field("property"), scope) // the calls of a chain begin where the first does
	if s.read[key] {
		return
	}
	s.read[key] = true
	method := callee.Field("property").Text()
	if !isVerb(method) && method != "all" && method != "use" && method != "del" {
		return
	}
	of := s.eval(callee.Field("object"), scope, 0)
	if of.router == nil {
		return
	}
	if inner := callee.Field("object"); inner.Kind() == "call_expression" {
		s.call(inner, scope) // r.route('/x').get(a).post(b): in the order they are written
	}
	if method == "use" {
		s.use(of.router, given, scope)
		return
	}
	s.add(of.router, method, given, s.isBelow(callee.Field("object")), scope)
}

// isBelow reports whether a chain begins with route('/x'), which has the path.
func (s *scripts) isBelow(node syntax.Node) bool {
	for range mostNesting {
		if node.Kind() != "call_expression" {
			return false
		}
		callee := node.Field("function")
		if callee.Field("property").Text() == "route" {
			return true
		}
		node = callee.Field("object")
	}
	return false
}

// pass is a router given to a function of the workspace.
func (s *scripts) pass(callee scriptValue, node syntax.Node, scope *scriptScope) {
	function := s.function(callee)
	if function == nil {
		return
	}
	for i, one := range argumentsOf(node) {
		if i >= len(function.parameters) {
			return
		}
		if found := s.eval(one, scope, 0); found.router != nil {
			found.router.put(entry{inner: function.parameters[i], unsure: s.branches > 0})
		}
	}
}

func (s *scripts) use(of *router, given []syntax.Node, scope *scriptScope) {
	prefixes := []string{""}
	if len(given) > 1 && s.eval(given[0], scope, 0).router == nil {
		if paths := s.paths(given[0], scope); len(paths) > 0 {
			prefixes, given = paths, given[1:]
		}
	}
	of.addedBy(scope.owner())
	for _, one := range given {
		for _, prefix := range prefixes {
			s.useOne(of, prefix, one, scope, 0)
		}
	}
}

// useOne mounts a router, or those of a list. A function that takes no third
// parameter answers all that is below the prefix.
func (s *scripts) useOne(of *router, prefix string, node syntax.Node, scope *scriptScope, depth int) {
	found := s.eval(node, scope, 0)
	switch {
	case depth > mostNesting:
	case found.router != nil:
		of.put(entry{prefix: prefix, inner: found.router, unsure: s.branches > 0})
	case found.node.Kind() == "array":
		for one := range found.node.Children() {
			s.useOne(of, prefix, one, found.scope, depth+1)
		}
	case prefix != "" && isFunction(found.node) && len(parameterNames(found.node)) == 2:
		made := s.route(nil, found)
		of.put(entry{path: prefix, route: &made, unsure: s.branches > 0})
		of.put(entry{path: joined(prefix, "/*"), route: &made, unsure: s.branches > 0})
	case prefix != "" && !isFunction(found.node) && (strings.Contains(prefix, "*") || routerName.MatchString(node.Text())): // and no middleware
		of.put(entry{path: joined(strings.TrimRight(prefix, "/*"), "/*"), route: &route{blind: true}, unsure: s.branches > 0})
	}
}

// paths are a path or a list of them; none where it is a function.
func (s *scripts) paths(node syntax.Node, scope *scriptScope) []string {
	if found := s.eval(node, scope, 0); isFunction(found.node) {
		return nil
	}
	if node.Kind() != "array" {
		return []string{s.text(node, scope, 0)}
	}
	var all []string
	for one := range node.Children() {
		text := s.text(one, scope, 0)
		if text == unknownPart && one.Kind() != "member_expression" {
			return nil // a list of what runs before
		}
		all = append(all, text)
	}
	return all
}

func (s *scripts) add(to *router, method string, given []syntax.Node, below bool, scope *scriptScope) {
	paths := []string{""}
	if !below {
		if len(given) < 2 {
			return // app.get('setting')
		}
		paths, given = s.paths(given[0], scope), given[1:]
	}
	var methods []string
	switch method {
	case "all":
	case "del":
		methods = []string{"DELETE"}
	default:
		methods = []string{strings.ToUpper(method)}
	}
	to.addedBy(scope.owner())
	handlers := s.last(given, scope)
	if len(handlers) == 0 && to.itself().made {
		for _, written := range paths {
			to.put(entry{path: written, route: &route{methods: methods, blind: true}, unsure: s.branches > 0})
		}
	}
	for _, handler := range handlers {
		if !to.itself().made && len(parameterNames(handler.node)) < 2 {
			continue // what is not known to be a router may be anything with a get
		}
		one := s.route(methods, handler)
		for _, written := range paths {
			to.put(entry{path: written, route: &one, unsure: s.branches > 0})
		}
	}
}

func (s *scripts) route(methods []string, handler scriptValue) route {
	name := handler.node.Field("name")
	at := handler.node.Line()
	if !name.IsZero() {
		at = name.Line()
	}
	return route{methods: methods, place: Place{handler.scope.module.file, at}, setters: s.setters(handler), operations: []string{name.Text()}}
}

// last are the handlers of the last argument that is no handler of errors, which
// takes four parameters.
func (s *scripts) last(given []syntax.Node, scope *scriptScope) []scriptValue {
	for _, one := range slices.Backward(given) {
		found := s.handlers(one, scope, 0)
		if len(found) != 1 || len(parameterNames(found[0].node)) < 4 {
			return found
		}
	}
	return nil
}

// handlers are the functions that an expression gives: itself, the last of a
// list, what a wrapper is given, or what makes it.
func (s *scripts) handlers(node syntax.Node, scope *scriptScope, depth int) []scriptValue {
	if depth > mostNesting || !s.step() {
		return nil
	}
	found := s.eval(node, scope, 0)
	switch {
	case isFunction(found.node):
		return []scriptValue{found}
	case found.node.Kind() == "array":
		var last syntax.Node
		for child := range found.node.Children() {
			last = child
		}
		return s.handlers(last, found.scope, depth+1)
	}
	call := node
	if node.Kind() == "identifier" { // const login = wrapped(async (req, res) => …)
		if name, known := scope.find(node.Text()); known && name.member == "" && name.from.Kind() == "call_expression" {
			call, scope = name.from, name.scope
		}
	}
	if call.Kind() != "call_expression" {
		return nil
	}
	var all []scriptValue
	for _, one := range argumentsOf(call) {
		if slices.Contains([]string{"identifier", "member_expression", "call_expression"}, one.Kind()) || isFunction(one) {
			all = append(all, slices.DeleteFunc(s.handlers(one, scope, depth+1), func(one scriptValue) bool { return !answers(one.node) })...)
		}
	}
	if callee := s.eval(call.Field("function"), scope, 0); len(all) == 0 && isFunction(callee.node) && !callsParameter(callee.node) {
		return []scriptValue{callee}
	}
	return all
}

var (
	routerName   = regexp.MustCompile(`(?i)rout(er|es?\b)|proxy|graphql`)
	requestName  = regexp.MustCompile(`(?i)^_*(req|request)$`)
	responseName = regexp.MustCompile(`(?i)^_*(res|resp|response)$`)
)

// answers reports whether a function looks like one that answers a request, and
// not like another that a wrapper is given.
func answers(function syntax.Node) bool {
	names := parameterNames(function)
	return len(names) > 1 && (requestName.MatchString(names[0]) || responseName.MatchString(names[1])) || len(names) == 1 && requestName.MatchString(names[0])
}

// callsParameter reports whether a function calls what it is given: the handler
// is then not made here.
func callsParameter(function syntax.Node) bool {
	names := parameterNames(function)
	for node := range function.Field("body").All() {
		if callee := node.Field("function"); node.Kind() == "call_expression" && callee.Kind() == "identifier" && slices.Contains(names, callee.Text()) {
			return true
		}
	}
	return false
}
