package locate

import (
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// rubyCookies looks for what sets cookies in an action, in its callbacks, and in
// the methods of its controller that they call.
type rubyCookies struct {
	*rubyCode
	class  *rubyClass
	action string
	found  []setter
	seen   []syntax.Node
	steps  int
}

// mostCookieSteps are those of one action.
const mostCookieSteps = 100_000

func (c *rubyCookies) step() bool {
	if c.steps++; c.steps == mostCookieSteps {
		c.found = nil // another line may set it as well
	}
	return c.steps < mostCookieSteps && c.rubyCode.step()
}

// callback is what runs around an action.
type callback struct {
	name   string
	inline rubyMethod
}

func (c *rubyCookies) all(action rubyMethod) {
	for _, one := range c.callbacks() {
		if one.name == "" {
			c.follow(one.inline, nil, 0)
			continue
		}
		c.enter(one.name, nil, 0)
	}
	c.follow(action, nil, 0)
}

// callbacks are those that apply to the action, the topmost class's first.
func (c *rubyCookies) callbacks() []callback {
	var all []callback
	above := slices.Clone(c.ancestors(c.class, 0))
	slices.Reverse(above)
	for _, class := range above {
		if class == nil {
			continue
		}
		for _, part := range class.parts {
			for statement := range c.statements(part.body, 0) {
				all = c.declared(all, part, statement)
			}
		}
	}
	return all
}

// declared reads before_action and the like.
func (c *rubyCookies) declared(all []callback, part rubyPart, statement syntax.Node) []callback {
	macro := statement.Field("method").Text()
	kind, found := strings.CutSuffix(macro, "_action")
	if !found {
		kind, found = strings.CutSuffix(macro, "_filter") // its name before Rails 5
	}
	kind, skips := strings.CutPrefix(kind, "skip_")
	kind = strings.TrimPrefix(strings.TrimPrefix(kind, "prepend_"), "append_")
	given := rubyArguments(statement)
	if !found || !slices.Contains([]string{"before", "after", "around", ""}, kind) || !c.applies(given) || len(all) > mostItems {
		return all
	}
	names := rubyNames{}
	for _, one := range given.values {
		name := names.text(one, 0)
		switch {
		case skips && !given.has("if") && !given.has("unless"):
			all = slices.DeleteFunc(all, func(known callback) bool { return known.name == name })
		case skips:
		case one.Kind() == "lambda":
			all = append(all, callback{inline: rubyMethod{file: part.file, node: one, body: one.Field("body").Field("body")}})
		case !strings.Contains(name, unknownPart):
			all = append(all, callback{name: name})
		}
	}
	if body, _ := rubyBlock(statement); !body.IsZero() && !skips {
		all = append(all, callback{inline: rubyMethod{file: part.file, node: statement, body: body}})
	}
	return all
}

// applies reports whether only: and except: leave the action in.
func (c *rubyCookies) applies(given rubyCall) bool {
	if only, told := (rubyNames{}).list(given.options["only"], 0); given.has("only") && told && !slices.Contains(only, c.action) {
		return false
	}
	except, told := (rubyNames{}).list(given.options["except"], 0)
	return !given.has("except") || !told || !slices.Contains(except, c.action)
}

// enter follows the methods of a name that the controller has.
func (c *rubyCookies) enter(name string, given rubyNames, depth int) {
	for _, one := range c.nearest(name, syntax.Node{}) {
		c.follow(one, given, depth)
	}
}

// nearest are the definitions that a call finds, those above one with super.
func (c *rubyCookies) nearest(name string, below syntax.Node) []rubyMethod {
	passed := below.IsZero()
	for _, class := range c.ancestors(c.class, 0) {
		if class == nil || !c.step() {
			continue // a gem's callbacks and helpers are called otherwise
		}
		found, _ := c.own(class, name)
		if passed && len(found) > 0 {
			return found
		}
		passed = passed || slices.ContainsFunc(found, func(one rubyMethod) bool { return one.node == below })
	}
	return nil
}

func (c *rubyCookies) follow(method rubyMethod, given rubyNames, depth int) {
	if depth > mostFollowed || slices.Contains(c.seen, method.node) {
		return
	}
	c.seen = append(c.seen, method.node)
	defer func() { c.seen = c.seen[:len(c.seen)-1] }()
	names := c.known(method, given)
	for node := range method.body.All() {
		if !c.step() {
			return
		}
		switch node.Kind() {
		case "assignment", "operator_assignment":
			c.assigned(method, node, names)
		case "call":
			c.called(method, node, names, depth)
		case "super":
			for _, one := range c.nearest(method.name.Text(), method.node) {
				c.follow(one, given, depth+1)
			}
		case "identifier":
			_, variable := names[node.Text()]
			if field := node.FieldName(); !variable && (field == "" || field == "receiver" || field == "right" || field == "body" || field == "condition") {
				c.enter(node.Text(), nil, depth+1)
			}
		}
	}
}

// known are the variables of a method, with what they are given.
func (c *rubyCookies) known(method rubyMethod, given rubyNames) rubyNames {
	names := rubyNames{}
	for _, class := range c.ancestors(c.class, 0) {
		if class == nil {
			continue
		}
		for _, part := range class.parts {
			c.constants(part, names)
		}
	}
	for name, value := range given {
		names[name] = value
	}
	for parameter := range method.node.Field("parameters").All() {
		if _, passed := given[parameter.Text()]; parameter.Kind() == "identifier" && !passed {
			names[parameter.Text()] = rubyName{}
		}
	}
	for node := range method.body.All() {
		if !c.step() {
			break
		}
		switch kind := node.Kind(); {
		case kind == "assignment" && node.Field("left").Kind() == "identifier":
			names.assign(node.Field("left").Text(), rubyName{node: node.Field("right")})
		case kind == "operator_assignment":
			names[node.Field("left").Text()] = rubyName{}
		case kind == "block_parameters":
			for one := range node.Children() {
				names[one.Text()] = rubyName{}
			}
		}
	}
	return names
}

func (c *rubyCookies) constants(part rubyPart, names rubyNames) {
	for statement := range part.body.Children() {
		if left := statement.Field("left"); statement.Kind() == "assignment" && left.Kind() == "constant" && c.step() {
			names.assign(left.Text(), rubyName{node: statement.Field("right")})
		}
	}
}

// assigned notes cookies[:sid] = … and headers["Set-Cookie"] = ….
func (c *rubyCookies) assigned(method rubyMethod, node syntax.Node, names rubyNames) {
	left := node.Field("left")
	if left.Kind() != "element_reference" {
		return
	}
	key := syntax.Node{}
	for child := range left.Children() {
		if child.FieldName() == "" {
			key = child
			break
		}
	}
	switch object := left.Field("object"); {
	case isJar(object):
		c.note(method, names.text(key, 0), left)
	case isHeaders(object) && strings.EqualFold(names.text(key, 0), "set-cookie"):
		c.note(method, cookieOf(names.text(node.Field("right"), 0)), left)
	}
}

// isJar reports whether an expression is cookies, or what its modifiers give.
func isJar(node syntax.Node) bool {
	for range mostNesting {
		name := node.Text()
		if node.Kind() == "call" {
			name = node.Field("method").Text()
		}
		switch {
		case name == "cookies" || name == "cookie_jar":
			receiver := node.Field("receiver").Text()
			return receiver == "" || receiver == "self" || receiver == "request" || receiver == "controller"
		case node.Kind() != "call" || !slices.Contains([]string{"signed", "encrypted", "permanent", "signed_or_encrypted"}, name):
			return false
		}
		node = node.Field("receiver")
	}
	return false
}

func isHeaders(node syntax.Node) bool {
	return slices.Contains([]string{"headers", "response.headers", "response.header", "self.headers", "self.response.headers", "response"}, node.Text())
}

func (c *rubyCookies) note(method rubyMethod, name string, at syntax.Node) {
	if name != "" && c.steps < mostCookieSteps && !strings.Contains(name, unknownPart) && len(c.found) < mostItems {
		one := setter{name, Place{method.file, at.Line()}}
		if !slices.Contains(c.found, one) {
			c.found = append(c.found, one)
		}
	}
}

// called notes a call that sets a cookie, or follows it.
func (c *rubyCookies) called(method rubyMethod, node syntax.Node, names rubyNames, depth int) {
	callee, given := node.Field("method"), argumentsOf(node)
	receiver := node.Field("receiver").Text()
	switch name := callee.Text(); {
	case (receiver == "response" || receiver == "self.response") && len(given) > 0:
		c.onResponse(method, name, callee, given, names)
	case strings.HasPrefix(name, "set_cookie_header") && strings.HasSuffix(receiver, "Rack::Utils") && len(given) > 1:
		c.note(method, names.text(given[1], 0), callee)
	case callee.Kind() == "super":
		for _, one := range c.nearest(method.name.Text(), method.node) {
			c.follow(one, c.passed(one, node, names), depth+1)
		}
	case receiver == "" || receiver == "self":
		for _, one := range c.nearest(name, syntax.Node{}) {
			c.follow(one, c.passed(one, node, names), depth+1)
		}
	}
}

func (c *rubyCookies) onResponse(method rubyMethod, name string, callee syntax.Node, given []syntax.Node, names rubyNames) {
	switch {
	case name == "set_cookie":
		c.note(method, names.text(given[0], 0), callee)
	case (name == "set_header" || name == "add_header") && len(given) > 1 && strings.EqualFold(names.text(given[0], 0), "set-cookie"):
		c.note(method, cookieOf(names.text(given[1], 0)), callee)
	}
}

// passed are the parameters of a method whose texts a call tells.
func (c *rubyCookies) passed(to rubyMethod, call syntax.Node, names rubyNames) rubyNames {
	made, given := rubyNames{}, rubyArguments(call)
	at := 0
	for parameter := range to.node.Field("parameters").Children() {
		name, value := parameter.Text(), syntax.Node{}
		switch parameter.Kind() {
		case "keyword_parameter":
			name = parameter.Field("name").Text()
			value = given.options[name]
		case "identifier", "optional_parameter":
			if parameter.Kind() == "optional_parameter" {
				name = parameter.Field("name").Text()
			}
			if at < len(given.values) {
				value = given.values[at]
			}
			at++
		}
		made[name] = rubyName{}
		if value.IsZero() && !given.open {
			value = parameter.Field("value") // its default
		}
		if text := names.text(value, 0); !value.IsZero() && !strings.Contains(text, unknownPart) {
			made[name] = rubyName{text: text}
		}
	}
	return made
}
