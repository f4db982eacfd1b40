package locate

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
)

// The frameworks of Go. The standard library's and chi's routers, gin's and
// echo's prefer the precise path; gorilla's and fiber's take the first.
var (
	netHTTP    = dialect{name: "net/http", holes: curly}
	chi        = dialect{name: "chi", holes: curly}
	gorilla    = dialect{name: "gorilla", holes: curly, ordered: true}
	gin        = dialect{name: "gin", holes: colons}
	echo       = dialect{name: "echo", holes: colons}
	fiber      = dialect{name: "fiber", holes: colons, ordered: true}
	httprouter = dialect{name: "httprouter", holes: colons}
)

// goFrameworks are import paths, and what they call what makes a router.
var goFrameworks = []struct {
	from  string
	by    dialect
	makes []string
}{
	{"github.com/go-chi/chi", chi, []string{"NewRouter", "NewMux"}},
	{"github.com/gorilla/mux", gorilla, []string{"NewRouter"}},
	{"github.com/gin-gonic/gin", gin, []string{"New", "Default"}},
	{"github.com/labstack/echo", echo, []string{"New"}},
	{"github.com/gofiber/fiber", fiber, []string{"New"}},
	{"github.com/julienschmidt/httprouter", httprouter, []string{"New"}},
	{"net/http", netHTTP, []string{"NewServeMux"}},
}

func frameworkOf(from string) (dialect, []string) {
	for _, one := range goFrameworks {
		if from == one.from || strings.HasPrefix(from, one.from+"/v") {
			return one.by, one.makes
		}
	}
	return dialect{}, nil
}

// dialect is that of what a source imports; none where it imports none.
func (s *goSource) dialect() dialect {
	for _, one := range goFrameworks {
		for _, from := range s.imports {
			if by, _ := frameworkOf(from); by.name == one.by.name {
				return by
			}
		}
	}
	return dialect{}
}

// goWalk reads one function.
type goWalk struct {
	*golang
	in   *goFunction // nil for variables of the package
	done map[*ast.CallExpr]bool
	made map[*ast.CallExpr]*router
}

func (g *golang) walkDeclaration(source *goSource, declared ast.Decl) {
	w := &goWalk{golang: g, done: map[*ast.CallExpr]bool{}, made: map[*ast.CallExpr]*router{}}
	function, ok := declared.(*ast.FuncDecl)
	if !ok {
		w.walk(declared, &goScope{source: source, names: map[string]goLocal{}})
		return
	}
	if function.Body == nil {
		return
	}
	for _, one := range source.in.functionsAt(function) {
		w.in = one
		w.walk(function.Body, g.scopeOf(one))
	}
}

func (p *goPackage) functionsAt(declared *ast.FuncDecl) []*goFunction {
	name := declared.Name.Name
	if declared.Recv != nil && len(declared.Recv.List) > 0 {
		name = typeName(declared.Recv.List[0].Type) + "." + name
	}
	at := slices.IndexFunc(p.functions[name], func(one *goFunction) bool { return one.declared == declared })
	if at < 0 {
		return nil
	}
	return p.functions[name][at : at+1]
}

// scopeOf knows the receiver and the parameters.
func (g *golang) scopeOf(f *goFunction) *goScope {
	scope := &goScope{source: f.source, names: map[string]goLocal{}}
	if f.declared.Recv != nil {
		bindFields(scope, f.declared.Recv, nil)
	}
	bindFields(scope, f.declared.Type.Params, func(i int) *router { return g.parameter(f, i) })
	if f.declared.Type.Results != nil {
		bindFields(scope, f.declared.Type.Results, nil)
	}
	return scope
}

func bindFields(scope *goScope, fields *ast.FieldList, router func(int) *router) {
	i := 0
	for _, field := range fields.List {
		for _, name := range field.Names {
			made := goLocal{shape: field.Type, scope: scope}
			if router != nil {
				made.router = router(i)
			}
			if made.router != nil && made.router.itself().dialect.name == "" {
				made.router.itself().dialect = scope.source.dialectOf(field.Type)
			}
			scope.names[name.Name] = made
			i++
		}
		if len(field.Names) == 0 {
			i++
		}
	}
}

