package locate

import (
	"go/ast"
	"slices"
	"strings"
)

// call reads what a call adds to a router; false where its parts are read.
func (w *goWalk) call(call *ast.CallExpr, s *goScope) bool {
	if w.done[call] {
		return true
	}
	w.routerOf(call, s, 0) // a group that is never kept is one
	w.pass(call, s)
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return true
	}
	switch name := selector.Sel.Name; {
	case name == "Route" || name == "Group":
		return w.callback(call, s)
	case name == "Methods" || name == "HandlerFunc" || name == "Handler" || name == "Name":
		w.chain(call, s)
	case isVerb(name) && len(call.Args) > 1:
		w.add(selector.X, []string{strings.ToUpper(name)}, call.Args[0], call.Args[1:], s)
	case slices.Contains([]string{"HandleFunc", "Handle", "Any", "All", "Add", "Method", "MethodFunc", "Match"}, name):
		w.addNamed(selector, call.Args, s)
	case (name == "Mount" || name == "Use") && len(call.Args) == 2:
		w.mount(selector, w.path(call.Args[0], s), call.Args[1], s)
	}
	return true
}

// pass is a router given to a function of the workspace.
func (w *goWalk) pass(call *ast.CallExpr, s *goScope) {
	var functions []*goFunction
	for i, given := range call.Args {
		router := w.routerOf(given, s, 0)
		if router == nil {
			continue
		}
		if functions == nil {
			functions = w.functions(call.Fun, s, 0)
		}
		for _, one := range functions[:min(len(functions), mostRouters)] {
			router.put(entry{inner: w.parameter(one, i), unsure: s.isInBranch() || len(functions) > 1})
		}
	}
}

// callback is the function that chi's Route and Group call at once.
func (w *goWalk) callback(call *ast.CallExpr, s *goScope) bool {
	if len(call.Args) == 0 {
		return true
	}
	literal, ok := call.Args[len(call.Args)-1].(*ast.FuncLit)
	below := w.routerOf(call, s, 0)
	if below == nil || len(call.Args) > 2 {
		return true
	}
	if !ok {
		for _, one := range w.functions(call.Args[len(call.Args)-1], s, 0) {
			below.mount("", w.parameter(one, 0))
		}
		return true
	}
	inner := s.inner()
	bindFields(inner, literal.Type.Params, func(int) *router { return below })
	w.walk(literal.Body, inner)
	w.walk(call.Fun, s)
	return false
}

// chain reads gorilla's r.HandleFunc("/login", h).Methods("POST"), in any order.
func (w *goWalk) chain(call *ast.CallExpr, s *goScope) {
	var (
		methods  []string
		path     ast.Expr
		handlers []ast.Expr
	)
	at, base := call, ast.Expr(nil)
	for range mostNesting {
		selector, ok := at.Fun.(*ast.SelectorExpr)
		if !ok {
			return
		}
		w.done[at] = true
		switch name := selector.Sel.Name; {
		case name == "Methods":
			methods = append(methods, w.constants(at.Args, s)...)
		case (name == "HandleFunc" || name == "Handle") && len(at.Args) == 2:
			path, handlers = at.Args[0], at.Args[1:]
		case (name == "HandlerFunc" || name == "Handler") && len(at.Args) == 1:
			handlers = at.Args
		case name == "Path" && len(at.Args) == 1:
			path = at.Args[0]
		case name == "PathPrefix" && len(at.Args) == 1 && len(handlers) > 0:
			w.addOrMount(selector.X, nil, at.Args[0], handlers[0], s)
			return
		}
		base = selector.X
		inner, ok := base.(*ast.CallExpr)
		if !ok || slices.Contains([]string{"Subrouter", "PathPrefix"}, calledName(inner)) && calledName(at) != "Handler" {
			break
		}
		at = inner
	}
	if path != nil && len(handlers) > 0 {
		w.add(base, methods, path, handlers, s)
	}
}

func calledName(call *ast.CallExpr) string {
	if selector, ok := call.Fun.(*ast.SelectorExpr); ok {
		return selector.Sel.Name
	}
	return ""
}

// constants are the methods that are named; nil, which is any, where one is not
// known.
func (w *goWalk) constants(given []ast.Expr, s *goScope) []string {
	var all []string
	for _, one := range given {
		if listed, ok := one.(*ast.CompositeLit); ok {
			all = append(all, w.constants(listed.Elts, s)...)
			continue
		}
		name, known := w.constant(one, s, 0)
		if !known {
			return nil
		}
		all = append(all, strings.ToUpper(name))
	}
	return all
}

