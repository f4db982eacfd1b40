package locate

import (
	"context"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// scripts are the JavaScript and TypeScript modules of a workspace.
type scripts struct {
	ctx       context.Context
	files     *files
	modules   map[string]*script
	functions map[scriptKey]*scriptFunction
	made      map[scriptKey]*router
	held      map[scriptKey]*router // by the fields of classes
	blocks    map[scriptKey]map[string]scriptName
	learning  bool // names only, of all modules, before anything is read
	branches  int  // that what is read stands in
	routers   []*router
	setting   map[scriptKey][]setter
	read      map[scriptKey]bool // calls
	steps     int
}

// scriptKey is a node of a file.
type scriptKey struct {
	file  string
	start int
	kind  string
}

// script is a module.
type script struct {
	file    string
	tree    *syntax.Tree
	scope   *scriptScope
	exports map[string]scriptName // "" for what module.exports is
	all     []*script             // that are exported whole
}

// scriptName is what a name stands for: an expression, a member of it, or what a
// module gives.
type scriptName struct {
	from   syntax.Node
	scope  *scriptScope
	member string
	value  *scriptValue
	// changes says that it is given several values.
	changes bool
}

type scriptScope struct {
	module *script
	parent *scriptScope
	names  map[string]scriptName
	class  *scriptValue // that "this" is of
	in     *scriptFunction
	// isBlock says that it is a part of a function.
	isBlock bool
}

// owner is the function of a scope, or its module.
func (s *scriptScope) owner() any {
	for at := s; at != nil; at = at.parent {
		if at.in != nil {
			return at.in
		}
	}
	return s.module
}

// scriptValue is what an expression gives. The zero value is not known.
type scriptValue struct {
	node     syntax.Node // of a function, a class, or an object
	scope    *scriptScope
	router   *router
	module   *script
	external string // "express.Router"
}

type scriptFunction struct {
	node       syntax.Node
	scope      *scriptScope // of its body
	parameters []*router
	result     *router
	callers    map[scriptKey]bool
}

const mostScriptSteps = 2_000_000

func (s *scripts) step() bool {
	s.steps++
	return s.steps < mostScriptSteps && (s.steps%1024 != 0 || s.ctx.Err() == nil)
}

func (s *scripts) key(node syntax.Node, scope *scriptScope) scriptKey {
	return scriptKey{scope.module.file, node.Start(), node.Kind()}
}

// load parses a module and learns its names.
func (s *scripts) load(file string) *script {
	if known, seen := s.modules[file]; seen {
		return known
	}
	tree := s.files.tree(s.ctx, file, scriptLanguage(languageOf(file)))
	if tree == nil {
		s.modules[file] = nil
		return nil
	}
	made := &script{file: file, tree: tree, exports: map[string]scriptName{}}
	made.scope = &scriptScope{module: made, names: map[string]scriptName{}}
	s.modules[file] = made
	s.declare(tree.Root(), made.scope, 0)
	return made
}

func scriptLanguage(of kind) syntax.Language {
	if of == typedScriptFile {
		return syntax.TypeScript
	}
	return syntax.JavaScript
}

var scriptEnds = []string{"", ".ts", ".js", ".mjs", ".cjs", ".jsx", ".mts", ".cts", "/index.ts", "/index.js", "/index.mjs", "/index.cjs"}

// imported is what a module name gives: a module of the workspace, or a library.
func (s *scripts) imported(from *script, name string) scriptValue {
	file, isLibrary := s.files.script(name, from.file)
	if isLibrary {
		return scriptValue{external: name}
	}
	if file == "" {
		return scriptValue{}
	}
	return scriptValue{module: s.load(file)}
}

// script is the file that a module name means in another; "" where there is
// none, and true where it is a library's.
func (f *files) script(name, from string) (string, bool) {
	if strings.HasPrefix(name, ".") {
		return f.scriptAt(path.Join(path.Dir(from), name), from), false
	}
	short, aliased := cutAlias(name)
	if !aliased {
		return "", true
	}
	for folder := folderOf(from); ; folder = folderOf(folder) {
		for _, base := range []string{path.Join(folder, "src", short), path.Join(folder, short)} {
			if found := f.scriptAt(base, from); found != "" {
				return found, false
			}
		}
		if folder == "" {
			return "", false
		}
	}
}

// cutAlias cuts what usually stands for the folder of the sources.
func cutAlias(name string) (string, bool) {
	for _, alias := range []string{"@/", "~/", "src/", "@src/", "#/", "@app/"} {
		if short, found := strings.CutPrefix(name, alias); found {
			return short, true
		}
	}
	return "", false
}

// scriptAt is the module of a path, which may lack its end or have the one that
// it is compiled to.
func (f *files) scriptAt(at, from string) string {
	ends := slices.Clone(scriptEnds)
	if languageOf(from) == scriptFile {
		slices.SortStableFunc(ends, func(a, b string) int { return strings.Count(a, "ts") - strings.Count(b, "ts") })
	}
	bases := []string{at}
	if languageOf(at) == scriptFile {
		bases = append(bases, strings.TrimSuffix(at, path.Ext(at)))
	}
	for _, base := range bases {
		for _, end := range ends {
			if f.has(base+end) && isScript(base+end) {
				return base + end
			}
		}
	}
	return ""
}

var (
	importsName = regexp.MustCompile(`(?:\bfrom|\bimport|\brequire\s*\(|\bimport\s*\()\s*['"` + "`" + `]([^'"` + "`" + `\n]+)['"` + "`" + `]\s*([)+]?)`)
	importsAny  = regexp.MustCompile(`(?:\brequire|\bimport)\s*\(\s*[^'"` + "`" + `\s)]|readdir|\bglob|autoload`)
)

// reached are the scripts that an application is made of: those that it begins
// with, and what they import. Where a module is imported by a name that is made
// up, all of the package may be.
func (f *files) reached(names []string) []string {
	begin := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !f.start.begins(name) })
	seen := reachable(begin, func(name string) []string { return f.imported(name, names) })
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !seen[name] })
}