func (g *golang) router(made bool, by dialect) *router {
	one := &router{made: made, dialect: by}
	g.routers = append(g.routers, one)
	return one
}

func (g *golang) parameter(f *goFunction, i int) *router {
	if f.parameters[i] == nil {
		f.parameters[i] = g.router(false, dialect{})
	}
	return f.parameters[i]
}

// dialectOf is that of a declared type; none where it is no framework's.
func (s *goSource) dialectOf(shape ast.Expr) dialect {
	if pointer, ok := shape.(*ast.StarExpr); ok {
		shape = pointer.X
	}
	if named, ok := shape.(*ast.SelectorExpr); ok {
		if from, ok := named.X.(*ast.Ident); ok {
			if by, _ := frameworkOf(s.imports[from.Name]); by.name != netHTTP.name || named.Sel.Name == "ServeMux" {
				return by
			}
		}
	}
	return dialect{}
}

func (f *goFunction) given(g *golang) *router {
	if f.result == nil {
		f.result = g.router(false, dialect{})
	}
	return f.result
}

// held is what a variable of a package holds, and by "Server.router" what a
// field of a type does, in whichever value.
func (g *golang) held(in *goPackage, name string) *router {
	if in.routers[name] == nil {
		in.routers[name] = g.router(false, dialect{})
	}
	return in.routers[name]
}

// heldBy is what a field of a value holds; nil where the type is not known, as
// other types may have a field of that name.
func (g *golang) heldBy(x ast.Expr, field string, s *goScope) *router {
	in, name := g.typeOf(x, s, 0)
	found := g.field(in, name, field, 0)
	if found.in == nil || g.isForeignType(found.shape, found.source) && found.source.dialectOf(found.shape).name == "" && lastName(found.shape) != "Handler" {
		return nil
	}
	return g.heldIn(found)
}

func (g *golang) heldIn(field goField) *router {
	made := g.held(field.in, field.of+"."+field.name)
	if made.itself().dialect.name == "" {
		made.itself().dialect = field.source.dialectOf(field.shape)
	}
	return made
}

// embedded is the router that a type embeds, whose methods are then its own.
func (g *golang) embedded(x ast.Expr, s *goScope) *router {
	in, name := g.typeOf(x, s, 0)
	if in == nil {
		return nil
	}
	for _, field := range in.types[name].fields() {
		if len(field.Names) == 0 && in.types[name].source.dialectOf(field.Type).name != "" {
			return g.heldIn(goField{in, name, embeddedName(field.Type), in.types[name].source, field.Type})
		}
	}
	return nil
}

// fill keeps the routers that the fields of a new value are given.
func (w *goWalk) fill(given *ast.CompositeLit, s *goScope) {
	in, name := w.namedType(given.Type, s.source)
	if in == nil {
		return
	}
	var names []string // in order
	for _, field := range in.types[name].fields() {
		for _, one := range field.Names {
			names = append(names, one.Name)
		}
		if len(field.Names) == 0 {
			names = append(names, embeddedName(field.Type))
		}
	}
	for i, value := range given.Elts {
		key := ""
		if pair, ok := value.(*ast.KeyValueExpr); ok {
			if written, ok := pair.Key.(*ast.Ident); ok {
				key = written.Name
			}
			value = pair.Value
		} else if i < len(names) {
			key = names[i]
		}
		if field := w.field(in, name, key, 0); field.in != nil {
			w.keepIn(w.heldIn(field), w.routerOf(value, s, 0))
		}
	}
}

