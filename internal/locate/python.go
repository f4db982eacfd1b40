package locate

import (
	"context"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// module is a Python file of the workspace, or a folder that is a package
// without one.
type module struct {
	file   string // "" for a folder
	folder string // where its relative imports start
	scope  *scope
	tree   *syntax.Tree
	// imports are the modules it names, in order.
	imports []*module
}

// python runs the modules of a workspace.
type python struct {
	ctx   context.Context
	files *files
	// roots are folders where absolute imports are looked for first.
	roots   []string
	modules map[string]*module
	order   []*module
	steps   int
	stack   []*function
	loading []string // modules that import each other
	made    []*instance
	// watched is what a handler that is run does; nil when none is.
	watched *deeds
	at      Place // of the expression that is run
	// assumes says that the imports are not there: names mean what they usually do.
	assumes bool
	// stopped says that not everything could be run.
	stopped bool
}

const (
	mostSteps   = 6_000_000
	mostCalls   = 12 // inside each other
	mostItems   = 256
	mostLoading = 200
	mostDepth   = 400 // of expressions inside each other
)

func newPython(ctx context.Context, files *files, roots []string) *python {
	return &python{ctx: ctx, files: files, roots: roots, modules: map[string]*module{}}
}

// step counts the work; false ends it.
func (p *python) step() bool {
	p.steps++
	if p.steps > mostSteps || p.steps%1024 == 0 && p.ctx.Err() != nil {
		p.stopped = true
	}
	return !p.stopped
}

// load runs the module of a file once; nil when it is not there.
func (p *python) load(file string) *module {
	if known, seen := p.modules[file]; seen {
		return known
	}
	tree := p.files.tree(p.ctx, file, syntax.Python)
	if tree == nil || len(p.loading) > mostLoading {
		p.modules[file] = nil
		return nil
	}
	p.loading = append(p.loading, file)
	was := p.at
	defer func() { p.loading, p.at = p.loading[:len(p.loading)-1], was }()
	made := &module{file: file, folder: folderOf(file), tree: tree}
	made.scope = &scope{module: made, names: map[string]value{"__name__": nil}}
	p.modules[file] = made
	p.order = append(p.order, made)
	p.block(tree.Root(), made.scope)
	return made
}

func folderOf(file string) string {
	if folder := path.Dir(file); folder != "." {
		return folder
	}
	return ""
}

// find is the module at a path of folders and names below a folder: a file, a
// package, or a folder.
func (p *python) find(below string, names []string) *module {
	at := path.Join(append([]string{below}, names...)...)
	for _, file := range []string{path.Join(at, "__init__.py"), at + ".py"} {
		if p.files.has(file) {
			return p.load(file)
		}
	}
	if at != "" && p.files.hasFolder(at) {
		key := at + "/"
		if p.modules[key] == nil {
			made := &module{folder: at}
			made.scope = &scope{module: made, names: map[string]value{}}
			p.modules[key] = made
		}
		return p.modules[key]
	}
	return nil
}

// libraries are never looked for in the workspace: a folder may have the name
// of one.
var libraries = []string{"fastapi", "starlette", "flask", "django", "rest_framework", "uvicorn", "pydantic", "typing", "flask_restful", "functools"}

// absolute resolves "a.b.c": in the folders Python is started in when they are
// known, else in the one folder above the importing file where it is found.
// Found in two, it is not known which.
func (p *python) absolute(from *module, dotted string) *module {
	names := strings.Split(dotted, ".")
	if slices.Contains(libraries, names[0]) {
		return nil
	}
	for _, root := range p.roots {
		if found := p.find(root, names); found != nil {
			return found
		}
	}
	var all []string
	for folder := from.folder; ; folder = folderOf(folder) {
		all = append(all, folder, path.Join(folder, "src"))
		if folder == "" {
			break
		}
	}
	var found []string
	for _, folder := range all {
		if p.isModule(folder, names) {
			found = append(found, folder)
		}
	}
	if len(found) == 1 {
		return p.find(found[0], names)
	}
	for _, folder := range all { // a folder alone says least
		if len(found) == 0 && p.files.hasFolder(path.Join(append([]string{folder}, names...)...)) {
			return p.find(folder, names)
		}
	}
	return nil
}

func (p *python) isModule(folder string, names []string) bool {
	at := path.Join(append([]string{folder}, names...)...)
	return p.files.has(at+".py") || p.files.has(path.Join(at, "__init__.py"))
}

// relative resolves "..a.b": level counts the dots.
func (p *python) relative(from *module, level int, dotted string) *module {
	folder := from.folder
	for range level - 1 {
		if folder == "" {
			return nil
		}
		folder = folderOf(folder)
	}
	if dotted == "" {
		return p.find(folder, nil)
	}
	return p.find(folder, strings.Split(dotted, "."))
}

// submodule is a module inside of a package.
func (p *python) submodule(of *module, name string) *module {
	if of.file != "" && path.Base(of.file) != "__init__.py" {
		return nil
	}
	return p.find(of.folder, []string{name})
}

func (p *python) block(body syntax.Node, s *scope) {
	for statement := range body.Children() {
		if !p.step() {
			return
		}
		p.statement(statement, s)
	}
}

func (p *python) statement(node syntax.Node, s *scope) {
	switch node.Kind() {
	case "import_statement":
		p.importNames(node, s)
	case "import_from_statement":
		p.importFrom(node, s)
	case "expression_statement":
		for child := range node.Children() {
			p.eval(child, s, 0)
		}
	case "decorated_definition":
		p.decorated(node, s)
	case "function_definition":
		s.names[node.Field("name").Text()] = &function{node: node, module: s.module, scope: s, class: s.class}
	case "class_definition":
		p.class(node, s)
	case "return_statement":
		for child := range node.Children() {
			s.returned = append(s.returned, p.eval(child, s, 0))
		}
	case "for_statement":
		p.loop(node, s)
	case "with_statement", "with_clause", "with_item":
		p.inside(node, s)
	case "if_statement":
		p.branches(node, s)
	case "except_clause", "case_clause", "while_statement":
		before := s.names
		s.names = maps.Clone(before)
		p.inside(node, s)
		s.names = merged(before, s.names)
	case "try_statement", "else_clause", "elif_clause", "finally_clause", "match_statement", "block", "ERROR":
		p.inside(node, s)
	}
}

// inside runs every branch: which one is taken is not known.
func (p *python) inside(node syntax.Node, s *scope) {
	for child := range node.Children() {
		if !p.step() {
			return
		}
		switch child.Kind() {
		case "as_pattern", "call", "named_expression":
			p.eval(child, s, 0)
		default:
			p.statement(child, s)
		}
	}
}

// branches runs each branch with what was known before it. After them a name
// has what either gave it.
func (p *python) branches(node syntax.Node, s *scope) {
	p.eval(node.Field("condition"), s, 0)
	before, otherwise := s.names, false
	var ends []map[string]value
	for child := range node.Children() {
		if name := child.FieldName(); name != "consequence" && name != "alternative" {
			continue
		}
		otherwise = otherwise || child.Kind() == "else_clause"
		s.names = maps.Clone(before)
		p.inside(child, s)
		ends = append(ends, s.names)
	}
	if !otherwise {
		ends = append(ends, before)
	}
	s.names = merged(ends...)
}

// merged has for each name what any of the ends gave it.
func merged(ends ...map[string]value) map[string]value {
	made := maps.Clone(ends[0])
	for _, end := range ends[1:] {
		for name, v := range end {
			if was, known := made[name]; known && !same(was, v) {
				v = either(was, v)
			}
			made[name] = v
		}
	}
	return made
}

func (p *python) loop(node syntax.Node, s *scope) {
	items, known := p.eval(node.Field("right"), s, 0).(list)
	if !known || len(items) == 0 {
		items = list{nil}
	}
	for _, item := range items[:min(len(items), mostItems)] {
		p.assign(node.Field("left"), item, s)
		p.block(node.Field("body"), s)
	}
}

func (p *python) importNames(node syntax.Node, s *scope) {
	for child := range node.Children() {
		switch child.Kind() {
		case "dotted_name":
			first, _, _ := strings.Cut(child.Text(), ".")
			s.names[first] = p.named(s.module, first)
			p.named(s.module, child.Text()) // what it runs
		case "aliased_import":
			s.names[child.Field("alias").Text()] = p.named(s.module, child.Field("name").Text())
		}
	}
}

func (p *python) named(from *module, dotted string) value {
	if found := p.absolute(from, dotted); found != nil {
		from.imports = append(from.imports, found)
		return found
	}
	return external(dotted)
}

func (p *python) importFrom(node syntax.Node, s *scope) {
	source := node.Field("module_name")
	var from value
	if source.Kind() == "relative_import" {
		level := strings.Count(source.Child("import_prefix").Text(), ".")
		if found := p.relative(s.module, level, source.Child("dotted_name").Text()); found != nil {
			s.module.imports = append(s.module.imports, found)
			from = found
		}
	} else {
		from = p.named(s.module, source.Text())
	}
	for child := range node.Children() {
		switch {
		case child.Kind() == "wildcard_import":
			if whole, ok := from.(*module); ok && whole != s.module {
				for name, v := range whole.scope.names {
					s.names[name] = v
				}
			}
		case child.FieldName() != "name":
		case child.Kind() == "aliased_import":
			s.names[child.Field("alias").Text()] = p.member(from, child.Field("name").Text())
		default:
			s.names[child.Text()] = p.member(from, child.Text())
		}
		if sub, ok := s.names[child.Text()].(*module); ok {
			s.module.imports = append(s.module.imports, sub)
		}
	}
}

func (p *python) decorated(node syntax.Node, s *scope) {
	var decorators []value
	for child := range node.Children() {
		if child.Kind() != "decorator" {
			continue
		}
		for expression := range child.Children() {
			decorators = append(decorators, p.eval(expression, s, 0))
		}
	}
	definition := node.Field("definition")
	p.statement(definition, s)
	made := s.names[definition.Field("name").Text()]
	for _, decorator := range slices.Backward(decorators) {
		if done, ok := decorator.(*event); ok {
			done.decorate(made)
		}
	}
}

// decorate is the first use; a decorator kept in a variable and used twice is
// another event.
func (e *event) decorate(with value) {
	if e.handler == nil {
		e.handler = with
	}
}

func (p *python) class(node syntax.Node, s *scope) {
	made := &class{node: node, module: s.module}
	for base := range node.Field("superclasses").Children() {
		if base.Kind() != "keyword_argument" {
			made.bases = append(made.bases, p.eval(base, s, 0))
		}
	}
	made.own = &scope{module: s.module, parent: s, names: map[string]value{}, class: made, depth: s.depth}
	s.names[node.Field("name").Text()] = made
	p.block(node.Field("body"), made.own)
}

func (p *python) assign(target syntax.Node, v value, s *scope) {
	switch target.Kind() {
	case "identifier":
		if given, ok := v.(*sentValue); ok {
			v = given.with(Step{Place{s.module.file, target.Line()}, "kept in " + shown(target.Text())})
		}
		s.names[target.Text()] = v
	case "subscript":
		p.note(deed{name: "[]=", what: target.Field("value").Text(),
			arguments: arguments{positional: []value{p.eval(target.Field("subscript"), s, 0), v}}, at: Place{s.module.file, target.Line()}})
	case "attribute":
		owner := p.eval(target.Field("object"), s, 0)
		name := target.Field("attribute").Text()
		switch of := owner.(type) {
		case *instance:
			of.attributes[name] = v
		case *module:
			of.scope.names[name] = v
		}
	case "pattern_list", "tuple_pattern", "list_pattern":
		items, _ := v.(list)
		at := 0
		for child := range target.Children() {
			var item value
			if at < len(items) {
				item = items[at]
			}
			p.assign(child, item, s)
			at++
		}
	}
}
