package locate

import (
	"go/ast"
	"slices"
)

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
	case *ast.TypeAssertExpr:
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
		in, of := g.typeOf(found.from, found.scope, depth+1)
		for _, other := range found.others {
			if also, another := g.typeOf(other.from, other.scope, depth+1); also != in || another != of {
				return nil, ""
			}
		}
		return in, of
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
	if field := g.field(in, name, given.Sel.Name, depth); field.in != nil {
		return g.namedType(field.shape, field.source)
	}
	return nil, ""
}

// goField is a field, and the type that declares it.
type goField struct {
	in       *goPackage
	of, name string
	source   *goSource
	shape    ast.Expr
}

// field is that of a type or of what it embeds; none where there is none, or one
// in each of two.
func (g *golang) field(in *goPackage, of, name string, depth int) goField {
	if in == nil || depth > mostNesting || !g.step() {
		return goField{}
	}
	declared := in.types[of]
	for _, field := range declared.fields() {
		if slices.ContainsFunc(field.Names, func(one *ast.Ident) bool { return one.Name == name }) || len(field.Names) == 0 && embeddedName(field.Type) == name {
			return goField{in, of, name, declared.source, field.Type}
		}
	}
	var found goField
	for _, field := range declared.fields() {
		if len(field.Names) > 0 {
			continue
		}
		inner, innerName := g.namedType(field.Type, declared.source)
		if one := g.field(inner, innerName, name, depth+1); one.in != nil && found.in != nil {
			return goField{}
		} else if one.in != nil {
			found = one
		}
	}
	return found
}

// fields are those of a struct.
func (t goType) fields() []*ast.Field {
	if shape, ok := t.shape.(*ast.StructType); ok {
		return shape.Fields.List
	}
	return nil
}

// embeddedName is that of a field that has none of its own.
func embeddedName(shape ast.Expr) string {
	if pointer, ok := shape.(*ast.StarExpr); ok {
		shape = pointer.X
	}
	if selector, ok := shape.(*ast.SelectorExpr); ok {
		return selector.Sel.Name
	}
	return typeName(shape)
}

// isForeign reports whether a value is sure to be of a type that the workspace
// does not declare.
func (g *golang) isForeign(x ast.Expr, s *goScope, depth int) bool {
	if depth > mostNesting || !g.step() {
		return false
	}
	switch given := x.(type) {
	case *ast.ParenExpr:
		return g.isForeign(given.X, s, depth+1)
	case *ast.StarExpr:
		return g.isForeign(given.X, s, depth+1)
	case *ast.UnaryExpr:
		return g.isForeign(given.X, s, depth+1)
	case *ast.CompositeLit:
		return g.isForeignType(given.Type, s.source)
	case *ast.Ident:
		if found, known := s.local(given.Name); known {
			return g.isForeignType(found.shape, s.source) || found.shape == nil && found.from != nil && g.isForeign(found.from, found.scope, depth+1)
		}
		if found, known := s.source.in.values[given.Name]; known {
			return g.isForeignType(found.shape, found.source) || found.from != nil && g.isForeign(found.from, &goScope{source: found.source}, depth+1)
		}
		return true // a package that is called other than its path says
	case *ast.SelectorExpr:
		name, from := s.packageOf(given.X)
		if from != "" {
			return g.imported(s.source, name) == nil
		}
		in, of := g.typeOf(given.X, s, depth+1)
		if field := g.field(in, of, given.Sel.Name, depth); field.in != nil {
			return g.isForeignType(field.shape, field.source)
		}
		return in == nil && g.isForeign(given.X, s, depth+1)
	case *ast.CallExpr:
		if found := g.functions(given.Fun, s, depth+1); len(found) == 1 && found[0].declared.Type.Results.NumFields() > 0 {
			return g.isForeignType(found[0].declared.Type.Results.List[0].Type, found[0].source)
		}
		selector, ok := given.Fun.(*ast.SelectorExpr)
		return ok && g.isForeign(selector, s, depth+1)
	}
	return false
}

func (g *golang) isForeignType(shape ast.Expr, source *goSource) bool {
	switch given := shape.(type) {
	case *ast.StarExpr:
		return g.isForeignType(given.X, source)
	case *ast.SelectorExpr:
		from, ok := given.X.(*ast.Ident)
		return ok && g.imported(source, from.Name) == nil
	}
	return false
}

// isOfFramework reports whether a value of another's type is a framework's.
func (g *golang) isOfFramework(x ast.Expr, s *goScope) bool {
	switch given := x.(type) {
	case *ast.Ident:
		found, known := s.local(given.Name)
		return known && found.shape != nil && s.source.dialectOf(found.shape).name != ""
	case *ast.SelectorExpr:
		in, of := g.typeOf(given.X, s, 0)
		field := g.field(in, of, given.Sel.Name, 0)
		return field.in != nil && field.source.dialectOf(field.shape).name != ""
	case *ast.CallExpr:
		selector, ok := given.Fun.(*ast.SelectorExpr)
		return ok && g.isOfFramework(selector.X, s)
	}
	return false
}

// namedType is a type that the workspace declares.
func (g *golang) namedType(shape ast.Expr, source *goSource) (*goPackage, string) {
	return g.namedTypeAt(shape, source, 0)
}

func (g *golang) namedTypeAt(shape ast.Expr, source *goSource, depth int) (*goPackage, string) {
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
	declared, known := in.types[name]
	if !known || depth > mostNesting {
		return nil, ""
	}
	if declared.isAlias {
		return g.namedTypeAt(declared.shape, declared.source, depth+1)
	}
	return in, name
}