// imported are the scripts that one imports, or may import.
func (f *files) imported(name string, names []string) []string {
	var found []string
	source := f.read(name)
	isOpen := importsAny.Match(source)
	for _, one := range importsName.FindAllSubmatch(source, mostItems) {
		isOpen = isOpen || string(one[2]) == "+" || strings.Contains(string(one[1]), "${")
		if file, _ := f.script(string(one[1]), name); file != "" {
			found = append(found, file)
		}
	}
	if !isOpen {
		return found
	}
	folder := f.packageOf(name)
	for _, other := range names {
		if isBelow(other, folder) {
			found = append(found, other)
		}
	}
	return found
}

// packageOf is the folder of the package.json that a script belongs to.
func (f *files) packageOf(name string) string {
	for folder := folderOf(name); ; folder = folderOf(folder) {
		if folder == "" || len(f.read(path.Join(folder, "package.json"))) > 0 {
			return folder
		}
	}
}

var functionKinds = []string{"function_declaration", "function_expression", "arrow_function", "method_definition",
	"generator_function_declaration", "generator_function", "function"}

func isFunction(node syntax.Node) bool { return slices.Contains(functionKinds, node.Kind()) }

// isBlock reports whether a node has names of its own that are not those of a
// function.
func isBlock(node syntax.Node) bool {
	return slices.Contains([]string{"statement_block", "for_in_statement", "for_statement", "switch_body", "catch_clause"}, node.Kind())
}

// block is the scope of a block.
func (s *scripts) block(node syntax.Node, scope *scriptScope) *scriptScope {
	key := s.key(node, scope)
	if s.blocks[key] == nil {
		s.blocks[key] = map[string]scriptName{}
	}
	return &scriptScope{module: scope.module, parent: scope, names: s.blocks[key], isBlock: true}
}

func isClass(node syntax.Node) bool {
	return node.Kind() == "class_declaration" || node.Kind() == "class" || node.Kind() == "abstract_class_declaration"
}

// declare learns the names of a scope, not those of the functions in it.
func (s *scripts) declare(node syntax.Node, scope *scriptScope, depth int) {
	if depth > mostDepth || !s.step() {
		return
	}
	switch kind := node.Kind(); {
	case isFunction(node) || isClass(node):
		if name := node.Field("name").Text(); name != "" && kind != "method_definition" {
			scope.names[name] = scriptName{from: node, scope: scope}
		}
		return
	case isBlock(node):
		scope = s.block(node, scope)
		for _, field := range []string{"left", "parameter"} {
			if kind != "for_statement" {
				s.hide(node.Field(field), scope)
			}
		}
	case kind == "variable_declaration": // var is the function's
		for scope.isBlock {
			scope = scope.parent
		}
	case kind == "variable_declarator":
		s.bind(node.Field("name"), node.Field("value"), scope)
	case kind == "import_statement":
		s.importNames(node, scope)
		return
	case kind == "export_statement":
		s.export(node, scope)
	case kind == "assignment_expression":
		s.assign(node, scope)
	}
	for child := range node.Children() {
		s.declare(child, scope, depth+1)
	}
}

