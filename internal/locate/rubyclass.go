package locate

import (
	"context"
	"path"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// rubyCode is the Ruby of one application.
type rubyCode struct {
	ctx        context.Context
	files      *files
	autoloaded map[string][]string     // files by the constants that they are to define
	defined    map[string][]*rubyClass // what a file defines
	classes    map[string]*rubyClass
	owned      map[ownMethod]ownMethods
	patched    map[string]bool // classes that other files change
	steps      int
}

func newRubyCode(ctx context.Context, files *files) *rubyCode {
	return &rubyCode{ctx: ctx, files: files, autoloaded: map[string][]string{}, defined: map[string][]*rubyClass{},
		classes: map[string]*rubyClass{}, owned: map[ownMethod]ownMethods{}, patched: map[string]bool{}}
}

// rubyClass is a class or a module, with all its definitions that are known.
type rubyClass struct {
	name  string // folded
	parts []rubyPart
	above []*rubyClass // what its methods are looked up in, itself among it; nil is what is not known
}

// rubyPart is one definition.
type rubyPart struct {
	file    string
	node    syntax.Node
	body    syntax.Node
	nesting []string // the names around it, itself included, the innermost first
}

// rubyMethod is a definition of a method.
type rubyMethod struct {
	file   string
	node   syntax.Node // the method, or the call of define_method
	name   syntax.Node
	body   syntax.Node
	hidden bool // private or protected
}

func (m rubyMethod) place() Place { return Place{m.file, m.name.Line()} }

const mostRubySteps = 20_000_000

func (a *rubyCode) step() bool {
	a.steps++
	return a.steps < mostRubySteps && (a.steps%1024 != 0 || a.ctx.Err() == nil)
}

// class is the class of a whole folded name, from the files that are to have it.
func (a *rubyCode) class(name string) *rubyClass {
	if known, seen := a.classes[name]; seen {
		return known
	}
	var made *rubyClass
	for _, file := range a.autoloaded[name] {
		for _, one := range a.definitions(file) {
			if one.name != name {
				continue
			}
			if made == nil {
				made = &rubyClass{name: name}
			}
			made.parts = append(made.parts, one.parts...)
		}
	}
	a.classes[name] = made
	return made
}

// definitions are the classes and modules of a file.
func (a *rubyCode) definitions(file string) []*rubyClass {
	if known, seen := a.defined[file]; seen {
		return known
	}
	a.defined[file] = nil
	if tree := a.files.tree(a.ctx, file, syntax.Ruby); tree != nil {
		a.define(file, tree.Root(), nil, 0)
	}
	return a.defined[file]
}

func (a *rubyCode) define(file string, node syntax.Node, nesting []string, depth int) {
	if depth > mostNesting || !a.step() {
		return
	}
	for child := range node.Children() {
		switch child.Kind() {
		case "class", "module":
			name := folded(child.Field("name").Text())
			if whole, top := strings.CutPrefix(name, "/"); top {
				name = whole
			} else if len(nesting) > 0 {
				name = nesting[0] + "/" + name
			}
			if len(name) > longestText {
				continue
			}
			inner := append([]string{name}, nesting...)
			a.defined[file] = append(a.defined[file], &rubyClass{name: name, parts: []rubyPart{{file, child, child.Field("body"), inner}}})
			a.define(file, child.Field("body"), inner, depth+1)
		case "body_statement", "if", "unless", "then", "else", "begin":
			a.define(file, child, nesting, depth+1)
		}
	}
}

// resolve is what a constant means inside some modules; nil where no file of the
// application has it.
func (a *rubyCode) resolve(constant string, nesting []string) *rubyClass {
	name, top := strings.CutPrefix(folded(constant), "/")
	if !top {
		for _, around := range nesting {
			if found := a.class(around + "/" + name); found != nil {
				return found
			}
		}
	}
	return a.class(name)
}

// frameworks are libraries whose modules have no actions of anybody's.
var frameworks = []string{"ActionController", "ActionView", "ActionDispatch", "ActiveSupport", "AbstractController", "Rails", "Pundit", "CanCan", "Devise"}

// ancestors are the classes and modules in which methods are looked up.
func (a *rubyCode) ancestors(class *rubyClass, depth int) []*rubyClass {
	if class.above != nil {
		return class.above
	}
	class.above = []*rubyClass{class} // one that is made from itself
	if depth > mostRouters {
		return class.above
	}
	var before, included, super []*rubyClass
	for _, part := range class.parts {
		for statement := range a.statements(part.body, 0) {
			switch statement.Field("method").Text() {
			case "include":
				included = append(a.modules(statement, part, depth), included...)
			case "prepend":
				before = append(a.modules(statement, part, depth), before...)
			}
		}
		for constant := range part.node.Field("superclass").Children() {
			super = a.made(constant, part.nesting[1:], depth)
		}
	}
	all := slices.Concat(before, []*rubyClass{class}, included, super)
	if len(all) > mostItems {
		all = append(all[:mostItems], nil)
	}
	class.above = all
	return all
}

// made are the ancestors of a superclass.
func (a *rubyCode) made(constant syntax.Node, nesting []string, depth int) []*rubyClass {
	if found := a.resolve(constant.Text(), nesting); found != nil && isConstant(constant) {
		return a.ancestors(found, depth+1)
	}
	return []*rubyClass{nil}
}

func isConstant(node syntax.Node) bool {
	return node.Kind() == "constant" || node.Kind() == "scope_resolution"
}

func (a *rubyCode) modules(call syntax.Node, part rubyPart, depth int) []*rubyClass {
	var all []*rubyClass
	for _, one := range argumentsOf(call) {
		library, _, _ := strings.Cut(strings.TrimPrefix(one.Text(), "::"), "::")
		found := a.resolve(one.Text(), part.nesting)
		switch {
		case isConstant(one) && found != nil:
			all = append(all, a.ancestors(found, depth+1)...)
		case !isConstant(one) || !slices.Contains(frameworks, library):
			all = append(all, nil)
		}
	}
	return all
}

// statements are those of a body that are run where it stands.
func (a *rubyCode) statements(body syntax.Node, depth int) func(func(syntax.Node) bool) {
	return func(yield func(syntax.Node) bool) { a.visit(body, yield, depth) }
}

func (a *rubyCode) visit(body syntax.Node, yield func(syntax.Node) bool, depth int) bool {
	if depth > mostNesting || !a.step() {
		return true
	}
	for child := range body.Children() {
		on := true
		switch kind := child.Kind(); {
		case slices.Contains([]string{"if", "unless", "then", "else", "elsif", "begin", "if_modifier", "unless_modifier", "body_statement", "block_body"}, kind):
			on = a.visit(child, yield, depth+1)
		case kind == "call" && slices.Contains([]string{"included", "prepended", "concerning", "helpers"}, child.Field("method").Text()):
			inner, _ := rubyBlock(child)
			on = a.visit(inner, yield, depth+1)
		default:
			on = yield(child)
		}
		if !on {
			return false
		}
	}
	return true
}

// own are the definitions of a method in a class; false where there may be
// others that the source does not tell.
func (a *rubyCode) own(class *rubyClass, name string) ([]rubyMethod, bool) {
	key := ownMethod{class, name}
	if known, seen := a.owned[key]; seen {
		return known.found, known.told
	}
	found, told := a.searched(class, name)
	a.owned[key] = ownMethods{found, told}
	return found, told
}

// ownMethod is a method of a class, without those above.
type ownMethod struct {
	class *rubyClass
	name  string
}

type ownMethods struct {
	found []rubyMethod
	told  bool
}

func (a *rubyCode) searched(class *rubyClass, name string) (found []rubyMethod, told bool) {
	if told = !a.patched[class.name]; !told {
		return nil, false
	}
	for _, part := range class.parts {
		search := methodSearch{part: part, name: name, told: true}
		for statement := range a.statements(part.body, 0) {
			search.read(statement, search.hidden)
		}
		found = append(found, search.finished()...)
		told = told && search.told && (!search.hides || len(search.found) > 0)
	}
	return found, told || len(found) > 0
}

// methodSearch looks for a method in the order of a body.
type methodSearch struct {
	part   rubyPart
	name   string
	hidden bool // what follows is private
	hides  bool // the method is made private by its name
	told   bool
	found  []rubyMethod
}

func (s *methodSearch) read(statement syntax.Node, hidden bool) {
	switch statement.Kind() {
	case "method":
		if statement.Field("name").Text() == s.name {
			s.found = append(s.found, rubyMethod{s.part.file, statement, statement.Field("name"), statement.Field("body"), hidden})
		}
	case "identifier":
		switch statement.Text() {
		case "private", "protected":
			s.hidden = true
		case "public":
			s.hidden = false
		}
	case "alias":
		if statement.Field("name").Text() == s.name {
			s.told = false
		}
	case "call":
		s.call(statement)
	}
}

func (s *methodSearch) call(statement syntax.Node) {
	given := argumentsOf(statement)
	switch method := statement.Field("method").Text(); method {
	case "private", "protected", "public":
		for _, one := range given {
			s.visible(one, method != "public")
		}
	case "define_method":
		if len(given) == 0 {
			return
		}
		name := rubyNames(nil).text(given[0], 0)
		if body, _ := rubyBlock(statement); name == s.name {
			s.found = append(s.found, rubyMethod{s.part.file, statement, given[0], body, s.hidden})
		} else if name == unknownPart {
			s.told = false
		}
	case "alias_method", "undef_method", "remove_method":
		s.told = s.told && (len(given) == 0 || rubyNames(nil).text(given[0], 0) != s.name)
	case "class_eval", "module_eval", "instance_eval", "eval", "each", "send", "delegate", "delegate_missing_to":
		s.told = false
	}
}

// visible reads private :a, private def b and private *[:c].
func (s *methodSearch) visible(one syntax.Node, hidden bool) {
	switch {
	case one.Kind() == "method":
		s.read(one, hidden)
	case one.Kind() == "splat_argument":
		s.hides = hidden // it may be among them
	default:
		names, _ := rubyNames(nil).list(one, 0)
		if slices.Contains(names, s.name) {
			s.hides = hidden
		}
	}
}

func (s *methodSearch) finished() []rubyMethod {
	for i := range s.found {
		s.found[i].hidden = s.found[i].hidden || s.hides
	}
	return s.found
}

// methods are the definitions of a method, the nearest first; each group is of
// one class. It ends where what is not known may have it.
func (a *rubyCode) methods(class *rubyClass, name string) [][]rubyMethod {
	var all [][]rubyMethod
	for _, one := range a.ancestors(class, 0) {
		if one == nil || !a.step() {
			break
		}
		found, told := a.own(one, name)
		if len(found) > 0 {
			all = append(all, found)
		}
		if !told {
			break
		}
	}
	return all
}

// action are the methods that answer; a hidden one does not.
func (a *rubyCode) action(class *rubyClass, name string) []rubyMethod {
	if !slices.ContainsFunc(class.parts, func(part rubyPart) bool {
		return strings.HasSuffix(part.file, "_controller.rb") && inControllers(part.file)
	}) {
		return nil
	}
	groups := a.methods(class, name)
	if len(groups) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(groups[0]), func(one rubyMethod) bool { return one.hidden })
}

func inControllers(file string) bool {
	return strings.Contains("/"+path.Dir(file)+"/", "/app/controllers/")
}
