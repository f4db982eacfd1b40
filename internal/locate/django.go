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
	root    string // the module that is read from
	unsure  int    // conditions that what is read stands below
}

type djangoModule struct {
	file  string
	names map[string]djangoName
	lists []djangoList
	all   []string      // modules whose names are imported, dotted
	rest  []syntax.Node // calls that register a view set
}

// djangoList is a part of urlpatterns.
type djangoList struct {
	node   syntax.Node
	unsure bool // a condition decides
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
			roots = append(roots, d.rootOf(name)...)
		}
	}
	if own := d.started(files.start); len(own) > 0 {
		roots = own
	}
	if len(roots) == 0 {
		roots = d.unincluded(all)
	}
	if own := below(roots, files.start.folder); files.start.folder != "" && len(own) > 0 {
		roots = own
	}
	slices.Sort(roots)
	for _, name := range slices.Compact(roots) {
		d.order, d.root = 0, name
		d.module(d.load(name), "/", 0)
	}
	return d.routes
}

// rootOf are the modules of URLs that settings name.
func (d *django) rootOf(settings string) []string {
	_, value := d.value(d.load(settings), "ROOT_URLCONF", 0)
	if dotted, known := pythonString(value); known {
		return d.find(dotted, settings)
	}
	return nil
}

// started are the roots of the project that is started.
func (d *django) started(start started) []string {
	var roots []string
	from := path.Join(start.folder, "manage.py")
	if len(start.entries) > 0 {
		from = start.entries[0]
	}
	for _, dotted := range start.settings {
		for _, settings := range d.find(dotted, from) {
			roots = append(roots, d.rootOf(settings)...)
		}
	}
	return roots
}

var setsSettings = regexp.MustCompile(`DJANGO_SETTINGS_MODULE['"]\s*[,\]]\s*=?\s*['"]([\w.]+)['"]`)

// settingsIn are the settings that manage.py, wsgi.py or asgi.py names.
func settingsIn(source string) string {
	if found := setsSettings.FindStringSubmatch(source); found != nil {
		return found[1]
	}
	return ""
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
			for node := range list.node.All() {
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
		made.learn(statement, false)
	}
	return made
}

// learn learns what a statement defines; in a branch it may define it or not.
func (m *djangoModule) learn(statement syntax.Node, isBranch bool) {
	switch statement.Kind() {
	case "function_definition", "class_definition":
		m.name(statement.Field("name").Text(), djangoName{node: statement}, isBranch)
	case "decorated_definition":
		m.name(statement.Field("definition").Field("name").Text(), djangoName{node: statement}, isBranch)
	case "import_statement", "import_from_statement":
		m.learnImport(statement, isBranch)
	case "expression_statement":
		for one := range statement.Children() {
			m.learnExpression(one, isBranch)
		}
	case "if_statement", "try_statement", "else_clause", "elif_clause", "except_clause", "finally_clause", "block", "with_statement":
		for child := range statement.Children() {
			m.learn(child, isBranch || statement.Kind() != "with_statement")
		}
	}
}

// name keeps what a name stands for. One that a branch defines again is not known.
func (m *djangoModule) name(name string, given djangoName, isBranch bool) {
	if _, known := m.names[name]; known && isBranch {
		given = djangoName{}
	}
	m.names[name] = given
}

func (m *djangoModule) learnExpression(one syntax.Node, isBranch bool) {
	if left := one.Field("left"); left.Kind() == "identifier" {
		if left.Text() == "urlpatterns" {
			if one.Kind() == "assignment" && !isBranch {
				m.lists = nil
			}
			m.lists = append(m.lists, djangoList{one.Field("right"), isBranch})
		} else if one.Kind() == "assignment" {
			m.name(left.Text(), djangoName{node: one.Field("right")}, isBranch)
		}
		return
	}
	callee := one.Field("function")
	switch of, name := callee.Field("object").Text(), callee.Field("attribute").Text(); {
	case one.Kind() != "call":
	case of == "urlpatterns" && name == "append":
		m.lists = append(m.lists, djangoList{one, isBranch})
	case of == "urlpatterns" && name == "extend":
		for _, list := range positional(one) {
			m.lists = append(m.lists, djangoList{list, isBranch})
		}
	case name == "register":
		m.rest = append(m.rest, one)
	}
}

func (m *djangoModule) learnImport(statement syntax.Node, isBranch bool) {
	from := statement.Field("module_name").Text()
	if !statement.Child("wildcard_import").IsZero() {
		m.all = append(m.all, from)
	}
	for one := range statement.Children() {
		if one.FieldName() != "name" {
			continue
		}
		name, local := one.Text(), one.Text()
		if one.Kind() == "aliased_import" {
			name, local = one.Field("name").Text(), one.Field("alias").Text()
		}
		if statement.Kind() == "import_statement" {
			m.name(local, djangoName{from: name, imports: true}, isBranch)
		} else {
			m.name(local, djangoName{from: from, own: name, imports: true}, isBranch)
		}
	}
}

