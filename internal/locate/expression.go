package locate

import (
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// eval gives what an expression is known to be, and writes down what it does.
func (p *python) eval(node syntax.Node, s *scope, depth int) value {
	if node.IsZero() || depth > mostDepth || !p.step() {
		return nil
	}
	depth++
	switch node.Kind() {
	case "identifier":
		found := s.find(node.Text())
		if found == nil && p.assumes && !s.knows(node.Text()) {
			return assumed(node.Text())
		}
		return found
	case "string":
		return p.literal(node, s, depth)
	case "concatenated_string":
		var made strings.Builder
		var parts list
		for child := range node.Children() {
			v := p.eval(child, s, depth)
			parts = append(parts, v)
			made.WriteString(textOf(v))
		}
		return sentIn(parts, made.String())
	case "call":
		return p.call(node, s, depth)
	case "attribute":
		p.at = Place{s.module.file, node.Line()}
		return p.member(p.eval(node.Field("object"), s, depth), node.Field("attribute").Text())
	case "assignment", "named_expression":
		return p.assignment(node, s, depth)
	case "augmented_assignment":
		target := node.Field("left")
		p.assign(target, add(p.eval(target, s, depth), p.eval(node.Field("right"), s, depth)), s)
		return nil
	case "binary_operator":
		left, right := p.eval(node.Field("left"), s, depth), p.eval(node.Field("right"), s, depth)
		switch node.Field("operator").Text() {
		case "+":
			return add(left, right)
		case "|":
			return either(left, right)
		case "%":
			return filled(left, percent, arguments{positional: listed(right)})
		}
		return nil
	case "comparison_operator", "not_operator", "unary_operator", "yield":
		for child := range node.Children() {
			p.eval(child, s, depth)
		}
		return nil
	case "true", "false":
		return truth(node.Kind() == "true")
	case "boolean_operator":
		return either(p.eval(node.Field("left"), s, depth), p.eval(node.Field("right"), s, depth))
	case "conditional_expression":
		var sides []value
		for child := range node.Children() {
			sides = append(sides, p.eval(child, s, depth))
		}
		if len(sides) == 3 {
			return either(sides[0], sides[2])
		}
		return nil
	case "list", "tuple", "set", "expression_list":
		return p.items(node, s, depth)
	case "dictionary":
		return p.members(node, s, depth)
	case "subscript":
		return p.subscript(node, s, depth)
	case "generic_type":
		return p.generic(node, s, depth)
	case "type":
		for child := range node.Children() {
			return p.eval(child, s, depth)
		}
		return nil
	case "lambda":
		return &function{node: node, module: s.module, scope: s}
	case "parenthesized_expression", "await", "as_pattern":
		for child := range node.Children() {
			v := p.eval(child, s, depth)
			p.assign(node.Field("alias").Child("identifier"), v, s)
			return v
		}
	}
	return nil
}

func (p *python) assignment(node syntax.Node, s *scope, depth int) value {
	target, right := node.Field("left"), node.Field("right")
	if node.Kind() == "named_expression" {
		target, right = node.Field("name"), node.Field("value")
	}
	if right.IsZero() {
		return nil // an annotation alone
	}
	v := p.eval(right, s, depth)
	p.assign(target, v, s)
	return v
}

// literal reads a string with its interpolations.
func (p *python) literal(node syntax.Node, s *scope, depth int) value {
	var made strings.Builder
	var parts list
	raw := strings.ContainsAny(node.Child("string_start").Text(), "rR")
	for child := range node.Children() {
		switch child.Kind() {
		case "string_content":
			if raw {
				made.WriteString(strings.ReplaceAll(child.Text(), unknownPart, ""))
			} else {
				made.WriteString(plain(child.Text()))
			}
		case "interpolation":
			v := p.eval(child.Field("expression"), s, depth)
			if !child.Field("format_specifier").IsZero() || !child.Field("type_conversion").IsZero() {
				v = reformed(v)
			}
			parts = append(parts, v)
			made.WriteString(textOf(v))
		}
	}
	if made.Len() > longestText {
		return text(unknownPart)
	}
	return sentIn(parts, made.String())
}

// longestText bounds what is kept of a string.
const longestText = 4096

func add(left, right value) value {
	if a, ok := left.(list); ok {
		b, _ := right.(list)
		if len(a)+len(b) <= mostEntries {
			return slices.Concat(a, b)
		}
		return a
	}
	if joined := joinSent(left, right); joined != nil {
		return joined
	}
	a, left1 := left.(text)
	b, right1 := right.(text)
	if !left1 && !right1 {
		return either(left, right)
	}
	if !left1 {
		a = unknownPart
	}
	if !right1 {
		b = unknownPart
	}
	if len(a)+len(b) > longestText {
		return text(unknownPart)
	}
	return a + b
}

// mostEntries bounds a list.
const mostEntries = 10_000

// either is one of two: when both are texts and differ, it is not known which.
func either(left, right value) value {
	if a, ok := left.(*sentValue); ok {
		return a.or(right)
	}
	if b, ok := right.(*sentValue); ok {
		return b.or(left)
	}
	if a, ok := left.(*function); ok {
		if b, both := right.(*function); both && a.node != b.node {
			return nil
		}
	}
	a, isText := left.(text)
	b, both := right.(text)
	switch {
	case isText && both && a != b:
		return text(unknownPart)
	case left != nil:
		return left
	}
	return right
}

func (p *python) items(node syntax.Node, s *scope, depth int) value {
	made := list{}
	for child := range node.Children() {
		if len(made) >= mostEntries {
			break
		}
		switch child.Kind() {
		case "comment":
		case "list_splat":
			for inner := range child.Children() {
				more, _ := p.eval(inner, s, depth).(list)
				made = append(made, more...)
			}
		default:
			made = append(made, p.eval(child, s, depth))
		}
	}
	return made
}

func (p *python) members(node syntax.Node, s *scope, depth int) value {
	made := dict{}
	for child := range node.Children() {
		switch child.Kind() {
		case "pair":
			v := p.eval(child.Field("value"), s, depth)
			if key, ok := p.eval(child.Field("key"), s, depth).(text); ok {
				made[string(key)] = v
			}
		case "dictionary_splat":
			for inner := range child.Children() {
				more, _ := p.eval(inner, s, depth).(dict)
				for key, v := range more {
					made[key] = v
				}
			}
		}
	}
	return made
}

func (p *python) subscript(node syntax.Node, s *scope, depth int) value {
	of := p.eval(node.Field("value"), s, depth)
	key := p.eval(node.Field("subscript"), s, depth)
	switch whole := of.(type) {
	case dict:
		if name, ok := key.(text); ok {
			return whole[string(name)]
		}
	case list:
		if at := node.Field("subscript").Text(); len(at) == 1 && at[0] >= '0' && int(at[0]-'0') < len(whole) {
			return whole[at[0]-'0']
		}
	case *class:
		return whole // a generic one
	case *sentPart:
		p.at = Place{s.module.file, node.Line()}
		return whole.value(textOf(key), p.at)
	case bodyOf:
		return whole.part().value(textOf(key), Place{s.module.file, node.Line()})
	case *sentValue:
		return whole
	case external:
		if strings.HasSuffix(string(whole), ".Annotated") {
			return p.annotation(node, s, depth)
		}
		return whole
	}
	return nil
}

// annotation is all that stands in Annotated[…].
func (p *python) annotation(node syntax.Node, s *scope, depth int) value {
	var made annotated
	for child := range node.Children() {
		if child.FieldName() == "subscript" && len(made) < mostItems {
			made = append(made, p.eval(child, s, depth))
		}
	}
	return made
}

// generic is a type with others in brackets: Annotated has them all, and
// Optional is what it is around.
func (p *python) generic(node syntax.Node, s *scope, depth int) value {
	var made annotated
	var of value
	for child := range node.Children() {
		if child.Kind() != "type_parameter" {
			of = p.eval(child, s, depth)
			continue
		}
		for inner := range child.Children() {
			if len(made) < mostItems {
				made = append(made, p.eval(inner, s, depth))
			}
		}
	}
	whole, known := of.(external)
	switch {
	case known && strings.HasSuffix(string(whole), ".Annotated"):
		return made
	case known && strings.HasSuffix(string(whole), ".Optional") && len(made) > 0:
		return made[0]
	}
	return of
}

// member is the attribute of a value.
func (p *python) member(of value, name string) value {
	switch whole := of.(type) {
	case *module:
		if found, known := whole.scope.names[name]; known && found != nil {
			return found
		}
		if sub := p.submodule(whole, name); sub != nil {
			return sub
		}
	case external:
		if whole == "flask" && name == "request" {
			return wholeRequest{}
		}
		if len(whole)+len(name) < longestText {
			return whole + "." + external(name)
		}
	case *class:
		return whole.member(name)
	case *instance:
		return p.attribute(whole, name)
	case *sentPart:
		return whole.member(name, p.at)
	case wholeRequest:
		return whole.member(name)
	case bodyOf:
		return whole.part().member(name, p.at)
	case *sentValue:
		return through{whole, name}
	case text:
		if name == "format" {
			return format{whole}
		}
	case *event, bound:
		return nil
	}
	return nil
}

func (p *python) attribute(of *instance, name string) value {
	if found, known := of.attributes[name]; known {
		return found
	}
	if of.class != nil {
		switch found := of.class.member(name).(type) {
		case nil:
		case *function:
			return method{of, found}
		default:
			return found
		}
	}
	if name == "router" && isServer(of.of) {
		return of // its routes are the application's own
	}
	return bound{of, name}
}

func (p *python) call(node syntax.Node, s *scope, depth int) value {
	function := node.Field("function")
	callee := p.eval(function, s, depth)
	given := p.arguments(node.Field("arguments"), s, depth)
	p.at = Place{s.module.file, node.Line()}
	p.note(p.deed(function, callee, given, s))
	if callee == nil {
		return passed(function, given)
	}
	return p.apply(callee, given, point{s, node.Start(), node.Line()})
}

func (p *python) arguments(node syntax.Node, s *scope, depth int) arguments {
	made := arguments{named: map[string]value{}}
	if node.Kind() == "generator_expression" {
		return made
	}
	for child := range node.Children() {
		switch child.Kind() {
		case "comment":
		case "keyword_argument":
			made.named[child.Field("name").Text()] = p.eval(child.Field("value"), s, depth)
		case "list_splat":
			for inner := range child.Children() {
				more, _ := p.eval(inner, s, depth).(list)
				made.positional = append(made.positional, more...)
			}
		case "dictionary_splat":
			for inner := range child.Children() {
				more, known := p.eval(inner, s, depth).(dict)
				for name, v := range more {
					made.named[name] = v
				}
				if !known {
					made.named[unknownMembers] = nil
				}
			}
		default:
			made.positional = append(made.positional, p.eval(child, s, depth))
		}
	}
	return made
}

// apply calls a value.
func (p *python) apply(callee value, given arguments, at point) value {
	switch called := callee.(type) {
	case *function:
		return undecorated(p.run(called, nil, given, at.scope.depth+1), given)
	case method:
		return p.run(called.call, called.self, given, at.scope.depth+1)
	case *class:
		return p.instantiate(called, given, at)
	case format:
		return filled(called.of, braced, given)
	case external:
		if v := transparent(called, given); v != nil {
			return v
		}
		if slices.Contains(inThread, called) && len(given.positional) > 0 {
			return p.apply(given.positional[0], arguments{given.positional[1:], given.named}, at)
		}
		return p.make(called, nil, given, at)
	case through:
		return called.call(given)
	case reading:
		return called.of
	case bodyOf:
		return called.part()
	case getter:
		return called.of.value(given.path("key", 0), p.at)
	case bound:
		if called.self.of == "functools.partial" { // no method of it matters
			return nil
		}
		done := &event{name: called.name, arguments: given, at: at}
		called.self.events = append(called.self.events, done)
		return done
	case *event:
		if len(given.positional) == 1 {
			called.decorate(given.positional[0])
			return given.positional[0]
		}
	}
	return nil
}

// undecorated is the function itself where calling another with it gave one
// that stands around it.
func undecorated(result value, given arguments) value {
	if _, ok := result.(*function); ok && len(given.positional) == 1 {
		if inner, ok := given.positional[0].(*function); ok {
			return inner
		}
	}
	return result
}

func (p *python) make(of external, from *class, given arguments, at point) *instance {
	made := &instance{of: of, class: from, arguments: given, attributes: map[string]value{}, at: at}
	p.made = append(p.made, made)
	return made
}

func (p *python) instantiate(of *class, given arguments, at point) value {
	made := p.make(of.library(), of, given, at)
	if constructor, ok := of.member("__init__").(*function); ok {
		p.run(constructor, made, given, at.scope.depth+1)
	}
	return made
}

// run calls a function of the workspace.
func (p *python) run(f *function, self value, given arguments, depth int) value {
	if depth > mostCalls || slices.ContainsFunc(p.stack, func(running *function) bool { return running.node == f.node }) || !p.step() {
		return nil
	}
	p.stack = append(p.stack, f)
	was := p.at
	defer func() { p.stack, p.at = p.stack[:len(p.stack)-1], was }()
	inner := &scope{module: f.module, parent: f.scope, names: map[string]value{}, depth: depth}
	if self != nil {
		given.positional = append([]value{self}, given.positional...)
	}
	p.bind(f.node.Field("parameters"), given, inner, f.scope)
	body := f.node.Field("body")
	if f.node.Kind() == "lambda" {
		return p.eval(body, inner, 0)
	}
	p.block(body, inner)
	var result value
	for _, one := range inner.returned {
		result = either(result, one)
	}
	return result
}

func (p *python) bind(parameters syntax.Node, given arguments, inner, outer *scope) {
	at := 0
	for parameter := range parameters.Children() {
		name, fallback := parameter.Field("name").Text(), parameter.Field("value")
		switch parameter.Kind() {
		case "identifier":
			name = parameter.Text()
		case "typed_parameter":
			name = parameter.Child("identifier").Text()
		case "list_splat_pattern":
			inner.names[parameter.Child("identifier").Text()] = list(given.positional[min(at, len(given.positional)):])
			at = len(given.positional)
			continue
		case "dictionary_splat_pattern":
			inner.names[parameter.Child("identifier").Text()] = dict(given.named)
			continue
		}
		if name == "" {
			continue
		}
		switch v, named := given.named[name]; {
		case named:
			inner.names[name] = handed(v, name, inner, parameter)
		case at < len(given.positional):
			inner.names[name] = handed(given.positional[at], name, inner, parameter)
		default:
			inner.names[name] = p.eval(fallback, outer, 0)
		}
		at++
	}
}

// handed is a value that a function of the workspace is given.
func handed(v value, name string, to *scope, parameter syntax.Node) value {
	given, ok := v.(*sentValue)
	at := Place{to.module.file, parameter.Line()}
	if !ok || slices.ContainsFunc(given.origins, func(o origin) bool { return o.at == at }) {
		return v
	}
	return given.with(Step{at, "handed on as " + shown(name)})
}

// same reports whether two values are one: lists and dicts are told apart only
// from other kinds.
func same(a, b value) bool {
	switch a.(type) {
	case list, dict, annotated, arguments, method:
		return false
	}
	switch b.(type) {
	case list, dict, annotated, arguments, method:
		return false
	}
	return a == b
}
