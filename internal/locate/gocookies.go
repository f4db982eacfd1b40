package locate

import (
	"go/ast"
	"slices"
	"strings"
)

// mostFollowed are those inside each other that are followed from a handler.
const mostFollowed = 6

// setters are the lines that set cookies in a handler and in what it calls.
func (g *golang) setters(handler goHandler) []setter {
	if handler.body == nil {
		return nil
	}
	if known, seen := g.setting[handler.body]; seen {
		return known
	}
	search := goCookies{golang: g}
	search.read(handler.body, handler.scope, 0)
	g.setting[handler.body] = search.found
	return search.found
}

type goCookies struct {
	*golang
	found []setter
	seen  []ast.Node // bodies that are being read
}

func (c *goCookies) read(body *ast.BlockStmt, s *goScope, depth int) {
	if depth > mostFollowed || slices.Contains(c.seen, ast.Node(body)) {
		return
	}
	c.seen = append(c.seen, body)
	defer func() { c.seen = c.seen[:len(c.seen)-1] }()
	names := s.inner()
	ast.Inspect(body, func(node ast.Node) bool {
		if !c.step() {
			return false
		}
		switch given := node.(type) {
		case *ast.AssignStmt:
			c.assign(given, names)
		case *ast.ValueSpec:
			for i, name := range given.Names {
				if i < len(given.Values) {
					names.names[name.Name] = goLocal{from: given.Values[i], scope: names.before(name.Name), shape: given.Type}
				}
			}
		case *ast.CallExpr:
			c.call(given, names, depth)
		}
		return true
	})
}

func (c *goCookies) assign(given *ast.AssignStmt, names *goScope) {
	for i, left := range given.Lhs {
		right := given.Rhs[min(i, len(given.Rhs)-1)]
		switch to := left.(type) {
		case *ast.Ident:
			names.names[to.Name] = goLocal{from: right, scope: names.before(to.Name)}
		case *ast.SelectorExpr: // cookie.Name = "sid"
			if of, ok := to.X.(*ast.Ident); ok && to.Sel.Name == "Name" {
				names.names[of.Name+".Name"] = goLocal{from: right, scope: names}
			}
		}
	}
}

func (c *goCookies) call(call *ast.CallExpr, s *goScope, depth int) {
	if name, sets := c.cookie(call, s); sets {
		if name != "" && len(c.found) < mostItems {
			c.found = append(c.found, setter{name, c.place(call.Pos())})
		}
		return
	}
	functions := c.functions(call.Fun, s, 0)
	if len(functions) != 1 || functions[0].declared.Body == nil {
		return
	}
	called := functions[0]
	inner := c.scopeOf(called)
	i := 0
	for _, field := range called.declared.Type.Params.List {
		for _, name := range field.Names {
			if i < len(call.Args) && !call.Ellipsis.IsValid() {
				inner.names[name.Name] = goLocal{shape: field.Type, from: call.Args[i], scope: s}
			}
			i++
		}
	}
	c.read(called.declared.Body, inner, depth+1)
}

// cookie is the name of the cookie that a call sets, "" where it is not known.
func (c *goCookies) cookie(call *ast.CallExpr, s *goScope) (string, bool) {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || len(call.Args) == 0 {
		return "", false
	}
	_, from := s.packageOf(selector.X)
	switch name := selector.Sel.Name; {
	case name == "SetCookie" && from == "net/http" && len(call.Args) == 2:
		return c.named(call.Args[1], s, 0), true
	case name == "SetCookie" && len(call.Args) == 1 || name == "Cookie" && len(call.Args) == 1 && c.named(call.Args[0], s, 0) != "":
		return c.named(call.Args[0], s, 0), true // echo's and fiber's
	case name == "SetCookie" && len(call.Args) > 5: // gin's
		known, _ := c.constant(call.Args[0], s, 0)
		return known, true
	case (name == "Set" || name == "Add" || name == "Header") && len(call.Args) == 2:
		if header, _ := c.constant(call.Args[0], s, 0); strings.EqualFold(header, "Set-Cookie") {
			return c.line(call.Args[1], s), true
		}
	}
	return "", false
}

// line is the name in a Set-Cookie line: what stands before "=" in its first part.
func (c *goCookies) line(x ast.Expr, s *goScope) string {
	for range mostNesting {
		if name, known := c.constant(x, s, 0); known {
			name, _, has := strings.Cut(name, "=")
			if !has {
				return ""
			}
			return name
		}
		switch given := x.(type) {
		case *ast.BinaryExpr:
			x = given.X
		case *ast.CallExpr: // fmt.Sprintf
			if len(given.Args) == 0 {
				return ""
			}
			x = given.Args[0]
		default:
			return ""
		}
	}
	return ""
}

// named is the Name of a cookie.
func (c *goCookies) named(x ast.Expr, s *goScope, depth int) string {
	if depth > mostNesting {
		return ""
	}
	switch given := x.(type) {
	case *ast.ParenExpr:
		return c.named(given.X, s, depth+1)
	case *ast.UnaryExpr:
		return c.named(given.X, s, depth+1)
	case *ast.StarExpr:
		return c.named(given.X, s, depth+1)
	case *ast.Ident:
		if later, known := s.local(given.Name + ".Name"); known {
			name, _ := c.constant(later.from, later.scope, 0)
			return name
		}
		if found, known := s.local(given.Name); known && found.from != nil {
			return c.named(found.from, found.scope, depth+1)
		}
	case *ast.CompositeLit:
		for _, field := range given.Elts {
			pair, ok := field.(*ast.KeyValueExpr)
			if !ok {
				continue
			}
			if key, ok := pair.Key.(*ast.Ident); ok && key.Name == "Name" {
				name, _ := c.constant(pair.Value, s, 0)
				return name
			}
		}
	case *ast.CallExpr:
		return c.returned(given, s, depth)
	}
	return ""
}

// returned is the cookie that a function of the workspace makes in its one return.
func (c *goCookies) returned(call *ast.CallExpr, s *goScope, depth int) string {
	functions := c.functions(call.Fun, s, 0)
	if len(functions) != 1 || functions[0].declared.Body == nil {
		return ""
	}
	statements := functions[0].declared.Body.List
	if len(statements) == 0 {
		return ""
	}
	last, ok := statements[len(statements)-1].(*ast.ReturnStmt)
	if !ok || len(last.Results) == 0 {
		return ""
	}
	return c.named(last.Results[0], c.scopeOf(functions[0]), depth+1)
}
