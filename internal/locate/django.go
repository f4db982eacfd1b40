package locate

import (
	"context"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// django are the modules of a workspace that urlpatterns lead to.
type django struct {
	ctx     context.Context
	files   *files
	names   []string
	modules map[string]*djangoModule
	routes  []route
	order   int
	steps   int
}

type djangoModule struct {
	file  string
	names map[string]djangoName
	lists []syntax.Node // of urlpatterns
}

// djangoName is a definition or a value, or what another module calls own.
type djangoName struct {
	node    syntax.Node
	from    string // dotted, with the dots of a relative import before it
	own     string // "" for the module itself
	imports bool
}

// djangoView is a function or a class of a module.
type djangoView struct {
	in   *djangoModule
	node syntax.Node // function_definition or class_definition
	// decorators are what stands above it.
	decorated syntax.Node
}

const mostDjangoSteps = 1_000_000

func (d *django) step() bool {
	d.steps++
	return d.steps < mostDjangoSteps && (d.steps%1024 != 0 || d.ctx.Err() == nil)
}

func readDjango(ctx context.Context, files *files) []route {
	d := &django{ctx: ctx, files: files, names: files.of(pythonFile), modules: map[string]*djangoModule{}}
	var roots, all []string
	for _, name := range d.names {
		source := files.read(name)
		if mentions(source, []string{"urlpatterns"}) {
			all = append(all, name)
		}
		if mentions(source, []string{"ROOT_URLCONF"}) {
			if module := d.load(name); module != nil {
				if dotted, known := pythonString(module.names["ROOT_URLCONF"].node); known {
					roots = append(roots, d.find(dotted)...)
				}
			}
		}
	}
	if len(roots) == 0 {
		roots = d.unincluded(all)
	}
	slices.Sort(roots)
	for _, name := range slices.Compact(roots) {
		d.order = 0
		d.module(d.load(name), "/", 0)
	}
	return d.routes
}

// unincluded are the modules that no other includes by its name.
func (d *django) unincluded(all []string) []string {
	included := map[string]bool{}
	for _, name := range all {
		module := d.load(name)
		if module == nil {
			continue
		}
		for _, list := range module.lists {
			for node := range list.All() {
				if node.Kind() != "call" || node.Field("function").Text() != "include" {
					continue
				}
				for _, found := range d.included(module, node) {
					included[found] = included[found] || found != name
				}
			}
		}
	}
	return slices.DeleteFunc(all, func(name string) bool { return included[name] })
}

// load learns what a module defines at its top.
func (d *django) load(name string) *djangoModule {
	if known, seen := d.modules[name]; seen {
		return known
	}
	tree := d.files.tree(d.ctx, name, syntax.Python)
	if tree == nil {
		d.modules[name] = nil
		return nil
	}
	made := &djangoModule{file: name, names: map[string]djangoName{}}
	d.modules[name] = made
	for statement := range tree.Root().Children() {
		made.learn(statement)
	}
	return made
}

func (m *djangoModule) learn(statement syntax.Node) {
	switch statement.Kind() {
	case "function_definition", "class_definition":
		m.names[statement.Field("name").Text()] = djangoName{node: statement}
	case "decorated_definition":
		m.names[statement.Field("definition").Field("name").Text()] = djangoName{node: statement}
	case "import_statement", "import_from_statement":
		m.learnImport(statement)
	case "expression_statement":
		for one := range statement.Children() {
			left, right := one.Field("left"), one.Field("right")
			if left.Kind() != "identifier" {
				continue
			}
			if left.Text() == "urlpatterns" {
				m.lists = append(m.lists, right)
			}
			if one.Kind() == "assignment" {
				m.names[left.Text()] = djangoName{node: right}
			}
		}
	case "if_statement", "try_statement", "else_clause", "block":
		for child := range statement.Children() {
			m.learn(child)
		}
	}
}

func (m *djangoModule) learnImport(statement syntax.Node) {
	from := statement.Field("module_name").Text()
	for one := range statement.Children() {
		if one.FieldName() != "name" {
			continue
		}
		name, local := one.Text(), one.Text()
		if one.Kind() == "aliased_import" {
			name, local = one.Field("name").Text(), one.Field("alias").Text()
		}
		if statement.Kind() == "import_statement" {
			m.names[local] = djangoName{from: name, imports: true}
		} else {
			m.names[local] = djangoName{from: from, own: name, imports: true}
		}
	}
}

// find are the files that a dotted name may be.
func (d *django) find(dotted string) []string {
	at := strings.ReplaceAll(dotted, ".", "/")
	var found []string
	for _, name := range d.names {
		for _, end := range []string{at + ".py", at + "/__init__.py"} {
			if name == end || strings.HasSuffix(name, "/"+end) {
				found = append(found, name)
			}
		}
	}
	return found
}

// imported is the one file of a name that a module imports; "" where none or
// several have it.
func (d *django) imported(from *djangoModule, dotted string) string {
	found := []string{}
	if below := strings.TrimLeft(dotted, "."); below != dotted {
		folder := path.Dir(from.file)
		for range len(dotted) - len(below) - 1 {
			folder = path.Dir(folder)
		}
		at := path.Join(folder, strings.ReplaceAll(below, ".", "/"))
		for _, name := range []string{at + ".py", at + "/__init__.py"} {
			if d.files.has(name) {
				found = append(found, name)
			}
		}
	} else {
		found = d.find(dotted)
	}
	if len(found) != 1 {
		return ""
	}
	return found[0]
}

// value is what a name of a module stands for: a node, or a module.
func (d *django) value(in *djangoModule, name string, depth int) (*djangoModule, syntax.Node) {
	if in == nil || depth > mostRouters || !d.step() {
		return nil, syntax.Node{}
	}
	found, known := in.names[name]
	switch {
	case !known:
		return nil, syntax.Node{}
	case !found.imports:
		return in, found.node
	case found.own == "":
		return d.load(d.imported(in, found.from)), syntax.Node{}
	}
	if module := d.imported(in, found.from); module != "" {
		if of, node := d.value(d.load(module), found.own, depth+1); of != nil {
			return of, node
		}
	}
	joint := "."
	if strings.HasSuffix(found.from, ".") {
		joint = ""
	}
	return d.load(d.imported(in, found.from+joint+found.own)), syntax.Node{}
}

func (d *django) module(in *djangoModule, prefix string, depth int) {
	if in == nil {
		return
	}
	for _, list := range in.lists {
		d.list(in, list, prefix, depth)
	}
}

// list adds what urlpatterns hold.
func (d *django) list(in *djangoModule, list syntax.Node, prefix string, depth int) {
	if depth > mostRouters || len(d.routes) > mostRoutes || len(prefix) > longestPath || !d.step() {
		return
	}
	switch list.Kind() {
	case "identifier":
		of, node := d.value(in, list.Text(), 0)
		d.list(of, node, prefix, depth+1)
	case "binary_operator":
		d.list(in, list.Field("left"), prefix, depth+1)
		d.list(in, list.Field("right"), prefix, depth+1)
	case "list", "tuple":
		for one := range list.Children() {
			d.entry(in, one, prefix, depth)
		}
	}
}

func (d *django) entry(in *djangoModule, call syntax.Node, prefix string, depth int) {
	function := call.Field("function").Text()
	given := positional(call)
	if call.Kind() != "call" || len(given) < 2 {
		return
	}
	written, known := pythonString(given[0])
	if !known {
		written = unknownPart
	}
	switch {
	case !known:
	case function == "path":
		written = string(angles(written))
	case function == "re_path" || function == "url":
		written = expression(written)
	default:
		return
	}
	inner := given[1]
	if inner.Kind() == "call" && inner.Field("function").Text() == "include" {
		if strings.HasSuffix(written, rest) && function != "path" {
			written = strings.TrimSuffix(written, rest)
		}
		d.include(in, inner, prefix+written, depth)
		return
	}
	d.add(in, inner, prefix+written)
}

func (d *django) include(in *djangoModule, call syntax.Node, prefix string, depth int) {
	if files := d.included(in, call); len(files) == 1 && depth < mostRouters {
		d.module(d.load(files[0]), prefix, depth+1)
		return
	}
	given := positional(call)
	if len(given) == 0 {
		return
	}
	list := given[0]
	if list.Kind() == "tuple" {
		for child := range list.Children() {
			list = child
			break
		}
	}
	d.list(in, list, prefix, depth+1)
}

// included are the files that include("app.urls") or include(app.urls) may mean.
func (d *django) included(in *djangoModule, call syntax.Node) []string {
	given := positional(call)
	if len(given) == 0 {
		return nil
	}
	first := given[0]
	if first.Kind() == "tuple" {
		for child := range first.Children() {
			first = child
			break
		}
	}
	if dotted, known := pythonString(first); known {
		return d.find(dotted)
	}
	if of, node := d.named(in, first, 0); of != nil && node.IsZero() {
		return []string{of.file}
	}
	return nil
}

// named is what a name or a dotted name stands for.
func (d *django) named(in *djangoModule, node syntax.Node, depth int) (*djangoModule, syntax.Node) {
	if depth > mostRouters || !d.step() {
		return nil, syntax.Node{}
	}
	switch node.Kind() {
	case "identifier":
		return d.value(in, node.Text(), 0)
	case "attribute":
		if of, value := d.named(in, node.Field("object"), depth+1); of != nil && value.IsZero() {
			return d.value(of, node.Field("attribute").Text(), 0)
		}
	}
	return nil, syntax.Node{}
}

// positional are arguments without names.
func positional(call syntax.Node) []syntax.Node {
	var all []syntax.Node
	for one := range call.Field("arguments").Children() {
		if one.Kind() != "keyword_argument" && one.Kind() != "comment" {
			all = append(all, one)
		}
	}
	return all
}

func pythonString(node syntax.Node) (string, bool) {
	if node.Kind() != "string" {
		return "", false
	}
	raw, made := strings.ContainsAny(node.Child("string_start").Text(), "rR"), ""
	for child := range node.Children() {
		switch child.Kind() {
		case "interpolation":
			return "", false
		case "string_content":
			if made += child.Text(); !raw && strings.Contains(made, `\`) {
				return "", false
			}
		}
	}
	return made, isPlain(made) && len(made) <= longestText
}

var (
	group   = regexp.MustCompile(`\((\?P<\w+>)?[^()]*\)`)
	escaped = regexp.MustCompile(`\\([./-])`)
)

// expression reads a regular expression with literal parts and groups; another
// one is not known.
func expression(written string) string {
	written = strings.TrimPrefix(written, "^")
	end := strings.HasSuffix(written, "$")
	written = group.ReplaceAllString(strings.TrimSuffix(written, "$"), part)
	written = escaped.ReplaceAllString(strings.ReplaceAll(written, "/?", "/"), "$1")
	if strings.ContainsAny(written, `\[](){}?*+|^$`) {
		return unknownPart
	}
	if !end {
		written += rest
	}
	return written
}

// add adds a view: a function, or the methods of a class.
func (d *django) add(in *djangoModule, node syntax.Node, written string) {
	d.order++
	view := d.view(in, node, 0)
	switch view.node.Kind() {
	case "function_definition":
		d.put(written, allowed(view.decorated), view)
	case "class_definition":
		for _, verb := range verbs {
			if method := d.method(view, verb, 0); !method.node.IsZero() {
				d.put(written, []string{strings.ToUpper(verb)}, method)
			}
		}
	}
}

func (d *django) put(written string, methods []string, view djangoView) {
	name := view.node.Field("name")
	search := djangoCookies{django: d}
	search.follow(view, nil, 0)
	d.routes = append(d.routes, route{methods: methods, path: pattern(written), place: Place{view.in.file, name.Line()}, written: written,
		setters: search.found, operations: []string{name.Text()}, order: d.order})
}

// view is what a name, Class.as_view() or a wrapper of one view gives.
func (d *django) view(in *djangoModule, node syntax.Node, depth int) djangoView {
	if depth > mostRouters || !d.step() {
		return djangoView{}
	}
	switch node.Kind() {
	case "call":
		if callee := node.Field("function"); callee.Field("attribute").Text() == "as_view" {
			return d.view(in, callee.Field("object"), depth+1)
		}
		var found djangoView
		for _, one := range positional(node) {
			if view := d.view(in, one, depth+1); !view.node.IsZero() {
				if !found.node.IsZero() {
					return djangoView{}
				}
				found = view
			}
		}
		return found
	case "identifier", "attribute":
		of, value := d.named(in, node, 0)
		switch value.Kind() {
		case "decorated_definition":
			return djangoView{of, value.Field("definition"), value}
		case "function_definition", "class_definition":
			return djangoView{in: of, node: value}
		case "call", "identifier", "attribute":
			return d.view(of, value, depth+1)
		}
	}
	return djangoView{}
}

// method is a method of a class, or of the first class of the workspace that it
// is made from that has it.
func (d *django) method(class djangoView, name string, depth int) djangoView {
	for child := range class.node.Field("body").Children() {
		definition := child
		if child.Kind() == "decorated_definition" {
			definition = child.Field("definition")
		}
		if definition.Kind() == "function_definition" && definition.Field("name").Text() == name {
			return djangoView{class.in, definition, child}
		}
	}
	for base := range class.node.Field("superclasses").Children() {
		if depth > mostRouters || !d.step() {
			break
		}
		if above := d.view(class.in, base, 0); above.node.Kind() == "class_definition" {
			if found := d.method(above, name, depth+1); !found.node.IsZero() {
				return found
			}
		}
	}
	return djangoView{}
}

// allowed are the methods that decorators let through; nil for all.
func allowed(decorated syntax.Node) []string {
	for one := range decorated.Children() {
		if one.Kind() != "decorator" {
			continue
		}
		for name := range one.Children() {
			switch name.Text() {
			case "require_POST":
				return []string{"POST"}
			case "require_GET":
				return []string{"GET"}
			case "require_safe":
				return []string{"GET", "HEAD"}
			}
			called := name.Field("function").Text()
			if called != "require_http_methods" && called != "api_view" {
				continue
			}
			var methods []string
			for word := range name.Field("arguments").All() {
				if method, known := pythonString(word); known {
					methods = append(methods, strings.ToUpper(method))
				}
			}
			return methods
		}
	}
	return nil
}