// walk reads statements in the order of the source.
func (w *goWalk) walk(node ast.Node, s *goScope) {
	if node == nil {
		return
	}
	ast.Inspect(node, func(node ast.Node) bool {
		if w.steps++; w.steps > mostGoSteps {
			return false
		}
		switch given := node.(type) {
		case *ast.FuncLit:
			inner := s.inner()
			inner.literal = true
			bindFields(inner, given.Type.Params, nil)
			w.walk(given.Body, inner)
			return false
		case *ast.BlockStmt:
			w.statements(given.List, s.inner())
			return false
		case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.CaseClause, *ast.CommClause:
			w.branch(given, s)
			return false
		case *ast.AssignStmt:
			w.assign(given, s)
		case *ast.ValueSpec:
			w.declareNames(given, s)
		case *ast.CompositeLit:
			w.fill(given, s)
		case *ast.ReturnStmt:
			w.result(given, s)
		case *ast.CallExpr:
			return w.call(given, s)
		}
		return true
	})
}

func (w *goWalk) statements(all []ast.Stmt, s *goScope) {
	for _, one := range all {
		w.walk(one, s)
	}
}

// branch reads a statement that may be run or not, or several times.
func (w *goWalk) branch(node ast.Node, s *goScope) {
	inner := s.inner()
	body := inner.inner()
	body.branch = true
	switch given := node.(type) {
	case *ast.IfStmt:
		w.walk(given.Init, inner)
		w.walk(given.Cond, inner)
		w.walk(given.Body, body)
		other := inner.inner()
		other.branch = true
		w.walk(given.Else, other)
	case *ast.ForStmt:
		w.walk(given.Init, inner)
		w.walk(given.Cond, inner)
		w.walk(given.Body, body)
		w.walk(given.Post, inner)
	case *ast.RangeStmt:
		w.walk(given.X, inner)
		for _, one := range []ast.Expr{given.Key, given.Value} {
			if name, ok := one.(*ast.Ident); ok {
				inner.names[name.Name] = goLocal{scope: inner} // it has many values
			}
		}
		w.walk(given.Body, body)
	case *ast.SwitchStmt:
		w.walk(given.Init, inner)
		w.walk(given.Tag, inner)
		w.walk(given.Body, inner)
	case *ast.TypeSwitchStmt:
		w.walk(given.Init, inner)
		w.walk(given.Assign, inner)
		w.walk(given.Body, inner)
	case *ast.CaseClause:
		w.statements(given.Body, body)
	case *ast.CommClause:
		w.walk(given.Comm, inner)
		w.statements(given.Body, body)
	}
}

// result is what the function returns that is read.
func (w *goWalk) result(given *ast.ReturnStmt, s *goScope) {
	if w.in == nil || s.isInLiteral() {
		return
	}
	var returned ast.Expr
	if results := w.in.declared.Type.Results; len(given.Results) > 0 {
		returned = given.Results[0]
	} else if results != nil && len(results.List) > 0 && len(results.List[0].Names) > 0 {
		returned = results.List[0].Names[0]
	}
	if found := w.routerOf(returned, s, 0); found != nil {
		w.keepIn(w.in.given(w.golang), found)
		w.in.makes = w.in.makes || !w.isKept(returned, s)
	}
}

// isKept reports whether a router is one of a field or of the package, which is
// the same each time.
func (w *goWalk) isKept(x ast.Expr, s *goScope) bool {
	if name, ok := x.(*ast.Ident); ok {
		_, local := s.local(name.Name)
		return !local
	}
	_, ok := x.(*ast.SelectorExpr)
	return ok
}

// share marks what is made anew by each of several calls.
func (g *golang) share() {
	for _, source := range g.sources {
		for _, declared := range source.tree.Decls {
			function, ok := declared.(*ast.FuncDecl)
			if !ok {
				continue
			}
			for _, one := range source.in.functionsAt(function) {
				if one.makes && one.calls > 1 {
					one.given(g).itself().shared = true
				}
			}
		}
	}
}