// find are the files that a dotted name may be in a file: those of its own
// project, where it has any, and of the projects around that the inmost.
func (d *django) find(dotted, in string) []string {
	at := strings.ReplaceAll(dotted, ".", "/")
	var all, own []string
	longest := -1
	for _, name := range d.names {
		for _, end := range []string{at + ".py", at + "/__init__.py"} {
			base, found := strings.CutSuffix(name, end)
			if !found || base != "" && !strings.HasSuffix(base, "/") {
				continue
			}
			all = append(all, name)
			if !strings.HasPrefix(in, base) {
				continue
			}
			weight := len(base)
			if d.files.has(base + "manage.py") {
				weight += longestPath // this is where names begin
			}
			if weight > longest {
				longest, own = weight, nil
			}
			if weight == longest {
				own = append(own, name)
			}
		}
	}
	if own != nil {
		return own
	}
	return all
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
		found = d.find(dotted, from.file)
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
		return d.wildcard(in, name, depth)
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

// wildcard is a name that "from module import *" brings; none where several do.
func (d *django) wildcard(in *djangoModule, name string, depth int) (*djangoModule, syntax.Node) {
	var of *djangoModule
	var node syntax.Node
	for _, dotted := range in.all[:min(len(in.all), mostRouters)] {
		module := d.imported(in, dotted)
		if module == "" || module == in.file {
			continue
		}
		if found, value := d.value(d.load(module), name, depth+1); found != nil && of != nil {
			return nil, syntax.Node{}
		} else if found != nil {
			of, node = found, value
		}
	}
	return of, node
}

func (d *django) module(in *djangoModule, prefix string, depth int) {
	if in == nil {
		return
	}
	for _, list := range in.lists {
		if list.unsure {
			d.unsure++
		}
		d.list(in, list.node, prefix, depth)
		if list.unsure {
			d.unsure--
		}
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
			if one.Kind() == "list_splat" {
				for inner := range one.Children() {
					d.list(in, inner, prefix, depth+1)
				}
			}
			d.entry(in, one, prefix, depth)
		}
	case "call":
		d.wrapped(in, list, prefix, depth)
	}
}

// wrapped reads urlpatterns.append(path(…)), i18n_patterns(path(…), …) and what
// is given a list and gives one.
func (d *django) wrapped(in *djangoModule, call syntax.Node, prefix string, depth int) {
	switch name := call.Field("function").Text(); name {
	case "i18n_patterns": // "de/", unless it is the usual language
		prefix += unknownPart
		fallthrough
	case "urlpatterns.append":
		for _, one := range positional(call) {
			d.entry(in, one, prefix, depth)
		}
	case "format_suffix_patterns", "decorator_include":
		for _, one := range positional(call) {
			d.list(in, one, prefix, depth+1)
		}
	}
}

func (d *django) entry(in *djangoModule, call syntax.Node, prefix string, depth int) {
	function := call.Field("function").Text()
	first, inner := argument(call, "route", 0), argument(call, "view", 1)
	if function != "path" && first.IsZero() {
		first = argument(call, "regex", -1)
	}
	if call.Kind() != "call" || first.IsZero() || inner.IsZero() {
		return
	}
	written, known := pythonString(first)
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
	if inner.Kind() == "attribute" && inner.Field("attribute").Text() == "urls" { // admin.site.urls
		d.blind(prefix + written)
		return
	}
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
	routes := len(d.routes)
	if list.Kind() == "attribute" && list.Field("attribute").Text() == "urls" {
		d.viewSets(in, list.Field("object"), prefix)
	} else {
		d.list(in, list, prefix, depth+1)
	}
	if len(d.routes) == routes {
		d.blind(prefix)
	}
}

// blind notes that something which is not known answers below a prefix.
func (d *django) blind(prefix string) {
	d.order++
	d.routes = append(d.routes, route{path: pattern(prefix + rest), blind: true, order: d.order, application: d.root, unsure: d.unsure > 0})
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
		return d.find(dotted, in.file)
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
		if found, known := in.names[node.Text()]; known && found.imports { // import accounts.views
			return d.value(in, node.Text(), 0)
		}
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
	group   = regexp.MustCompile(`\((?:\?P<\w+>|\?:)?([^()]*)\)`)
	escaped = regexp.MustCompile(`\\([./-])`)
)

