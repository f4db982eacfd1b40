package recipe

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// numberForm is RFC 8259 section 6. The YAML library reads more as numbers
// (010 is eight, 1_000) and less (1e3 is text), so a body goes by this alone.
var numberForm = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// json makes the tree of a JSON body.
func (r *reader) json(e entry) any {
	switch node := e.node.(type) {
	case nil, *ast.NullNode:
		return nil
	case *ast.BoolNode:
		return node.Value
	case *ast.SequenceNode:
		list := []any{}
		for _, item := range r.items(e) {
			list = append(list, r.json(item))
		}
		return list
	case ast.MapNode:
		object := map[string]any{}
		for _, row := range r.entries(e) {
			if strings.Contains(row.name, "{{") || strings.Contains(row.name, "${") {
				r.fault(row.at, "the key %q is sent as it stands: only values hold {{name}} and ${NAME}", cut(row.name))
			}
			object[row.name] = r.json(row)
		}
		return object
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return r.jsonNumber(e, node.GetToken().Value)
	}
	text, ok := rawText(e.node)
	if !ok {
		r.expected(e, "a JSON value")
		return nil
	}
	if plain(e.node) && numberForm.MatchString(text) {
		return r.jsonNumber(e, text)
	}
	return r.interpolate(e, holes, text)
}

func (r *reader) jsonNumber(e entry, text string) any {
	if !numberForm.MatchString(text) {
		r.fault(r.valueAt(e), "%s is not a number of JSON: put it in quotes if it is text", cut(text))
		return nil
	}
	if !strings.ContainsAny(text, ".eE") {
		whole, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			r.fault(r.valueAt(e), "%s does not fit into 64 bits: put it in quotes if it is text", cut(text))
		}
		return whole
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(value, 0) {
		r.fault(r.valueAt(e), "%s is too large a number", cut(text))
	}
	return value
}
