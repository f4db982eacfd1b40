package discover

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

// What a description of an API may be at most. It comes from the API or from a
// pull request, so that each of the three is somebody else's choice.
const (
	mostSpec  = 8 << 20 // bytes
	mostNodes = 1_000_000
	mostDepth = 100
)

// node is one value of a document with the line it stands on. Libraries for
// OpenAPI refuse the whole of a description with one broken reference in it,
// or follow its cycles; what is needed here is little, and is read out of
// whatever can be read. The zero value is null.
type node struct {
	line   int
	text   string // of a scalar
	scalar bool
	quoted bool // the scalar is a text and no number, boolean or null
	list   bool
	keys   []string // of an object, in the order of the document
	values []*node  // of an object or a list
}

func (n *node) isObject() bool { return n != nil && !n.scalar && !n.list && len(n.keys) > 0 }

// get is the member of that name; a nil node, which has no members, without one.
func (n *node) get(name string) *node {
	if n == nil {
		return nil
	}
	for i, key := range n.keys {
		if key == name {
			return n.values[i]
		}
	}
	return nil
}

// at is the member at the end of the names.
func (n *node) at(names ...string) *node {
	for _, name := range names {
		n = n.get(name)
	}
	return n
}

func (n *node) str() string {
	if n == nil || !n.scalar {
		return ""
	}
	return n.text
}

func (n *node) items() []*node {
	if n == nil || !n.list {
		return nil
	}
	return n.values
}

func (n *node) is(text string) bool { return n != nil && n.scalar && n.text == text }

// parse reads JSON or YAML, whatever its media type says.
func parse(data []byte) (root *node, err error) {
	if len(data) > mostSpec {
		return nil, fmt.Errorf("it is larger than %d MiB", mostSpec>>20)
	}
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff")))
	// The YAML library panics on its own mistakes.
	defer func() {
		if recover() != nil {
			root, err = nil, errors.New("it cannot be read")
		}
	}()
	switch {
	case len(data) == 0:
		return nil, errors.New("it is empty")
	case data[0] == '<':
		return nil, errors.New("it is HTML")
	case data[0] == '{':
		return parseJSON(data)
	}
	return parseYAML(data)
}

// jsonReader makes a tree of JSON in one pass.
type jsonReader struct {
	data    []byte
	tokens  *json.Decoder
	nodes   int
	line    int
	counted int64 // bytes in which lines were counted
}

func parseJSON(data []byte) (*node, error) {
	r := &jsonReader{data: data, tokens: json.NewDecoder(bytes.NewReader(data)), line: 1}
	r.tokens.UseNumber()
	root, err := r.value(0)
	if err != nil {
		return nil, fmt.Errorf("it is no JSON: line %d cannot be read", r.here())
	}
	return root, nil
}

func (r *jsonReader) here() int {
	now := min(r.tokens.InputOffset(), int64(len(r.data)))
	r.line += bytes.Count(r.data[r.counted:now], []byte{'\n'})
	r.counted = now
	return r.line
}

var errTooMany = errors.New("it has too many values")

func (r *jsonReader) value(depth int) (*node, error) {
	token, err := r.tokens.Token()
	if err != nil {
		return nil, err
	}
	if r.nodes++; r.nodes > mostNodes {
		return nil, errTooMany
	}
	made := &node{line: r.here()}
	open, compound := token.(json.Delim)
	if !compound {
		made.scalar = true
		made.text, made.quoted = token.(string)
		if !made.quoted && token != nil {
			made.text = fmt.Sprint(token)
		}
		return made, nil
	}
	if depth >= mostDepth {
		return &node{}, r.skip()
	}
	made.list = open == '['
	for r.tokens.More() {
		if !made.list {
			name, err := r.tokens.Token()
			if err != nil {
				return nil, err
			}
			made.keys = append(made.keys, fmt.Sprint(name))
		}
		line := r.here()
		child, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if !made.list {
			child.line = line // where its name stands
		}
		made.values = append(made.values, child)
	}
	_, err = r.tokens.Token()
	return made, err
}

// skip passes over the rest of an object or a list without a stack of its own.
func (r *jsonReader) skip() error {
	for open := 1; open > 0; {
		token, err := r.tokens.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			open++
		case json.Delim('}'), json.Delim(']'):
			open--
		}
	}
	return nil
}

func parseYAML(data []byte) (*node, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, errors.New("it is neither JSON nor YAML")
	}
	budget := mostNodes
	root := fromYAML(&document, 0, &budget)
	if budget <= 0 {
		return nil, errTooMany
	}
	return root, nil
}

// fromYAML follows aliases as often as the budget lasts.
func fromYAML(y *yaml.Node, depth int, budget *int) *node {
	*budget--
	if y == nil || depth > mostDepth || *budget <= 0 {
		return &node{}
	}
	made := &node{line: y.Line}
	switch y.Kind {
	case yaml.DocumentNode:
		if len(y.Content) == 0 {
			return made
		}
		return fromYAML(y.Content[0], depth+1, budget)
	case yaml.AliasNode:
		return fromYAML(y.Alias, depth+1, budget)
	case yaml.ScalarNode:
		made.scalar, made.text, made.quoted = true, y.Value, y.Tag == "!!str"
		if y.Tag == "!!null" {
			made.text = ""
		}
	case yaml.SequenceNode:
		made.list = true
		for _, item := range y.Content {
			made.values = append(made.values, fromYAML(item, depth+1, budget))
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(y.Content); i += 2 {
			child := fromYAML(y.Content[i+1], depth+1, budget)
			child.line = y.Content[i].Line
			made.keys = append(made.keys, y.Content[i].Value)
			made.values = append(made.values, child)
		}
	}
	return made
}

// words are the parts of a name: "/api/userLogout" is api, user, logout.
func words(text string) []string {
	var split strings.Builder
	lower := false
	for _, char := range text {
		if char >= 'A' && char <= 'Z' && lower {
			split.WriteByte(' ')
		}
		lower = char >= 'a' && char <= 'z' || char >= '0' && char <= '9'
		split.WriteRune(char)
	}
	return strings.FieldsFunc(strings.ToLower(split.String()), func(char rune) bool {
		return (char < 'a' || char > 'z') && (char < '0' || char > '9')
	})
}