// expression reads a regular expression with literal parts and groups; another
// one is not known.
func expression(written string) string {
	anywhere := !strings.HasPrefix(written, "^")
	written = strings.TrimPrefix(written, "^")
	end := strings.HasSuffix(written, "$")
	written = group.ReplaceAllStringFunc(strings.TrimSuffix(written, "$"), func(found string) string {
		if inner := group.FindStringSubmatch(found)[1]; strings.ContainsAny(strings.ReplaceAll(inner, "[^/]", ""), "./") {
			return rest
		}
		return part
	})
	written = escaped.ReplaceAllString(strings.ReplaceAll(written, "/?", "/"), "$1")
	if strings.ContainsAny(written, `\[](){}?*+|^$`) {
		return unknownPart
	}
	if !end {
		written += rest
	}
	if anywhere {
		written = rest + written
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
		actions := actionsOf(node)
		for _, verb := range verbs {
			name := verb
			if actions != nil {
				name = actions[verb]
			}
			if method := d.method(view, name, 0); !method.node.IsZero() {
				d.put(written, []string{strings.ToUpper(verb)}, method)
			}
		}
	}
	// A library's view, the methods that a library's class has, and those that are
	// refused: what comes below is not asked.
	d.routes = append(d.routes, route{path: pattern(written), blind: true, order: d.order, application: d.root, unsure: d.unsure > 0})
}

// actionsOf are the methods of a view set by verbs: as_view({"post": "login"}).
func actionsOf(view syntax.Node) map[string]string {
	for _, given := range positional(view) {
		if given.Kind() != "dictionary" {
			continue
		}
		actions := map[string]string{}
		for pair := range given.Children() {
			verb, known := pythonString(pair.Field("key"))
			if name, also := pythonString(pair.Field("value")); known && also {
				actions[verb] = name
			}
		}
		return actions
	}
	return nil
}

// restActions are the methods of a view set that Django REST framework maps.
var restActions = []struct{ verb, name, below string }{
	{"GET", "list", ""}, {"POST", "create", ""}, {"GET", "retrieve", "/" + part}, {"PUT", "update", "/" + part},
	{"PATCH", "partial_update", "/" + part}, {"DELETE", "destroy", "/" + part},
}

// viewSets adds what is registered with a router of Django REST framework. What
// an action is given wins over an id.
func (d *django) viewSets(in *djangoModule, router syntax.Node, prefix string) {
	of, made := d.named(in, router, 0)
	if of == nil || made.Kind() != "call" || !strings.HasSuffix(made.Field("function").Text(), "Router") {
		return
	}
	name := lastOf(router.Text())
	for _, call := range of.rest {
		given := positional(call)
		if call.Field("function").Field("object").Text() != name || len(given) < 2 || len(d.routes) > mostRoutes {
			continue
		}
		written, known := pythonString(given[0])
		if !known || strings.ContainsAny(written, `\[](){}?*+|^$`) {
			written = unknownPart
		}
		d.viewSet(d.view(of, given[1], 0), prefix+written)
	}
	d.blind(prefix)
}

func (d *django) viewSet(class djangoView, written string) {
	if class.node.Kind() != "class_definition" {
		return
	}
	d.order++
	for method := range class.node.Field("body").Children() {
		for decorator := range method.Children() {
			for call := range decorator.Children() {
				if decorator.Kind() == "decorator" && lastOf(call.Field("function").Text()) == "action" {
					d.action(class, method, call, written)
				}
			}
		}
	}
	d.order++
	for _, one := range restActions {
		if method := d.method(class, one.name, 0); !method.node.IsZero() {
			d.put(written+one.below+"/", []string{one.verb}, method)
		}
	}
}

// action is a method with @action(detail=True, methods=["post"], url_path="x").
func (d *django) action(class djangoView, method, call syntax.Node, written string) {
	definition := method.Field("definition")
	if argument(call, "detail", -1).Text() == "True" {
		written += "/" + part
	}
	below := definition.Field("name").Text()
	if given := argument(call, "url_path", -1); !given.IsZero() {
		known := false
		if below, known = pythonString(given); !known || strings.ContainsAny(below, `\[](){}?*+|^$`) {
			below = unknownPart
		}
	}
	methods := []string{"GET"}
	if given := argument(call, "methods", 0); !given.IsZero() {
		methods = nil
		for word := range given.All() {
			if verb, known := pythonString(word); known {
				methods = append(methods, strings.ToUpper(verb))
			}
		}
	}
	d.put(written+"/"+below+"/", methods, djangoView{class.in, definition, method})
}

func (d *django) put(written string, methods []string, view djangoView) {
	name := view.node.Field("name")
	if name.IsZero() {
		return // it is broken
	}
	search := djangoCookies{django: d}
	search.follow(view, nil, 0)
	d.routes = append(d.routes, route{methods: methods, path: pattern(written), place: Place{view.in.file, name.Line()}, written: written,
		setters: search.found, operations: []string{name.Text()}, order: d.order, application: d.root, unsure: d.unsure > 0})
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
