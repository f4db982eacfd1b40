package locate

import (
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// rubyName is what a name stands for: a text, or the expression it was given.
// The zero value: it cannot be told.
type rubyName struct {
	text string
	node syntax.Node
}

// rubyNames are the variables and constants that are known.
type rubyNames map[string]rubyName

// assign keeps a name that is given a value once.
func (n rubyNames) assign(name string, value rubyName) {
	if _, again := n[name]; again {
		value = rubyName{}
	}
	n[name] = value
}

// text is what an expression gives, with unknownPart where the source does not
// tell it. Symbols are their names.
func (n rubyNames) text(node syntax.Node, depth int) string {
	made := unknownPart
	if depth > mostNesting {
		return made
	}
	switch node.Kind() {
	case "string", "bare_string", "bare_symbol", "delimited_symbol", "chained_string":
		made = n.pieces(node, depth)
	case "simple_symbol":
		made = strings.TrimPrefix(node.Text(), ":")
	case "hash_key_symbol", "integer":
		made = node.Text()
	case "identifier", "constant":
		if known := n[node.Text()]; known.text != "" {
			return known.text
		} else if !known.node.IsZero() {
			return n.text(known.node, depth+1)
		}
	case "call":
		if slices.Contains([]string{"freeze", "to_s", "to_sym"}, node.Field("method").Text()) && node.Field("arguments").IsZero() {
			return n.text(node.Field("receiver"), depth+1)
		}
	case "binary":
		if node.Field("operator").Text() == "+" {
			return n.bounded(n.text(node.Field("left"), depth+1) + n.text(node.Field("right"), depth+1))
		}
	}
	if made != unknownPart && !isPlain(strings.ReplaceAll(made, unknownPart, "")) {
		return unknownPart
	}
	return n.bounded(made)
}

func (rubyNames) bounded(text string) string {
	if len(text) > longestText {
		return unknownPart
	}
	return text
}

func (n rubyNames) pieces(node syntax.Node, depth int) string {
	var made strings.Builder
	for child := range node.Children() {
		switch child.Kind() {
		case "string_content":
			made.WriteString(child.Text())
		case "string":
			made.WriteString(n.text(child, depth+1))
		case "interpolation":
			inner := unknownPart
			for one := range child.Children() {
				inner = n.text(one, depth+1)
			}
			made.WriteString(inner)
		default: // an escape
			made.WriteString(unknownPart)
		}
		if made.Len() > longestText {
			return unknownPart
		}
	}
	return made.String()
}

// list are the texts of a list, or of one value; false where the source does
// not tell how many there are.
func (n rubyNames) list(node syntax.Node, depth int) ([]string, bool) {
	if depth > mostNesting {
		return nil, false
	}
	switch node.Kind() {
	case "array", "string_array", "symbol_array":
		var all []string
		for child := range node.Children() {
			if child.Kind() == "splat_argument" || child.Kind() == "pair" || len(all) >= mostItems {
				return nil, false
			}
			if child.Kind() != "comment" {
				all = append(all, n.text(child, depth+1))
			}
		}
		return all, true
	case "identifier", "constant":
		if known := n[node.Text()]; !known.node.IsZero() {
			return n.list(known.node, depth+1)
		}
	case "call":
		if node.Field("method").Text() == "freeze" {
			return n.list(node.Field("receiver"), depth+1)
		}
	}
	one := n.text(node, depth)
	return []string{one}, one != unknownPart
}

// rubyCall is what a method is given.
type rubyCall struct {
	values  []syntax.Node
	options map[string]syntax.Node // by their symbols
	// path and to are of the first pair whose key is a string: "login" => "sessions#new".
	path, to syntax.Node
	// pairs are all that are written with an arrow.
	pairs [][2]syntax.Node
	// open says that there is more than the source tells.
	open bool
}

func rubyArguments(call syntax.Node) rubyCall {
	made := rubyCall{options: map[string]syntax.Node{}}
	for one := range call.Field("arguments").Children() {
		made.add(one)
	}
	return made
}

func (c *rubyCall) add(one syntax.Node) {
	switch one.Kind() {
	case "comment":
	case "pair":
		c.pair(one)
	case "hash":
		for child := range one.Children() {
			if child.Kind() == "pair" || child.Kind() == "hash_splat_argument" {
				c.add(child)
			}
		}
	case "hash_splat_argument", "splat_argument", "block_argument", "forward_argument", "ERROR":
		c.open = true
	default:
		c.values = append(c.values, one)
	}
}

func (c *rubyCall) pair(one syntax.Node) {
	key, value := one.Field("key"), one.Field("value")
	arrow := strings.HasPrefix(strings.TrimSpace(strings.TrimPrefix(one.Text(), key.Text())), "=>")
	if arrow {
		c.pairs = append(c.pairs, [2]syntax.Node{key, value})
	}
	switch kind := key.Kind(); {
	case kind == "hash_key_symbol" || kind == "simple_symbol" || kind == "string" && !arrow:
		name := rubyNames(nil).text(key, 0)
		if _, twice := c.options[name]; twice {
			c.open = true
		}
		c.options[name] = value
	case kind == "string" && c.path.IsZero():
		c.path, c.to = key, value
	case kind != "constant" && kind != "scope_resolution":
		c.open = true
	}
}

func (c rubyCall) has(option string) bool { _, given := c.options[option]; return given }

// rubyBlock is the body of the block of a call, and the names of what it is given.
func rubyBlock(call syntax.Node) (body syntax.Node, parameters []string) {
	block := call.Field("block")
	for one := range block.Field("parameters").Children() {
		parameters = append(parameters, one.Text())
	}
	return block.Field("body"), parameters
}
