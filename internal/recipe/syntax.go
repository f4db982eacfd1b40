package recipe

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// What a recipe may be at most. The file comes with a pull request, and the
// YAML library's time and memory grow with the square of the depth and with
// tokens times key length, so all three are bounded before it sees the text.
const (
	mostBytes  = 1 << 20
	mostTokens = 20_000
	mostDepth  = 32
	mostKey    = 100
)

// document is the one YAML value of the file; nil after a fault.
func (r *reader) document(data []byte) (root ast.Node) {
	if !r.readable(data) {
		return nil
	}
	// The text is somebody's pull request: should the library trip over it,
	// that is a problem of the file and no crash of the gate.
	defer func() {
		if recover() != nil {
			r.fault(r.place(1, 1), "this YAML cannot be read: write it in a simpler form")
			root = nil
		}
	}()
	tokens := lexer.Tokenize(strings.Join(r.lines, "\n"))
	if !r.plainTokens(tokens) {
		return nil
	}
	// Duplicates are ours to report: the library stops at the first.
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		r.syntax(err)
		return nil
	}
	return r.only(file.Docs)
}

// readable refuses what is no text, and splits the rest into lines.
func (r *reader) readable(data []byte) bool {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	tooLong := len(data) > mostBytes
	data = data[:min(len(data), mostBytes)]
	breaks := strings.NewReplacer("\r\n", "\n", "\r", "\n")
	r.lines = strings.Split(breaks.Replace(strings.ToValidUTF8(string(data), "\ufffd")), "\n")
	if tooLong {
		r.fault(r.place(1, 1), "the recipe is larger than 1 MiB")
		return false
	}
	line, column := 1, 1
	for len(data) > 0 {
		char, size := utf8.DecodeRune(data)
		switch {
		case char == utf8.RuneError && size == 1:
			r.fault(r.place(line, column), "the file is not UTF-8: save it in that encoding")
			return false
		case char == '\n', char == '\r' && !bytes.HasPrefix(data, []byte("\r\n")):
			line, column = line+1, 0
		case unicode.IsControl(char) && char != '\t' && char != '\r':
			r.fault(r.place(line, column), "the control character %U cannot stand in a recipe: write it as an escape in double quotes", char)
			return false
		}
		column++
		data = data[size:]
	}
	return true
}

// plainTokens refuses what a recipe has no use for and what could be a bomb.
func (r *reader) plainTokens(tokens token.Tokens) bool {
	if len(tokens) > mostTokens {
		r.fault(r.tokenAt(tokens[mostTokens]), "the recipe has more than %d words and signs", mostTokens)
		return false
	}
	var depth nesting
	for _, tk := range tokens {
		if problem := forbidden(tk); problem != "" {
			r.fault(r.tokenAt(tk), "%s", problem)
			return false
		}
		if depth.enter(tk) > mostDepth {
			r.fault(r.tokenAt(tk), "the recipe is nested deeper than %d levels", mostDepth)
			return false
		}
	}
	return true
}

func forbidden(tk *token.Token) string {
	switch tk.Type {
	case token.AnchorType:
		return "anchors (&name) are not supported: put the value in quotes, or write it out where it is used"
	case token.AliasType:
		return "aliases (*name) are not supported: put the value in quotes, or write out what it stands for"
	case token.TagType:
		return "tags (!name) are not supported: put the value in quotes"
	case token.MergeKeyType:
		return "merge keys (<<) are not supported: write the keys out"
	case token.MappingKeyType:
		return "keys marked with ? are not supported: write key: value"
	case token.DirectiveType:
		return "directives (%NAME) are not supported: delete the line, or put the value in quotes"
	}
	if tk.NextType() == token.MappingValueType && len(tk.Value) > mostKey {
		return fmt.Sprintf("this key is longer than %d bytes", mostKey)
	}
	return ""
}

// nesting follows how deep the tokens stand: brackets by count, blocks by the
// columns that are open.
type nesting struct {
	brackets int
	columns  []int
}

func (n *nesting) enter(tk *token.Token) int {
	switch tk.Type {
	case token.MappingStartType, token.SequenceStartType:
		n.brackets++
	case token.MappingEndType, token.SequenceEndType:
		n.brackets = max(0, n.brackets-1)
	case token.SequenceEntryType:
		n.open(tk.Position.Column)
	case token.MappingValueType:
		if tk.Prev != nil && n.brackets == 0 {
			n.open(tk.Prev.Position.Column)
		}
	}
	return n.brackets + len(n.columns)
}

func (n *nesting) open(column int) {
	for len(n.columns) > 0 && n.columns[len(n.columns)-1] >= column {
		n.columns = n.columns[:len(n.columns)-1]
	}
	n.columns = append(n.columns, column)
}

func (r *reader) only(docs []*ast.DocumentNode) ast.Node {
	var body ast.Node
	for _, doc := range docs {
		if doc.Body == nil {
			continue
		}
		if body != nil {
			r.fault(r.nodeAt(doc.Body), "the file holds several YAML documents: a recipe is one, so delete the line --- or ... before this")
			return nil
		}
		body = doc.Body
	}
	if body == nil {
		r.fault(r.place(1, 1), `the recipe is empty: begin it with "version: 1"`)
	}
	return body
}