// addNamed reads Handle("/login", h), Handle("POST", "/login", h) and
// Match([]string{"POST"}, "/login", h).
func (w *goWalk) addNamed(selector *ast.SelectorExpr, given []ast.Expr, s *goScope) {
	if len(given) < 2 {
		return
	}
	if len(given) > 2 {
		if first, known := w.constant(given[0], s, 0); !known || isVerb(first) {
			w.add(selector.X, w.constants(given[:1], s), given[1], given[2:], s)
			return
		}
	}
	if selector.Sel.Name == "Handle" {
		w.addOrMount(selector.X, nil, given[0], given[1], s)
		return
	}
	w.add(selector.X, nil, given[0], given[1:], s)
}

// base is the router that something is added to.
func (w *goWalk) base(x ast.Expr, s *goScope) *router {
	if _, from := s.packageOf(x); from != "" {
		if from == "net/http" {
			return w.defaultMux()
		}
		name := x.(*ast.Ident).Name
		if w.imported(s.source, name) == nil {
			return nil
		}
	}
	if found := w.routerOf(x, s, 0); found != nil {
		return found
	}
	if found := w.embedded(x, s); found != nil {
		return found
	}
	if s.source.dialect().name == "" || w.isForeign(x, s, 0) && !w.isOfFramework(x, s) {
		return nil
	}
	return w.router(false, dialect{}) // somebody's, at a prefix that is not known
}

// mount reads a router that is given with its prefix.
func (w *goWalk) mount(selector *ast.SelectorExpr, prefix string, given ast.Expr, s *goScope) {
	base := selector.X
	inner, _ := w.wrapped(given, s, 0)
	if inner == nil {
		if outer := w.routerOf(base, s, 0); outer != nil && selector.Sel.Name == "Mount" && strings.HasPrefix(prefix, "/") {
			outer.put(entry{path: joined(prefix, "/*"), route: &route{blind: true}, unsure: s.isInBranch()})
		}
		return
	}
	if outer := w.base(base, s); outer != nil {
		outer.put(entry{prefix: prefix, inner: inner, unsure: s.isInBranch()})
	}
}

// addOrMount reads a handler that may be a router. Such a router sees the whole
// path, but for what is stripped.
func (w *goWalk) addOrMount(base ast.Expr, methods []string, path, given ast.Expr, s *goScope) {
	inner, stripped := w.wrapped(given, s, 0)
	if inner == nil {
		w.add(base, methods, path, []ast.Expr{given}, s)
		return
	}
	outer := w.base(base, s)
	if outer == nil {
		return
	}
	written := w.path(path, s)
	found := w.handlers(given, s, 0)
	within := written + "{...}" // of a prefix
	if w.dialectOf(outer, s).name == netHTTP.name {
		methods, written = split(methods, written)
		within = written
	}
	made := entry{prefix: stripped, inner: inner, path: written, within: within, unsure: s.isInBranch()}
	if len(found) == 0 {
		outer.put(made)
		return
	}
	for _, handler := range found {
		one := w.route(methods, handler)
		made.route = &one
		outer.put(made)
	}
}

func (w *goWalk) route(methods []string, handler goHandler) route {
	return route{methods: methods, place: handler.at, setters: w.setters(handler), operations: []string{handler.name}}
}

// dialectOf is that of a router, or where it is not known that of the source.
func (w *goWalk) dialectOf(of *router, s *goScope) dialect {
	own := of.itself()
	if own.dialect.name == "" {
		own.dialect = s.source.dialect()
	}
	return own.dialect
}

// wrapped is the router in what is around it, and the prefix that is stripped.
func (w *goWalk) wrapped(x ast.Expr, s *goScope, depth int) (*router, string) {
	if depth > mostNesting {
		return nil, ""
	}
	if call, ok := x.(*ast.CallExpr); ok && len(call.Args) > 0 {
		for _, given := range call.Args {
			inner, below := w.wrapped(given, s, depth+1)
			if inner == nil {
				continue
			}
			if calledName(call) == "StripPrefix" {
				below = w.path(call.Args[0], s) + below
			}
			return inner, below
		}
	}
	if found := w.delegate(x, s); found != nil {
		return found, ""
	}
	found := w.routerOf(x, s, 0)
	if found == nil || w.isHandler(x, s) {
		return nil, ""
	}
	return found, ""
}

