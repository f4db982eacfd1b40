package locate

import (
	"slices"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// djangoCookies looks for what sets cookies in a view and in what it calls.
type djangoCookies struct {
	*django
	found []setter
	seen  []syntax.Node
}

func (c *djangoCookies) follow(view djangoView, given map[string]string, depth int) {
	if depth > mostFollowed || slices.Contains(c.seen, view.node) {
		return
	}
	c.seen = append(c.seen, view.node)
	defer func() { c.seen = c.seen[:len(c.seen)-1] }()
	for node := range view.node.Field("body").All() {
		if !c.step() {
			return
		}
		callee := node.Field("function")
		switch name := callee.Field("attribute").Text(); {
		case node.Kind() == "subscript" && node.FieldName() == "left" && node.Field("value").Field("attribute").Text() == "cookies":
			c.note(view, node.Field("subscript"), node, given)
		case node.Kind() != "call":
		case name == "set_cookie" || name == "set_signed_cookie":
			key := argument(node, "key", 0)
			c.note(view, key, callee.Field("attribute"), given)
		default:
			c.enter(view, node, given, depth)
		}
	}
}

func argument(call syntax.Node, name string, at int) syntax.Node {
	for one := range call.Field("arguments").Children() {
		if one.Kind() == "keyword_argument" && one.Field("name").Text() == name {
			return one.Field("value")
		}
	}
	if given := positional(call); at >= 0 && at < len(given) {
		return given[at]
	}
	return syntax.Node{}
}

func (c *djangoCookies) note(view djangoView, key, at syntax.Node, given map[string]string) {
	if name := c.text(view.in, key, given); name != "" && len(c.found) < mostItems {
		c.found = append(c.found, setter{name, Place{view.in.file, at.Line()}})
	}
}

// text is a string or a constant; "" where the source does not tell it.
func (c *djangoCookies) text(in *djangoModule, node syntax.Node, given map[string]string) string {
	if known, ok := pythonString(node); ok {
		return known
	}
	if passed, ok := given[node.Text()]; ok {
		return passed
	}
	_, value := c.named(in, node, 0)
	known, _ := pythonString(value)
	return known
}

// enter follows a call of a function of the workspace.
func (c *djangoCookies) enter(view djangoView, call syntax.Node, given map[string]string, depth int) {
	called := c.view(view.in, call.Field("function"), 0)
	if called.node.Kind() != "function_definition" {
		return
	}
	passed := map[string]string{}
	at := 0
	for parameter := range called.node.Field("parameters").Children() {
		name := parameter.Field("name").Text()
		switch parameter.Kind() {
		case "identifier":
			name = parameter.Text()
		case "typed_parameter":
			name = parameter.Child("identifier").Text()
		}
		passed[name] = c.text(view.in, argument(call, name, at), given)
		at++
	}
	c.follow(called, passed, depth+1)
}
