package locate

import (
	"context"
	"go/ast"
	"go/build/constraint"
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
	modules   map[string][]string // folders by module path
	fields    map[string]bool     // names of all fields
	routers   []*router
	steps     int
	setting   map[ast.Node][]setter
}

// goPackage is what a folder declares.
type goPackage struct {
	folder    string
	name      string
	sources   []*goSource
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
	makes      bool // the result, anew each time
	calls      int
}

type goType struct {
	source  *goSource
	shape   ast.Expr
	isAlias bool
}

// goValue is a constant or a variable of a package.
type goValue struct {
	source      *goSource
	shape, from ast.Expr
	// changes says that it is given something else somewhere.
	changes bool
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
	g := &golang{positions: token.NewFileSet(), packages: map[string]*goPackage{}, modules: map[string][]string{}, fields: map[string]bool{}, setting: map[ast.Node][]setter{}}
	for _, name := range names {
		if ctx.Err() != nil {
			return nil
		}
		g.parse(name, files.take(name))
	}
	g.findModules(files)
	for _, source := range g.sources {
		g.nameImports(source)
		source.findChanges()
	}
	if !files.start.isAll() {
		g.restrict(files.start)
	}
	for _, source := range g.sources {
		for _, declared := range source.tree.Decls {
			g.walkDeclaration(source, declared)
		}
	}
	g.share()
	return routesIn(g.routers)
}

// restrict leaves the packages that the application is made of: those that it
// begins with, and what they import.
func (g *golang) restrict(start started) {
	var kept []*goPackage
	for _, source := range g.sources {
		if !slices.Contains(kept, source.in) && g.begins(source, start) {
			kept = append(kept, source.in)
		}
	}
	if len(kept) == 0 && start.isSure {
		return // the folder that it is started in is not this one
	}
	reached := reachable(kept, func(one *goPackage) (imported []*goPackage) {
		for _, source := range one.sources {
			for _, from := range source.imports {
				if in := g.packageAt(source, from); in != nil {
					imported = append(imported, in)
				}
			}
		}
		return imported
	})
	g.sources = slices.DeleteFunc(g.sources, func(source *goSource) bool { return !reached[source.in] })
}

func (g *golang) begins(source *goSource, start started) bool {
	if !start.isSure {
		return isBelow(source.in.folder, start.folder)
	}
	return slices.ContainsFunc(start.entries, func(entry string) bool {
		if strings.HasPrefix(entry, ".") {
			return source.in.folder == inside(path.Join(start.folder, entry))
		}
		return source.in == g.packageAt(source, entry) || source.in.folder == inside(path.Join(start.folder, entry))
	})
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
	tree, _ := parser.ParseFile(g.positions, name, text, parser.SkipObjectResolution|parser.ParseComments)
	if tree == nil || tree.Name == nil || isIgnored(name, tree) {
		return
	}
	folder := folderOf(name)
	in := g.packages[folder]
	if in == nil {
		in = &goPackage{folder: folder, name: tree.Name.Name, functions: map[string][]*goFunction{}, methods: map[string][]*goFunction{}, types: map[string]goType{},
			values: map[string]goValue{}, routers: map[string]*router{}}
		g.packages[folder] = in
	}
	source := &goSource{in: in, name: name, tree: tree, imports: map[string]string{}}
	g.sources = append(g.sources, source)
	in.sources = append(in.sources, source)
	for _, one := range tree.Imports {
		source.learnImport(one)
	}
	for _, declared := range tree.Decls {
		source.declare(declared)
	}
	ast.Inspect(tree, func(node ast.Node) bool {
		if shape, ok := node.(*ast.StructType); ok {
			for _, field := range shape.Fields.List {
				for _, one := range field.Names {
					g.fields[one.Name] = true
				}
			}
		}
		return true
	})
}

// isIgnored reports whether Go itself leaves a source out of every build.
func isIgnored(name string, tree *ast.File) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, "_") || strings.HasPrefix(part, ".") {
			return true
		}
	}
	for _, group := range tree.Comments {
		if group.Pos() > tree.Package {
			break
		}
		for _, line := range group.List {
			if read, err := constraint.Parse(line.Text); err == nil && needsIgnore(read) {
				return true
			}
		}
	}
	return false
}

// needsIgnore reports whether a constraint asks for the tag "ignore", which
// nobody sets.
func needsIgnore(asked constraint.Expr) bool {
	switch given := asked.(type) {
	case *constraint.TagExpr:
		return given.Tag == "ignore"
	case *constraint.AndExpr:
		return needsIgnore(given.X) || needsIgnore(given.Y)
	}
	return false
}

// nameImports names packages of the workspace as they name themselves.
func (g *golang) nameImports(source *goSource) {
	for _, one := range source.tree.Imports {
		from, err := strconv.Unquote(one.Path.Value)
		if err != nil || one.Name != nil {
			continue
		}
		if known := g.packageAt(source, from); known != nil {
			source.imports[known.name] = from
		}
	}
}