// delegate is the one router that a value's ServeHTTP hands its requests to.
func (w *goWalk) delegate(x ast.Expr, s *goScope) *router {
	in, name := w.typeOf(x, s, 0)
	if in == nil {
		return nil
	}
	methods := w.methods(in, name, "ServeHTTP", 0)
	if len(methods) == 0 {
		return w.embedded(x, s)
	}
	if len(methods) != 1 || methods[0].declared.Body == nil {
		return nil
	}
	var found []*router
	scope := w.scopeOf(methods[0])
	ast.Inspect(methods[0].declared.Body, func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok || calledName(call) != "ServeHTTP" || !w.step() {
			return true
		}
		if inner, _ := w.wrapped(call.Fun.(*ast.SelectorExpr).X, scope, mostNesting); inner != nil {
			found = append(found, inner)
		}
		return true
	})
	if len(found) != 1 {
		return nil
	}
	return found[0]
}

// isHandler reports whether a value is a function or has ServeHTTP.
func (w *goWalk) isHandler(x ast.Expr, s *goScope) bool {
	if _, ok := x.(*ast.CallExpr); ok {
		return false
	}
	in, name := w.typeOf(x, s, 0)
	return in != nil && w.methods(in, name, "ServeHTTP", 0) != nil || len(w.functions(x, s, 0)) > 0
}

func (w *goWalk) add(base ast.Expr, methods []string, path ast.Expr, handlers []ast.Expr, s *goScope) {
	written := w.path(path, s)
	if !strings.ContainsAny(written, "/"+unknownPart) && written != "" {
		return
	}
	router := w.base(base, s)
	if router == nil {
		return
	}
	by := w.dialectOf(router, s)
	found := w.chosen(handlers, by, s)
	if by.name == netHTTP.name {
		methods, written = split(methods, written)
	}
	router.addedBy(w.in)
	if len(found) == 0 && (strings.HasPrefix(written, "/") || strings.HasPrefix(written, unknownPart)) && router.itself().dialect.name != "" {
		router.put(entry{path: written, route: &route{methods: methods, blind: true}, unsure: s.isInBranch()})
	}
	for _, one := range found {
		made := w.route(methods, one)
		router.put(entry{path: written, route: &made, unsure: s.isInBranch()})
	}
}

// split reads "POST example.com/login/" of Go 1.22: a method, a host, and a path
// whose slash at the end stands for all below it.
func split(methods []string, written string) ([]string, string) {
	if method, path, found := strings.Cut(written, " "); found {
		methods, written = []string{method}, strings.TrimSpace(path)
	}
	if at := strings.Index(written, "/"); at > 0 && !strings.HasPrefix(written, unknownPart) {
		written = written[at:]
	}
	if strings.HasSuffix(written, "/") {
		written += "{...}"
	}
	return methods, written
}

// goHandler is a function that answers.
type goHandler struct {
	name  string
	at    Place
	body  *ast.BlockStmt
	scope *goScope
	shape *ast.FuncType
}

// chosen are the handlers of a route: of gin's, fiber's and chi's the last, of
// echo's the first, the others being what runs around it.
func (w *goWalk) chosen(given []ast.Expr, by dialect, s *goScope) []goHandler {
	if by.name == echo.name {
		return w.handlers(given[0], s, 0)
	}
	return w.handlers(given[len(given)-1], s, 0)
}

// handlers are the functions that an expression may be: one, or several where
// it is not known which.
func (w *goWalk) handlers(x ast.Expr, s *goScope, depth int) []goHandler {
	if depth > mostNesting || !w.step() {
		return nil
	}
	switch given := x.(type) {
	case *ast.FuncLit:
		inner := s.inner()
		inner.literal = true
		bindFields(inner, given.Type.Params, nil)
		return []goHandler{{"", w.place(given.Pos()), given.Body, inner, given.Type}}
	case *ast.ParenExpr:
		return w.handlers(given.X, s, depth+1)
	case *ast.CallExpr:
		return w.inside(given, s, depth)
	case *ast.Ident:
		if found, known := s.local(given.Name); known && (found.from != nil || len(found.others) > 0) {
			return w.valuesOf(found, depth)
		}
	}
	if in, name := w.typeOf(x, s, depth); in != nil {
		if found := w.methods(in, name, "ServeHTTP", depth); found != nil {
			return w.declared(found)
		}
	}
	return w.declared(w.functions(x, s, depth))
}