func (w *goWalk) assign(given *ast.AssignStmt, s *goScope) {
	for i, left := range given.Lhs {
		var right ast.Expr
		if len(given.Rhs) == len(given.Lhs) || i == 0 {
			right = given.Rhs[min(i, len(given.Rhs)-1)]
		}
		if given.Tok != token.ASSIGN && given.Tok != token.DEFINE {
			right = nil // prefix += "/v1"
		}
		w.give(left, right, s, given.Tok == token.DEFINE)
	}
}

func (w *goWalk) declareNames(given *ast.ValueSpec, s *goScope) {
	for i, name := range given.Names {
		var right ast.Expr
		if i < len(given.Values) {
			right = given.Values[i]
		}
		if w.in == nil {
			w.keep(s.source.in, name.Name, w.routerOf(right, s, 0))
			continue
		}
		s.names[name.Name] = goLocal{shape: given.Type, from: right, scope: s.before(name.Name), router: w.routerOf(right, s, 0)}
	}
}

// before is the scope in which a name is what it was: "h = auth(h)".
func (s *goScope) before(name string) *goScope {
	earlier, known := s.local(name)
	if !known {
		return s
	}
	return &goScope{source: s.source, parent: s, names: map[string]goLocal{name: earlier}}
}

func (w *goWalk) give(left, right ast.Expr, s *goScope, isNew bool) {
	value := w.routerOf(right, s, 0)
	switch given := left.(type) {
	case *ast.Ident:
		_, known := s.local(given.Name)
		if _, global := s.source.in.values[given.Name]; global && !known && !isNew {
			w.keep(s.source.in, given.Name, value)
			return
		}
		made := w.now(right, s)
		made.router = value
		if made.scope == s {
			made.scope = s.before(given.Name)
		}
		if isNew || !known {
			s.names[given.Name] = made
			return
		}
		w.set(given.Name, made, s)
	case *ast.SelectorExpr:
		if holder := w.heldBy(given.X, given.Sel.Name, s); value != nil && holder != nil {
			w.keepIn(holder, value)
		}
	}
}

// now is what an expression gives at this point: names in it may be given
// something else below.
func (w *goWalk) now(x ast.Expr, s *goScope) goLocal {
	switch given := x.(type) {
	case *ast.Ident:
		if found, known := s.local(given.Name); known {
			return found
		}
	case *ast.BinaryExpr:
		if text, known := w.constant(given, s, 0); known {
			return goLocal{from: &ast.BasicLit{ValuePos: given.Pos(), Kind: token.STRING, Value: strconv.Quote(text)}, scope: s}
		}
		return goLocal{scope: s}
	}
	return goLocal{from: x, scope: s}
}

// set gives a known name another value. In a branch it may still have the one
// that it had.
func (w *goWalk) set(name string, given goLocal, s *goScope) {
	sure := true
	for at := s; at != nil; at = at.parent {
		earlier, known := at.names[name]
		if !known {
			sure = sure && !at.branch && !at.literal
			continue
		}
		if !sure {
			given.others = append(slices.Clip(earlier.others[:min(len(earlier.others), mostNamed)]), earlier)
			given.router = w.either(earlier.router, given.router)
		}
		at.names[name] = given
		return
	}
}

// either is a router that is one of two.
func (w *goWalk) either(one, other *router) *router {
	switch {
	case one == nil:
		return other
	case other == nil || one.itself() == other.itself():
		return one
	}
	made := w.router(false, one.itself().dialect)
	made.choices = []*router{one, other}
	for _, choice := range made.choices {
		choice.put(entry{inner: made, unsure: true})
	}
	return made
}

// keep says that a variable or a field holds a router.
func (w *goWalk) keep(in *goPackage, name string, value *router) {
	if value != nil {
		w.keepIn(w.held(in, name), value)
	}
}

func (w *goWalk) keepIn(holder, value *router) {
	if value != nil {
		holder.is(value)
	}
}

