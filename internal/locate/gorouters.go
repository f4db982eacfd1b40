package locate

import (
	"go/ast"
	"slices"
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

func (f *goFunction) given(g *golang) *router {
	if f.result == nil {
		f.result = g.router(false, dialect{})
	}
	return f.result
}

func (g *golang) held(in *goPackage, name string) *router {
	if in.routers[name] == nil {
		in.routers[name] = g.router(false, dialect{})
	}
	return in.routers[name]
}

// walk reads statements in the order of the source.
func (w *goWalk) walk(node ast.Node, s *goScope) {
	ast.Inspect(node, func(node ast.Node) bool {
		if w.steps++; w.steps > mostGoSteps {
			return false
		}
		switch given := node.(type) {
		case *ast.FuncLit:
			inner := s.inner()
			bindFields(inner, given.Type.Params, nil)
			w.walk(given.Body, inner)
			return false
		case *ast.AssignStmt:
			w.assign(given, s)
		case *ast.ValueSpec:
			w.declareNames(given, s)
		case *ast.KeyValueExpr:
			if key, ok := given.Key.(*ast.Ident); ok {
				w.keep(s.source.in, key.Name, w.routerOf(given.Value, s, 0))
			}
		case *ast.ReturnStmt:
			if w.in != nil && s.parent == nil && len(given.Results) > 0 {
				w.keepIn(w.in.given(w.golang), w.routerOf(given.Results[0], s, 0))
			}
		case *ast.CallExpr:
			return w.call(given, s)
		}
		return true
	})
}

func (w *goWalk) assign(given *ast.AssignStmt, s *goScope) {
	for i, left := range given.Lhs {
		var right ast.Expr
		if len(given.Rhs) == len(given.Lhs) || i == 0 {
			right = given.Rhs[min(i, len(given.Rhs)-1)]
		}
		w.give(left, right, s)
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

func (w *goWalk) give(left, right ast.Expr, s *goScope) {
	value := w.routerOf(right, s, 0)
	switch given := left.(type) {
	case *ast.Ident:
		if _, known := s.local(given.Name); !known && value != nil {
			if _, global := s.source.in.values[given.Name]; global {
				w.keep(s.source.in, given.Name, value)
				return
			}
		}
		s.names[given.Name] = goLocal{from: right, scope: s.before(given.Name), router: value}
	case *ast.SelectorExpr:
		w.keep(s.source.in, given.Sel.Name, value)
	}
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
		if _, known := s.source.in.values[given.Name]; known {
			return w.held(s.source.in, given.Name)
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
		return w.held(s.source.in, given.Sel.Name) // a field
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
	return functions[0].given(w.golang)
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
	base.mount(prefix, below)
	return below, true
}

// path is a path, with unknownPart where the source does not tell it.
func (w *goWalk) path(x ast.Expr, s *goScope) string {
	if found, known := w.constant(x, s, 0); known {
		return found
	}
	if sum, ok := x.(*ast.BinaryExpr); ok {
		if last, known := w.constant(sum.Y, s, 0); known {
			return unknownPart + last
		}
	}
	return unknownPart
}
