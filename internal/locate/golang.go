package locate

import (
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

// golang are the packages of a workspace.
type golang struct {
	positions *token.FileSet
	packages  map[string]*goPackage // by folder
	sources   []*goSource
	modules   map[string]string // folder by module path
	routers   []*router
	steps     int
	setting   map[ast.Node][]setter
}

// goPackage is what a folder declares.
type goPackage struct {
	folder    string
	functions map[string][]*goFunction // "login", and "Server.login" for a method
	methods   map[string][]*goFunction // "login" for all methods of that name
	types     map[string]goType
	values    map[string]goValue
	routers   map[string]*router // that variables and fields hold
}

type goSource struct {
	in      *goPackage
	name    string
	tree    *ast.File
	imports map[string]string
}

type goFunction struct {
	source     *goSource
	declared   *ast.FuncDecl
	parameters map[int]*router
	result     *router
}

type goType struct {
	source *goSource
	shape  ast.Expr
}

// goValue is a constant or a variable of a package.
type goValue struct {
	source      *goSource
	shape, from ast.Expr
}

const (
	mostGoSteps = 2_000_000
	mostNesting = 24 // of expressions that are followed
)

func readGo(ctx context.Context, files *files) []route {
	names := files.of(goFile)
	if len(names) == 0 {
		return nil
	}
	g := &golang{positions: token.NewFileSet(), packages: map[string]*goPackage{}, modules: map[string]string{}, setting: map[ast.Node][]setter{}}
	for _, name := range names {
		if ctx.Err() != nil {
			return nil
		}
		g.parse(name, files.take(name))
	}
	g.findModules(files)
	for _, source := range g.sources {
		for _, declared := range source.tree.Decls {
			g.walkDeclaration(source, declared)
		}
	}
	return routesIn(g.routers)
}

// step counts the work; false ends it.
func (g *golang) step() bool {
	g.steps++
	return g.steps < mostGoSteps
}

// parse takes in what can be read of a source, even where it has mistakes.
func (g *golang) parse(name string, text []byte) {
	if len(text) == 0 {
		return
	}
	tree, _ := parser.ParseFile(g.positions, name, text, parser.SkipObjectResolution)
	if tree == nil || tree.Name == nil {
		return
	}
	folder := folderOf(name)
	in := g.packages[folder]
	if in == nil {
		in = &goPackage{folder: folder, functions: map[string][]*goFunction{}, methods: map[string][]*goFunction{}, types: map[string]goType{},
			values: map[string]goValue{}, routers: map[string]*router{}}
		g.packages[folder] = in
	}
	source := &goSource{in: in, name: name, tree: tree, imports: map[string]string{}}
	g.sources = append(g.sources, source)
	for _, one := range tree.Imports {
		source.learnImport(one)
	}
	for _, declared := range tree.Decls {
		source.declare(declared)
	}
}

func (s *goSource) learnImport(one *ast.ImportSpec) {
	from, err := strconv.Unquote(one.Path.Value)
	if err != nil {
		return
	}
	name := path.Base(from)
	if len(name) > 1 && name[0] == 'v' && strings.Trim(name[1:], "0123456789") == "" {
		name = path.Base(path.Dir(from)) // "github.com/labstack/echo/v4" is echo
	}
	if one.Name != nil {
		name = one.Name.Name
	}
	s.imports[name] = from
}

func (s *goSource) declare(declared ast.Decl) {
	switch given := declared.(type) {
	case *ast.FuncDecl:
		made := &goFunction{source: s, declared: given, parameters: map[int]*router{}}
		name := given.Name.Name
		if given.Recv != nil && len(given.Recv.List) > 0 {
			s.in.methods[name] = append(s.in.methods[name], made)
			name = typeName(given.Recv.List[0].Type) + "." + name
		}
		s.in.functions[name] = append(s.in.functions[name], made)
	case *ast.GenDecl:
		for _, spec := range given.Specs {
			s.declareSpec(spec)
		}
	}
}

func (s *goSource) declareSpec(spec ast.Spec) {
	switch given := spec.(type) {
	case *ast.TypeSpec:
		s.in.types[given.Name.Name] = goType{s, given.Type}
	case *ast.ValueSpec:
		for i, name := range given.Names {
			made := goValue{source: s, shape: given.Type}
			if i < len(given.Values) {
				made.from = given.Values[i]
			}
			s.in.values[name.Name] = made
		}
	}
}

// typeName is "Server" for *Server and Server[T].
func typeName(shape ast.Expr) string {
	for range mostNesting {
		switch given := shape.(type) {
		case *ast.StarExpr:
			shape = given.X
		case *ast.ParenExpr:
			shape = given.X
		case *ast.IndexExpr:
			shape = given.X
		case *ast.IndexListExpr:
			shape = given.X
		case *ast.Ident:
			return given.Name
		default:
			return ""
		}
	}
	return ""
}

// findModules reads the module paths beside and above the packages.
func (g *golang) findModules(files *files) {
	seen := map[string]bool{}
	for folder := range g.packages {
		for {
			if seen[folder] {
				break
			}
			seen[folder] = true
			for line := range strings.Lines(string(files.read(path.Join(folder, "go.mod")))) {
				if name, found := strings.CutPrefix(line, "module "); found {
					g.modules[strings.Trim(strings.TrimSpace(name), `"`)] = folder
					break
				}
			}
			if folder == "" {
				break
			}
			folder = folderOf(folder)
		}
	}
}

// imported is the package of the workspace that a source imports by a name.
func (g *golang) imported(source *goSource, name string) *goPackage {
	from := source.imports[name]
	longest, found := -1, (*goPackage)(nil)
	for module, folder := range g.modules {
		below, inside := strings.CutPrefix(from, module)
		if inside && (below == "" || below[0] == '/') && len(module) > longest {
			longest, found = len(module), g.packages[path.Join(folder, below[min(1, len(below)):])]
		}
	}
	return found
}

func (g *golang) place(at token.Pos) Place {
	position := g.positions.PositionFor(at, false) // what a //line comment claims is not where it stands
	return Place{position.Filename, position.Line}
}

func (f *goFunction) place(g *golang) Place { return g.place(f.declared.Name.Pos()) }

// goScope are the names that a function knows.
type goScope struct {
	source *goSource
	parent *goScope
	names  map[string]goLocal
}

// goLocal is a name of a function: what it was last given, and where that is a
// router, which.
type goLocal struct {
	shape, from ast.Expr
	scope       *goScope // of from
	router      *router
}

func (s *goScope) inner() *goScope {
	return &goScope{source: s.source, parent: s, names: map[string]goLocal{}}
}

func (s *goScope) local(name string) (goLocal, bool) {
	for at := s; at != nil; at = at.parent {
		if found, known := at.names[name]; known {
			return found, true
		}
	}
	return goLocal{}, false
}

// packageOf is what a selector's left side imports.
func (s *goScope) packageOf(x ast.Expr) (name, from string) {
	ident, ok := x.(*ast.Ident)
	if !ok {
		return "", ""
	}
	if _, hidden := s.local(ident.Name); hidden {
		return "", ""
	}
	return ident.Name, s.source.imports[ident.Name]
}

// constant is a string that the source tells.
func (g *golang) constant(x ast.Expr, s *goScope, depth int) (string, bool) {
	if depth > mostNesting || !g.step() {
		return "", false
	}
	switch given := x.(type) {
	case *ast.BasicLit:
		made, err := strconv.Unquote(given.Value)
		return made, err == nil && given.Kind == token.STRING && isPlain(made)
	case *ast.ParenExpr:
		return g.constant(given.X, s, depth+1)
	case *ast.BinaryExpr:
		left, known := g.constant(given.X, s, depth+1)
		right, also := g.constant(given.Y, s, depth+1)
		return left + right, known && also && given.Op == token.ADD && len(left)+len(right) < longestText
	case *ast.Ident:
		if found, known := s.local(given.Name); known {
			if found.from == nil {
				return "", false
			}
			return g.constant(found.from, found.scope, depth+1)
		}
		return g.packageConstant(s.source.in, given.Name, depth+1)
	case *ast.SelectorExpr:
		name, from := s.packageOf(given.X)
		if verb := strings.ToUpper(strings.TrimPrefix(given.Sel.Name, "Method")); from != "" && isVerb(verb) {
			return verb, true
		}
		return g.packageConstant(g.imported(s.source, name), given.Sel.Name, depth+1)
	}
	return "", false
}

// isPlain reports that a string holds none of the characters that stand for holes.
func isPlain(text string) bool {
	return !strings.ContainsFunc(text, func(char rune) bool { return char < ' ' })
}

func isVerb(name string) bool { return slices.Contains(verbs, strings.ToLower(name)) }

func (g *golang) packageConstant(in *goPackage, name string, depth int) (string, bool) {
	if in == nil {
		return "", false
	}
	found, known := in.values[name]
	if !known || found.from == nil {
		return "", false
	}
	return g.constant(found.from, &goScope{source: found.source}, depth)
}

// typeOf is the named type of an expression, nil where it is not known.
func (g *golang) typeOf(x ast.Expr, s *goScope, depth int) (*goPackage, string) {
	if depth > mostNesting || x == nil || !g.step() {
		return nil, ""
	}
	switch given := x.(type) {
	case *ast.ParenExpr:
		return g.typeOf(given.X, s, depth+1)
	case *ast.StarExpr:
		return g.typeOf(given.X, s, depth+1)
	case *ast.UnaryExpr:
		return g.typeOf(given.X, s, depth+1)
	case *ast.CompositeLit:
		return g.namedType(given.Type, s.source)
	case *ast.Ident:
		return g.typeOfName(given.Name, s, depth)
	case *ast.SelectorExpr:
		return g.typeOfMember(given, s, depth)
	case *ast.CallExpr:
		if name, ok := given.Fun.(*ast.Ident); ok && name.Name == "new" && len(given.Args) == 1 {
			return g.namedType(given.Args[0], s.source)
		}
		called := g.functions(given.Fun, s, depth+1)
		if len(called) == 1 && called[0].declared.Type.Results != nil && len(called[0].declared.Type.Results.List) > 0 {
			return g.namedType(called[0].declared.Type.Results.List[0].Type, called[0].source)
		}
	}
	return nil, ""
}

func (g *golang) typeOfName(name string, s *goScope, depth int) (*goPackage, string) {
	if found, known := s.local(name); known {
		if found.shape != nil {
			return g.namedType(found.shape, s.source)
		}
		return g.typeOf(found.from, found.scope, depth+1)
	}
	found, known := s.source.in.values[name]
	if !known {
		return nil, ""
	}
	if found.shape != nil {
		return g.namedType(found.shape, found.source)
	}
	return g.typeOf(found.from, &goScope{source: found.source}, depth+1)
}

func (g *golang) typeOfMember(given *ast.SelectorExpr, s *goScope, depth int) (*goPackage, string) {
	if name, from := s.packageOf(given.X); from != "" {
		if in := g.imported(s.source, name); in != nil {
			if found, known := in.values[given.Sel.Name]; known && found.shape != nil {
				return g.namedType(found.shape, found.source)
			} else if known {
				return g.typeOf(found.from, &goScope{source: found.source}, depth+1)
			}
		}
		return nil, ""
	}
	in, name := g.typeOf(given.X, s, depth+1)
	if in == nil {
		return nil, ""
	}
	declared := in.types[name]
	shape, ok := declared.shape.(*ast.StructType)
	if !ok {
		return nil, ""
	}
	for _, field := range shape.Fields.List {
		if slices.ContainsFunc(field.Names, func(one *ast.Ident) bool { return one.Name == given.Sel.Name }) {
			return g.namedType(field.Type, declared.source)
		}
	}
	return nil, ""
}

// namedType is a type that the workspace declares.
func (g *golang) namedType(shape ast.Expr, source *goSource) (*goPackage, string) {
	if pointer, ok := shape.(*ast.StarExpr); ok {
		shape = pointer.X
	}
	in, name := source.in, typeName(shape)
	if selector, ok := shape.(*ast.SelectorExpr); ok {
		if left, ok := selector.X.(*ast.Ident); ok {
			in, name = g.imported(source, left.Name), selector.Sel.Name
		}
	}
	if in == nil || name == "" {
		return nil, ""
	}
	if _, known := in.types[name]; !known {
		return nil, ""
	}
	return in, name
}

// functions are those of the workspace that a name or a method value may be:
// several where the type of the value is not known.
func (g *golang) functions(x ast.Expr, s *goScope, depth int) []*goFunction {
	if depth > mostNesting || !g.step() {
		return nil
	}
	switch given := x.(type) {
	case *ast.ParenExpr:
		return g.functions(given.X, s, depth+1)
	case *ast.IndexExpr:
		return g.functions(given.X, s, depth+1)
	case *ast.Ident:
		if found, known := s.local(given.Name); known {
			if found.from == nil {
				return nil
			}
			return g.functions(found.from, found.scope, depth+1)
		}
		if found, known := s.source.in.values[given.Name]; known {
			return g.functions(found.from, &goScope{source: found.source}, depth+1)
		}
		return s.source.in.functions[given.Name]
	case *ast.SelectorExpr:
		return g.members(given, s, depth)
	}
	return nil
}

func (g *golang) members(given *ast.SelectorExpr, s *goScope, depth int) []*goFunction {
	if name, from := s.packageOf(given.X); from != "" {
		if in := g.imported(s.source, name); in != nil {
			return in.functions[given.Sel.Name]
		}
		return nil
	}
	if in, name := g.typeOf(given.X, s, depth+1); in != nil {
		if found := g.methods(in, name, given.Sel.Name, depth); found != nil {
			return found
		}
	}
	var all []*goFunction
	for _, source := range g.sources {
		for _, one := range source.in.methods[given.Sel.Name] {
			if one.source == source {
				all = append(all, one)
			}
		}
	}
	return all
}

// methods are those of a type and of what it embeds.
func (g *golang) methods(in *goPackage, name, method string, depth int) []*goFunction {
	if found := in.functions[name+"."+method]; found != nil || depth > mostNesting {
		return found
	}
	declared := in.types[name]
	shape, ok := declared.shape.(*ast.StructType)
	if !ok {
		return nil
	}
	for _, field := range shape.Fields.List {
		if len(field.Names) > 0 {
			continue
		}
		if other, name := g.namedType(field.Type, declared.source); other != nil {
			if found := g.methods(other, name, method, depth+1); found != nil {
				return found
			}
		}
	}
	return nil
}