// routerOf is the router that an expression gives; nil where it gives none.
func (w *goWalk) routerOf(x ast.Expr, s *goScope, depth int) *router {
	if depth > mostNesting {
		return nil
	}
	switch given := x.(type) {
	case *ast.ParenExpr:
		return w.routerOf(given.X, s, depth+1)
	case *ast.UnaryExpr:
		return w.routerOf(given.X, s, depth+1)
	case *ast.StarExpr:
		return w.routerOf(given.X, s, depth+1)
	case *ast.Ident:
		if found, known := s.local(given.Name); known {
			return found.router
		}
		if found, known := s.source.in.values[given.Name]; known {
			made := w.held(s.source.in, given.Name)
			if made.itself().dialect.name == "" {
				made.itself().dialect = found.source.dialectOf(found.shape)
			}
			return made
		}
	case *ast.SelectorExpr:
		return w.memberRouter(given, s)
	case *ast.CallExpr:
		if known, seen := w.made[given]; seen {
			return known
		}
		w.made[given] = nil // no endless turn
		w.made[given] = w.called(given, s, depth)
		return w.made[given]
	}
	return nil
}

func (w *goWalk) memberRouter(given *ast.SelectorExpr, s *goScope) *router {
	name, from := s.packageOf(given.X)
	if from == "net/http" && given.Sel.Name == "DefaultServeMux" {
		return w.defaultMux()
	}
	if from == "" {
		return w.heldBy(given.X, given.Sel.Name, s)
	}
	if in := w.imported(s.source, name); in != nil {
		if _, known := in.values[given.Sel.Name]; known {
			return w.held(in, given.Sel.Name)
		}
	}
	return nil
}

// defaultMux is the one of http.HandleFunc.
func (g *golang) defaultMux() *router {
	if g.packages["net/http"] == nil {
		g.packages["net/http"] = &goPackage{routers: map[string]*router{}}
	}
	mux := g.held(g.packages["net/http"], "DefaultServeMux")
	mux.itself().made, mux.itself().dialect = true, netHTTP
	return mux
}

// called is the router that a call gives: a new one, a part of another, or what
// a function of the workspace returns.
func (w *goWalk) called(call *ast.CallExpr, s *goScope, depth int) *router {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if ok {
		if _, from := s.packageOf(selector.X); from != "" {
			if by, makes := frameworkOf(from); slices.Contains(makes, selector.Sel.Name) {
				return w.router(true, by)
			}
		} else if part, known := w.part(selector, call.Args, s, depth); known {
			return part
		}
	}
	functions := w.functions(call.Fun, s, depth)
	if len(functions) != 1 {
		return nil
	}
	made := functions[0].given(w.golang)
	functions[0].calls++
	return made
}

// part is a router below another.
func (w *goWalk) part(selector *ast.SelectorExpr, given []ast.Expr, s *goScope, depth int) (*router, bool) {
	switch selector.Sel.Name {
	case "With", "Subrouter", "StrictSlash", "UseEncodedPath", "SkipClean", "Host", "Schemes", "Headers":
		return w.routerOf(selector.X, s, depth+1), true
	case "Group", "Route", "PathPrefix":
	default:
		return nil, false
	}
	base := w.routerOf(selector.X, s, depth+1)
	if base == nil {
		return nil, true
	}
	prefix := ""
	if len(given) > 0 {
		if _, callback := given[len(given)-1].(*ast.FuncLit); !callback || len(given) > 1 {
			prefix = w.path(given[0], s)
		}
	}
	below := w.router(true, base.itself().dialect)
	base.put(entry{prefix: prefix, inner: below, unsure: s.isInBranch()})
	return below, true
}

// path is a path, with unknownPart where the source does not tell it.
func (w *goWalk) path(x ast.Expr, s *goScope) string {
	if found, known := w.constant(x, s, 0); known {
		return found
	}
	sum, ok := x.(*ast.BinaryExpr)
	if !ok {
		return unknownPart
	}
	before, beforeKnown := w.constant(sum.X, s, 0)
	after, afterKnown := w.constant(sum.Y, s, 0)
	switch {
	case beforeKnown:
		return before + unknownPart // "POST " + path
	case afterKnown:
		return unknownPart + after
	}
	return unknownPart
}