// bind gives a name, or the names of a pattern, a value.
func (s *scripts) bind(pattern, value syntax.Node, scope *scriptScope) {
	if pattern.Kind() == "identifier" {
		scope.names[pattern.Text()] = scriptName{from: value, scope: scope}
		return
	}
	s.hide(pattern, scope)
	if pattern.Kind() != "object_pattern" {
		return
	}
	for child := range pattern.Children() {
		switch child.Kind() {
		case "shorthand_property_identifier_pattern":
			scope.names[child.Text()] = scriptName{from: value, scope: scope, member: child.Text()}
		case "pair_pattern":
			scope.names[child.Field("value").Text()] = scriptName{from: value, scope: scope, member: child.Field("key").Text()}
		}
	}
}

// hide says that the names of a pattern are no longer what they are outside.
func (s *scripts) hide(pattern syntax.Node, scope *scriptScope) {
	for node := range pattern.All() {
		if kind := node.Kind(); kind == "identifier" || kind == "shorthand_property_identifier_pattern" {
			scope.names[node.Text()] = scriptName{}
		}
	}
}

func (s *scripts) importNames(node syntax.Node, scope *scriptScope) {
	name, known := plainString(node.Field("source"))
	if !known {
		return
	}
	found := s.imported(scope.module, name)
	for part := range node.Child("import_clause").Children() {
		switch part.Kind() {
		case "identifier":
			scope.names[part.Text()] = scriptName{value: &found, scope: scope, member: "default"}
		case "namespace_import":
			scope.names[part.Child("identifier").Text()] = scriptName{value: &found, scope: scope}
		case "named_imports":
			for one := range part.Children() {
				own := one.Field("name").Text()
				local := own
				if alias := one.Field("alias"); !alias.IsZero() {
					local = alias.Text()
				}
				scope.names[local] = scriptName{value: &found, scope: scope, member: own}
			}
		}
	}
}

func (s *scripts) export(node syntax.Node, scope *scriptScope) {
	exports := scope.module.exports
	from := (*scriptValue)(nil)
	if name, known := plainString(node.Field("source")); known {
		found := s.imported(scope.module, name)
		from = &found
	}
	if value := node.Field("value"); !value.IsZero() {
		exports["default"] = scriptName{from: value, scope: scope}
	}
	if declared := node.Field("declaration"); isFunction(declared) || isClass(declared) {
		name := declared.Field("name").Text()
		exports[name] = scriptName{from: declared, scope: scope}
		if strings.HasPrefix(node.Text(), "export default") {
			exports["default"] = exports[name]
		}
	} else {
		for one := range declared.Children() {
			if name := one.Field("name"); name.Kind() == "identifier" {
				exports[name.Text()] = scriptName{from: one.Field("value"), scope: scope}
			}
		}
	}
	for one := range node.Child("export_clause").Children() {
		name, alias := one.Field("name"), one.Field("alias").Text()
		if alias == "" {
			alias = name.Text()
		}
		exports[alias] = scriptName{from: name, scope: scope}
		if from != nil {
			exports[alias] = scriptName{value: from, scope: scope, member: name.Text()}
		}
	}
	if from != nil && from.module != nil && node.Child("export_clause").IsZero() {
		scope.module.all = append(scope.module.all, from.module)
	}
}

// assign learns "module.exports = x", "exports.x = y" and "x = y".
func (s *scripts) assign(node syntax.Node, scope *scriptScope) {
	left, right := node.Field("left"), node.Field("right")
	if left.Kind() == "identifier" {
		scope.set(left.Text(), scriptName{from: right, scope: scope})
		return
	}
	of, name := left.Field("object").Text(), left.Field("property").Text()
	for right.Kind() == "assignment_expression" { // exports = module.exports = x
		right = right.Field("right")
	}
	switch {
	case of == "module" && name == "exports":
		scope.module.exports[""] = scriptName{from: right, scope: scope}
	case of == "exports" || of == "module.exports":
		scope.module.exports[name] = scriptName{from: right, scope: scope}
	}
}

