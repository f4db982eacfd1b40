package locate

import (
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// setters are the lines that set cookies in a handler and in what it calls.
func (s *scripts) setters(handler scriptValue) []setter {
	key := s.key(handler.node, handler.scope)
	if known, seen := s.setting[key]; seen {
		return known
	}
	search := scriptCookies{scripts: s}
	search.follow(s.function(handler), nil, nil, 0)
	s.setting[key] = search.found
	return search.found
}

type scriptCookies struct {
	*scripts
	found []setter
	seen  []*scriptFunction
}

// follow reads a function, with what it is given.
func (c *scriptCookies) follow(function *scriptFunction, given []syntax.Node, from *scriptScope, depth int) {
	if function == nil || depth > mostFollowed || slices.Contains(c.seen, function) {
		return
	}
	c.seen = append(c.seen, function)
	defer func() { c.seen = c.seen[:len(c.seen)-1] }()
	scope := &scriptScope{module: function.scope.module, parent: function.scope, names: map[string]scriptName{}}
	for i, name := range parameterNames(function.node) {
		if i < len(given) && name != "" {
			scope.names[name] = scriptName{from: given[i], scope: from}
		}
	}
	body := function.node.Field("body")
	if body.Kind() != "statement_block" {
		c.read(body, scope, depth, 0)
	}
	for child := range body.Children() {
		c.read(child, scope, depth, 0)
	}
}

func (c *scriptCookies) read(node syntax.Node, scope *scriptScope, depth, nesting int) {
	if nesting > mostDepth || !c.step() {
		return
	}
	if isBlock(node) {
		scope = c.block(node, scope)
	}
	if node.Kind() == "call_expression" && !c.sets(node, scope) {
		c.follow(c.function(c.eval(node.Field("function"), scope, 0)), argumentsOf(node), scope, depth+1)
	}
	for child := range node.Children() {
		c.read(child, scope, depth, nesting+1)
	}
}

// sets notes a call that sets a cookie.
func (c *scriptCookies) sets(node syntax.Node, scope *scriptScope) bool {
	callee, given := node.Field("function"), argumentsOf(node)
	if callee.Kind() != "member_expression" || len(given) < 2 {
		return false
	}
	name := ""
	switch callee.Field("property").Text() {
	case "cookie":
		name = c.text(given[0], scope, 0)
	case "setHeader", "append", "header", "set", "appendHeader":
		if !strings.EqualFold(c.text(given[0], scope, 0), "set-cookie") {
			return false
		}
		name = c.line(given[1], scope)
	default:
		return false
	}
	if name != "" && !strings.Contains(name, unknownPart) && len(c.found) < mostItems {
		c.found = append(c.found, setter{name, Place{scope.module.file, callee.Field("property").Line()}})
	}
	return true
}

// line is the name in a Set-Cookie line, or what cookie.serialize is given.
func (c *scriptCookies) line(node syntax.Node, scope *scriptScope) string {
	if node.Kind() == "call_expression" && strings.HasSuffix(node.Field("function").Text(), "serialize") {
		if given := argumentsOf(node); len(given) > 0 {
			return c.text(given[0], scope, 0)
		}
	}
	name, _, has := strings.Cut(c.text(node, scope, 0), "=")
	if !has {
		return unknownPart
	}
	return name
}