// findChanges marks the variables of the package that a function gives a value.
func (s *goSource) findChanges() {
	mark := func(x ast.Expr) {
		if name, ok := x.(*ast.Ident); ok {
			if known, is := s.in.values[name.Name]; is {
				known.changes = true
				s.in.values[name.Name] = known
			}
		}
	}
	ast.Inspect(s.tree, func(node ast.Node) bool {
		switch given := node.(type) {
		case *ast.AssignStmt:
			for _, left := range given.Lhs {
				if given.Tok != token.DEFINE {
					mark(left)
				}
			}
		case *ast.UnaryExpr:
			if given.Op == token.AND {
				mark(given.X)
			}
		}
		return true
	})
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
		s.in.types[given.Name.Name] = goType{s, given.Type, given.Assign.IsValid()}
	case *ast.ValueSpec:
		for i, name := range given.Names {
			made := goValue{source: s, shape: given.Type}
			if i < len(given.Values) {
				made.from = given.Values[i]
			}
			_, made.changes = s.in.values[name.Name] // another build has another
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
					name = strings.Trim(strings.TrimSpace(name), `"`)
					g.modules[name] = append(g.modules[name], folder)
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
	if from := source.imports[name]; from != "" {
		return g.packageAt(source, from)
	}
	return nil
}

func (g *golang) packageAt(source *goSource, from string) *goPackage {
	longest, found := -1, (*goPackage)(nil)
	for module, folders := range g.modules {
		below, inside := strings.CutPrefix(from, module)
		if !inside || below != "" && below[0] != '/' || len(module) <= longest {
			continue
		}
		longest, found = len(module), nil
		if folder, known := nearest(folders, source.in.folder); known {
			found = g.packages[path.Join(folder, below[min(1, len(below)):])]
		}
	}
	return found
}

// nearest is the module that a package stands in, else the only one: a workspace
// may hold copies.
func nearest(modules []string, folder string) (string, bool) {
	longest, found := -1, ""
	for _, one := range modules {
		if (one == "" || folder == one || strings.HasPrefix(folder, one+"/")) && len(one) > longest {
			longest, found = len(one), one
		}
	}
	if longest < 0 && len(modules) == 1 {
		return modules[0], true
	}
	return found, longest >= 0
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
	// branch says that it may be left out, or run again; literal that it is a
	// function, which runs at another time.
	branch, literal bool
}

// goLocal is a name of a function: what it was last given, and where that is a
// router, which.
type goLocal struct {
	shape, from ast.Expr
	scope       *goScope // of from
	router      *router
	others      []goLocal // that it may be just as well
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

func (s *goScope) isInBranch() bool {
	for at := s; at != nil; at = at.parent {
		if at.branch {
			return true
		}
	}
	return false
}

func (s *goScope) isInLiteral() bool {
	for at := s; at != nil; at = at.parent {
		if at.literal {
			return true
		}
	}
	return false
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
			if found.from == nil || len(found.others) > 0 {
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
	if !known || found.from == nil || found.changes {
		return "", false
	}
	return g.constant(found.from, &goScope{source: found.source}, depth)
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
			all := g.functions(found.from, found.scope, depth+1)
			for _, other := range found.others {
				all = append(slices.Clip(all), g.functions(other.from, other.scope, depth+1)...)
			}
			return all
		}
		if found, known := s.source.in.values[given.Name]; known {
			if found.changes {
				return nil
			}
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
		return g.methods(in, name, given.Sel.Name, depth)
	}
	if g.fields[given.Sel.Name] || g.isForeign(given.X, s, depth+1) {
		return nil // it may be a field that holds a function
	}
	return g.methodsNamed(given.Sel.Name)
}

// methodsNamed are all of the workspace.
func (g *golang) methodsNamed(method string) []*goFunction {
	var all []*goFunction
	for _, source := range g.sources {
		for _, one := range source.in.methods[method] {
			if one.source == source {
				all = append(all, one)
			}
		}
	}
	return all
}

// implementing are the methods of the types that have all of an interface.
func (g *golang) implementing(of *ast.InterfaceType, method string, depth int) []*goFunction {
	return slices.DeleteFunc(g.methodsNamed(method), func(one *goFunction) bool {
		receiver := typeName(one.declared.Recv.List[0].Type)
		return slices.ContainsFunc(of.Methods.List, func(asked *ast.Field) bool {
			return len(asked.Names) > 0 && g.methods(one.source.in, receiver, asked.Names[0].Name, depth+1) == nil
		})
	})
}

// methods are those of a type and of what it embeds.
func (g *golang) methods(in *goPackage, name, method string, depth int) []*goFunction {
	if found := in.functions[name+"."+method]; found != nil || depth > mostNesting || !g.step() {
		return found
	}
	declared := in.types[name]
	if asked, ok := declared.shape.(*ast.InterfaceType); ok {
		return g.implementing(asked, method, depth)
	}
	for _, field := range declared.fields() {
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