// set gives a name a value where it is declared. One that had a value has none
// that is known from then on.
func (s *scriptScope) set(name string, given scriptName) {
	for at := s; at != nil; at = at.parent {
		earlier, known := at.names[name]
		if !known {
			continue
		}
		switch isNothing := slices.Contains([]string{"", "null", "undefined"}, earlier.from.Kind()); {
		case earlier.from == given.from:
		case earlier.changes || !isNothing || earlier.value != nil:
			at.names[name] = scriptName{changes: true}
		default:
			at.names[name] = given
		}
		return
	}
	s.names[name] = given
}

func (s *scriptScope) find(name string) (scriptName, bool) {
	for at := s; at != nil; at = at.parent {
		if found, known := at.names[name]; known {
			return found, true
		}
	}
	return scriptName{}, false
}

// plainString is a string without escapes and holes.
func plainString(node syntax.Node) (string, bool) {
	if node.Kind() != "string" && node.Kind() != "template_string" {
		return "", false
	}
	made := ""
	for child := range node.Children() {
		if child.Kind() != "string_fragment" {
			return "", false
		}
		made += child.Text()
	}
	return made, isPlain(made) && len(made) <= longestText
}

// text is a string that the source tells, with unknownPart for what it does not.
func (s *scripts) text(node syntax.Node, scope *scriptScope, depth int) string {
	if depth > mostNesting || !s.step() {
		return unknownPart
	}
	if plain, known := plainString(node); known {
		return plain
	}
	made := unknownPart
	switch node.Kind() {
	case "template_string":
		made = ""
		for child := range node.Children() {
			switch child.Kind() {
			case "string_fragment":
				made += child.Text()
			case "template_substitution":
				for inner := range child.Children() {
					made += s.text(inner, scope, depth+1)
				}
			default:
				made += unknownPart
			}
			if len(made) > longestText {
				return unknownPart
			}
		}
	case "binary_expression":
		if node.Field("operator").Text() == "+" {
			made = s.text(node.Field("left"), scope, depth+1) + s.text(node.Field("right"), scope, depth+1)
		}
	case "identifier", "member_expression":
		if found := s.eval(node, scope, depth+1); !found.node.IsZero() && !isFunction(found.node) && !isClass(found.node) && found.node.Kind() != "object" {
			return s.text(found.node, found.scope, depth+1)
		}
	}
	if len(made) > longestText {
		return unknownPart
	}
	return made
}

// eval is what an expression gives.
func (s *scripts) eval(node syntax.Node, scope *scriptScope, depth int) scriptValue {
	if depth > mostNesting || node.IsZero() || !s.step() {
		return scriptValue{}
	}
	switch kind := node.Kind(); kind {
	case "parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression", "await_expression":
		for child := range node.Children() {
			return s.eval(child, scope, depth+1)
		}
	case "assignment_expression":
		return s.eval(node.Field("right"), scope, depth+1)
	case "this":
		for at := scope; at != nil; at = at.parent {
			if at.class != nil {
				return *at.class
			}
		}
	case "identifier", "shorthand_property_identifier":
		if found, known := scope.find(node.Text()); known {
			return s.given(found, depth+1)
		}
	case "member_expression":
		return s.member(s.eval(node.Field("object"), scope, depth+1), node.Field("property").Text(), depth+1)
	case "call_expression":
		return s.called(node, scope, depth+1)
	case "new_expression":
		made := s.eval(node.Field("constructor"), scope, depth+1)
		if made.external != "" {
			return s.library(made.external, node, scope)
		}
		return made
	default:
		return scriptValue{node: node, scope: scope}
	}
	return scriptValue{}
}

func (s *scripts) given(name scriptName, depth int) scriptValue {
	found := scriptValue{}
	if name.value != nil {
		found = *name.value
	} else {
		found = s.eval(name.from, name.scope, depth+1)
	}
	if name.member != "" {
		return s.member(found, name.member, depth+1)
	}
	return found
}

