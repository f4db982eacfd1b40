package syntax

import (
	"iter"
	"slices"
)

// Tree is a parsed source.
type Tree struct {
	source   []byte
	nodes    []node
	lines    []int32 // where each begins
	language *language
}

// node is one in a list in preorder; next is the index after its descendants.
type node struct {
	kind, field      uint16
	start, end, next int32
}

// missing marks a token that the parser put in itself.
const missing = 0x8000

func newTree(source []byte, nodes []node, known *language) *Tree {
	tree := &Tree{source: source, nodes: nodes, language: known, lines: []int32{0}}
	for at, char := range source {
		if char == '\n' {
			tree.lines = append(tree.lines, int32(at+1))
		}
	}
	return tree
}

// Root is the node of the whole source.
func (t *Tree) Root() Node {
	if t == nil || len(t.nodes) == 0 {
		return Node{}
	}
	return Node{t, 0}
}

// Node is a part of a source. The zero Node is none: it has no kind, no text
// and no children.
type Node struct {
	tree *Tree
	at   int32
}

// IsZero reports whether it is none.
func (n Node) IsZero() bool { return n.tree == nil }

// Kind is the grammar's name for it, and "" for none.
func (n Node) Kind() string {
	if n.tree == nil {
		return ""
	}
	kinds := n.tree.language.kinds
	if kind := int(n.own().kind); kind < len(kinds) {
		return kinds[kind]
	}
	return "ERROR"
}

// Missing reports whether the parser put it in to go on.
func (n Node) Missing() bool { return n.tree != nil && n.own().field&missing != 0 }

// Text is its source.
func (n Node) Text() string {
	if n.tree == nil {
		return ""
	}
	return string(n.tree.source[n.own().start:n.own().end])
}

// Line is where it begins, from 1, and 0 for none.
func (n Node) Line() int {
	if n.tree == nil {
		return 0
	}
	at, found := slices.BinarySearch(n.tree.lines, n.own().start)
	if found {
		at++
	}
	return at
}

// Start is the offset of its first byte; it tells nodes of one tree apart and
// orders them as the source does.
func (n Node) Start() int {
	if n.tree == nil {
		return 0
	}
	return int(n.own().start)
}

// Children are those the grammar names, in order. Comments are among them.
func (n Node) Children() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		if n.tree == nil {
			return
		}
		for at := n.at + 1; at < n.own().next; at = n.tree.nodes[at].next {
			if !yield(Node{n.tree, at}) {
				return
			}
		}
	}
}

// Field is the child of that name, or none.
func (n Node) Field(name string) Node {
	for child := range n.Children() {
		if child.FieldName() == name {
			return child
		}
	}
	return Node{}
}

// FieldName is what the parent calls it; may be empty.
func (n Node) FieldName() string {
	if n.tree == nil {
		return ""
	}
	fields := n.tree.language.fields
	if field := int(n.own().field &^ missing); field < len(fields) {
		return fields[field]
	}
	return ""
}

// Child is the first child of that kind, or none.
func (n Node) Child(kind string) Node {
	for child := range n.Children() {
		if child.Kind() == kind {
			return child
		}
	}
	return Node{}
}

// All are the node and everything below it, in the order of the source.
func (n Node) All() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		if n.tree == nil {
			return
		}
		for at := n.at; at < n.own().next; at++ {
			if !yield(Node{n.tree, at}) {
				return
			}
		}
	}
}

func (n Node) own() *node { return &n.tree.nodes[n.at] }