// syntax says in a user's words what the YAML library found.
func (r *reader) syntax(err error) {
	var failure yaml.Error
	if !errors.As(err, &failure) || failure.GetToken() == nil {
		r.fault(r.place(1, 1), "this is not YAML: %s", safe(err.Error()))
		return
	}
	tk, message := failure.GetToken(), failure.GetMessage()
	at := r.lastLine(tk)
	switch before := r.textBefore(at); {
	case strings.Contains(message, "tab "), strings.Contains(message, "'\t'"):
		r.fault(r.tab(tk), "a tab stands in the indentation: YAML wants spaces")
	case tk.Value == "{" && strings.HasSuffix(before, "{"):
		r.fault(at, `{{name}} must stand in quotes: write "{{name}}"`)
	case tk.Value == "{" && strings.HasSuffix(before, "$"):
		r.fault(at, `inside { } and [ ] an environment variable must stand in quotes: write "${NAME}"`)
	case strings.TrimSpace(before) == "" && misplaced[message]:
		r.fault(at, "the indentation of this line fits none of the lines above it")
	case strings.HasPrefix(message, "found unknown escape"):
		r.fault(at, `no such escape in double quotes: write \\ for a backslash, or use single quotes`)
	case sentences[message] != "":
		r.fault(at, "%s", sentences[message])
	default:
		r.fault(at, "this is not YAML: %s", safe(message))
	}
}

// misplaced are the library's words for a line that begins in the wrong column.
var misplaced = map[string]bool{
	"value is not allowed in this context":                               true,
	"value is not allowed in this context. map key-value is pre-defined": true,
	"mapping value is not allowed in this context":                       true,
	"non-map value is specified":                                         true,
	"unexpected key name":                                                true,
}

var sentences = map[string]string{
	"value is not allowed in this context":                               "nothing may follow the value on its line: put all of it in quotes",
	"value is not allowed in this context. map key-value is pre-defined": "nothing may follow the value on its line: put all of it in quotes",
	"mapping value is not allowed in this context":                       `a value that holds ": " must stand in quotes`,
	"block sequence entries are not allowed in this context":             `a list begins on a line of its own: put the first "-" below the key`,
	"non-map value is specified":                                         `a key and a value are expected here, as in "version: 1"`,
	"unexpected key name":                                                "a key must stand on one line",
	"sequence end token ']' not found":                                   `this "[" is never closed with "]"`,
	"could not find flow mapping end token '}'":                          `this "{" is never closed with "}"`,
	"',' or '}' must be specified":                                       `a "," or "}" is missing before this`,
	"',' or ']' must be specified":                                       `a "," or "]" is missing before this`,
	"could not find end character of single-quoted text":                 "this quote is never closed",
	"could not find end character of double-quoted text":                 "this quote is never closed",
	"'@' is a reserved character":                                        "a value that begins with @ must stand in quotes",
	"'`' is a reserved character":                                        "a value that begins with ` must stand in quotes",
}

// safe makes the library's words fit for one printed line.
func safe(message string) string {
	message, _, _ = strings.Cut(message, "\n")
	return cut(strings.Map(func(char rune) rune {
		if !unicode.IsPrint(char) {
			return unicode.ReplacementChar
		}
		return char
	}, message))
}

func (r *reader) place(line, column int) Pos { return Pos{File: r.file, Line: line, Column: column} }

func (r *reader) tokenAt(tk *token.Token) Pos {
	if tk == nil || tk.Position == nil {
		return r.place(1, 1)
	}
	return r.place(tk.Position.Line, tk.Position.Column)
}

// lastLine is where a token ends: a scalar that swallowed the next line because
// of its indentation is reported at its start, and the fault is in that line.
func (r *reader) lastLine(tk *token.Token) Pos {
	at := r.tokenAt(tk)
	more := strings.Count(strings.Trim(tk.Origin, " \n"), "\n")
	if tk.Type != token.StringType || more == 0 || at.Line+more > len(r.lines) {
		return at
	}
	line := r.lines[at.Line+more-1]
	indent := len(line) - len(strings.TrimLeft(line, " "))
	return r.place(at.Line+more, indent+1)
}

// textBefore is what stands before the place on its line.
func (r *reader) textBefore(at Pos) string {
	if at.Line < 1 || at.Line > len(r.lines) {
		return ""
	}
	line := []rune(r.lines[at.Line-1])
	return string(line[:max(0, min(at.Column-1, len(line)))])
}

// tab is the first tab in an indentation at or after the token; the library
// names the token before it.
func (r *reader) tab(tk *token.Token) Pos {
	at := r.tokenAt(tk)
	for number := max(1, at.Line); number <= len(r.lines); number++ {
		line := r.lines[number-1]
		indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		if column := strings.IndexByte(indent, '\t'); column >= 0 {
			return r.place(number, column+1)
		}
	}
	return at
}