// member is a member of a module, an object, or a class.
func (s *scripts) member(of scriptValue, name string, depth int) scriptValue {
	switch {
	case depth > mostNesting || !s.step():
		return scriptValue{}
	case of.external != "" && name == "default":
		return of
	case of.external != "":
		return scriptValue{external: of.external + "." + name}
	case of.module != nil:
		return s.exported(of.module, name, depth+1)
	case of.node.Kind() == "object":
		for child := range of.node.Children() {
			switch {
			case child.Kind() == "shorthand_property_identifier" && child.Text() == name:
				return s.eval(child, of.scope, depth+1)
			case child.Kind() == "pair" && child.Field("key").Text() == name:
				return s.eval(child.Field("value"), of.scope, depth+1)
			case child.Kind() == "method_definition" && child.Field("name").Text() == name:
				return scriptValue{node: child, scope: of.scope}
			}
		}
	case isClass(of.node):
		return s.classMember(of, name, depth+1)
	}
	return scriptValue{}
}

func (s *scripts) classMember(of scriptValue, name string, depth int) scriptValue {
	inside := &scriptScope{module: of.scope.module, parent: of.scope, names: map[string]scriptName{}, class: &of}
	for child := range of.node.Field("body").Children() {
		field := child.Field("name").Text()
		if field == "" {
			field = child.Field("property").Text()
		}
		if field != name {
			continue
		}
		if child.Kind() == "method_definition" {
			return scriptValue{node: child, scope: inside}
		}
		if value := child.Field("value"); !value.IsZero() {
			if found := s.eval(value, inside, depth+1); found.router == nil {
				return found
			}
		}
	}
	key := s.key(of.node, of.scope)
	key.kind = name
	return scriptValue{router: s.heldBy(key)}
}

func (s *scripts) heldBy(key scriptKey) *router {
	if s.held[key] == nil {
		s.held[key] = s.router(false)
	}
	return s.held[key]
}

func (s *scripts) router(made bool) *router {
	one := &router{made: made, dialect: express}
	s.routers = append(s.routers, one)
	return one
}

// exported is what a module exports by a name.
func (s *scripts) exported(of *script, name string, depth int) scriptValue {
	if depth > mostNesting || of == nil {
		return scriptValue{}
	}
	if found, known := of.exports[name]; known {
		return s.given(found, depth+1)
	}
	if whole, known := of.exports[""]; known {
		if name == "default" {
			return s.given(whole, depth+1)
		}
		return s.member(s.given(whole, depth+1), name, depth+1)
	}
	for _, other := range of.all[:min(len(of.all), mostRouters)] {
		if found := s.exported(other, name, depth+1); found != (scriptValue{}) {
			return found
		}
	}
	if name == "default" {
		return scriptValue{module: of} // what a compiler makes of "import x"
	}
	return scriptValue{}
}

// function is a function that is known, with its parameters and its result.
func (s *scripts) function(of scriptValue) *scriptFunction {
	if isClass(of.node) {
		of = s.member(of, "constructor", 0)
	}
	if !isFunction(of.node) || of.scope == nil {
		return nil
	}
	key := s.key(of.node, of.scope)
	if known := s.functions[key]; known != nil {
		return known
	}
	made := &scriptFunction{node: of.node, callers: map[scriptKey]bool{}}
	made.scope = &scriptScope{module: of.scope.module, parent: of.scope, names: map[string]scriptName{}, in: made}
	s.functions[key] = made
	s.hide(of.node.Field("parameters"), made.scope)
	for _, name := range parameterNames(of.node) {
		slot := s.router(false)
		made.parameters = append(made.parameters, slot)
		if name != "" {
			made.scope.names[name] = scriptName{value: &scriptValue{router: slot}, scope: made.scope}
		}
	}
	made.result = s.router(false)
	body := of.node.Field("body")
	if body.Kind() != "statement_block" {
		s.declare(body, made.scope, 0)
	}
	for child := range body.Children() {
		s.declare(child, made.scope, 0)
	}
	return made
}

// parameterNames are in order, "" for a pattern.
func parameterNames(function syntax.Node) []string {
	if alone := function.Field("parameter"); !alone.IsZero() {
		return []string{alone.Text()}
	}
	var names []string
	for one := range function.Field("parameters").Children() {
		if pattern := one.Field("pattern"); !pattern.IsZero() {
			one = pattern
		}
		switch one.Kind() {
		case "comment":
		case "identifier":
			names = append(names, one.Text())
		default:
			names = append(names, one.Field("left").Text())
		}
	}
	return names
}