func (w *goWalk) declared(functions []*goFunction) []goHandler {
	var all []goHandler
	for _, one := range functions[:min(len(functions), mostNamed+1)] {
		all = append(all, goHandler{one.declared.Name.Name, one.place(w.golang), one.declared.Body, w.scopeOf(one), one.declared.Type})
	}
	return all
}

// valuesOf are the handlers of all that a name may stand for; none where one of
// them is not known.
func (w *goWalk) valuesOf(local goLocal, depth int) []goHandler {
	var all []goHandler
	for _, one := range append([]goLocal{local}, local.others...) {
		found := w.handlers(one.from, one.scope, depth+1)
		if len(found) == 0 && one.from != nil {
			return nil
		}
		all = append(all, found...)
	}
	return all
}

// inside are the functions that a wrapper is given, else the one that makes the
// handler.
func (w *goWalk) inside(call *ast.CallExpr, s *goScope, depth int) []goHandler {
	var all []goHandler
	for _, given := range call.Args {
		switch given.(type) {
		case *ast.FuncLit, *ast.Ident, *ast.SelectorExpr, *ast.CallExpr, *ast.UnaryExpr, *ast.CompositeLit:
			all = append(all, w.answering(w.handlers(given, s, depth+1))...)
		}
	}
	if len(all) > 0 {
		return all
	}
	if in, name := w.typeOf(call, s, depth); in != nil {
		if found := w.methods(in, name, "ServeHTTP", depth); found != nil {
			return w.declared(found)
		}
	}
	return w.declared(slices.DeleteFunc(slices.Clone(w.functions(call.Fun, s, depth)), func(one *goFunction) bool { return !w.makesHandler(one) }))
}

// answering leaves out functions that a wrapper may be given besides the one
// that answers.
func (w *goWalk) answering(given []goHandler) []goHandler {
	return slices.DeleteFunc(given, func(one goHandler) bool { return one.shape != nil && !w.answers(one.shape) })
}

// requestTypes are those of what a handler is given.
var requestTypes = []string{"ResponseWriter", "Request", "Context", "Ctx", "Params"}

// answers reports whether a function looks like one that answers a request.
func (w *goWalk) answers(shape *ast.FuncType) bool {
	if results := shape.Results; results.NumFields() > 0 && lastName(results.List[len(results.List)-1].Type) != "error" {
		return false
	}
	return shape.Params.NumFields() == 0 || slices.ContainsFunc(shape.Params.List, func(one *ast.Field) bool {
		named, _ := one.Type.(*ast.SelectorExpr)
		return slices.Contains(requestTypes, lastName(one.Type)) && (named == nil || lastName(named.X) != "context")
	})
}

// makesHandler reports whether a function gives a handler that it makes itself,
// and not one that wraps what it is given.
func (w *goWalk) makesHandler(one *goFunction) bool {
	shape := one.declared.Type
	for _, given := range shape.Params.List {
		if w.isHandlerType(given.Type, one.source) {
			return false
		}
	}
	return shape.Results.NumFields() > 0 && w.isHandlerType(shape.Results.List[0].Type, one.source)
}

func (w *goWalk) isHandlerType(shape ast.Expr, source *goSource) bool {
	if many, ok := shape.(*ast.Ellipsis); ok {
		shape = many.Elt
	}
	switch given := shape.(type) {
	case *ast.FuncType:
		return true
	case *ast.SelectorExpr:
		if strings.HasPrefix(given.Sel.Name, "Handler") || given.Sel.Name == "Handle" {
			return true
		}
	}
	in, name := w.namedType(shape, source)
	if in == nil {
		return false
	}
	_, function := in.types[name].shape.(*ast.FuncType)
	return function || w.methods(in, name, "ServeHTTP", 0) != nil
}

// lastName is "Request" for *http.Request.
func lastName(shape ast.Expr) string {
	if selector, ok := shape.(*ast.SelectorExpr); ok {
		return selector.Sel.Name
	}
	if pointer, ok := shape.(*ast.StarExpr); ok {
		return lastName(pointer.X)
	}
	return typeName(shape)
}
