package recipe

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/sessiongate/sessiongate/internal/secret"
)

// key is a key a mapping may have, and what reads its value.
type key struct {
	name string
	read func(entry)
}

// mapping hands each value to its key's reader and returns what was there.
func (r *reader) mapping(e entry, keys ...key) map[string]entry {
	seen := map[string]entry{}
	for _, child := range r.entries(e) {
		at := slices.IndexFunc(keys, func(k key) bool { return k.name == child.name })
		if at < 0 {
			r.unknown(child, e, keys)
			continue
		}
		seen[child.name] = child
		keys[at].read(child)
	}
	return seen
}

func (r *reader) unknown(child, parent entry, keys []key) {
	var names []string
	for _, k := range keys {
		names = append(names, k.name)
	}
	problem := r.fault(child.at, "unknown key %q in %s: valid keys are %s", cut(child.name), parent.name, strings.Join(names, ", "))
	problem.Hint = Nearest(child.name, names)
}

// entries are the keys and values of a mapping in the order of the file.
func (r *reader) entries(e entry) []entry {
	values, ok := e.node.(ast.MapNode)
	if !ok {
		r.expected(e, "a mapping")
		return nil
	}
	var found []entry
	first := map[string]Pos{}
	for rows := values.MapRange(); rows.Next(); {
		name, at := rows.Key().GetToken(), r.tokenAt(rows.Key().GetToken())
		if _, text := rows.Key().(*ast.StringNode); !text {
			r.fault(at, "the key %s is no text: put it in quotes", safe(name.Value))
			continue
		}
		if before, twice := first[name.Value]; twice {
			r.fault(at, "the key %q stands here twice, first in line %d", cut(name.Value), before.Line)
			continue
		}
		first[name.Value] = at
		found = append(found, entry{name: name.Value, at: at, node: rows.Value()})
	}
	return found
}

// items are the values of a list.
func (r *reader) items(e entry) []entry {
	list, ok := e.node.(*ast.SequenceNode)
	if !ok {
		r.expected(e, "a list")
		return nil
	}
	var found []entry
	for i, node := range list.Values {
		found = append(found, entry{name: fmt.Sprintf("%s[%d]", e.name, i), at: r.nodeAt(node), node: node})
	}
	return found
}

// itemsOrOne reads a list, or the one value that stands for a list of it.
func (r *reader) itemsOrOne(e entry) []entry {
	if _, list := e.node.(*ast.SequenceNode); list {
		return r.items(e)
	}
	return []entry{e}
}

func (r *reader) expected(e entry, what string) {
	problem := r.fault(r.valueAt(e), "%s: expected %s, found %s", e.name, what, describe(e.node))
	if text, ok := rawText(e.node); ok && strings.HasSuffix(what, "mapping") && glued.MatchString(text) {
		problem.Problem += `; write a space after the ":"`
	}
}

// glued is a key and a value without the space between them.
var glued = regexp.MustCompile(`^[a-z-]+:[^ /]`)

func describe(node ast.Node) string {
	switch node := node.(type) {
	case nil, *ast.NullNode:
		return "nothing"
	case *ast.SequenceNode:
		return "a list"
	case ast.MapNode:
		return "a mapping"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "the number " + cut(node.GetToken().Value)
	case *ast.BoolNode:
		return strings.ToLower(node.GetToken().Value)
	}
	text, _ := rawText(node)
	return fmt.Sprintf("the text %q", cut(text))
}

// rawText is a text as it stands in the file, without what ${NAME} stands for.
func rawText(node ast.Node) (string, bool) {
	switch node := node.(type) {
	case *ast.StringNode:
		return node.Value, true
	case *ast.LiteralNode:
		return node.Value.Value, true
	}
	return "", false
}

// nodeAt is where a node begins; the library gives the colon of a mapping.
func (r *reader) nodeAt(node ast.Node) Pos {
	switch node := node.(type) {
	case *ast.MappingNode:
		if !node.IsFlowStyle && len(node.Values) > 0 {
			return r.tokenAt(node.Values[0].Key.GetToken())
		}
	case *ast.MappingValueNode:
		return r.tokenAt(node.Key.GetToken())
	}
	return r.tokenAt(node.GetToken())
}

func (r *reader) valueAt(e entry) Pos {
	if _, null := e.node.(*ast.NullNode); null || e.node == nil {
		return e.at
	}
	return r.nodeAt(e.node)
}

// word is a text that is taken as it stands.
func (r *reader) word(e entry) string {
	text, ok := rawText(e.node)
	switch {
	case !ok:
		r.expected(e, "text"+quoteIt(e.node))
	case strings.TrimSpace(text) == "":
		r.fault(r.valueAt(e), "%s is empty: fill it or delete the key", e.name)
	}
	return text
}

func quoteIt(node ast.Node) string {
	switch node.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return " (in quotes)"
	}
	return ""
}

// words is a list of them, or one.
func (r *reader) words(e entry, valid func(string) bool, what string) []string {
	var found []string
	for _, item := range r.itemsOrOne(e) {
		text := r.word(item)
		if text != "" && !valid(text) {
			r.fault(r.valueAt(item), "%s: %q is not %s", item.name, cut(text), what)
		}
		found = append(found, text)
	}
	if len(found) == 0 {
		r.fault(r.valueAt(e), "%s is empty: fill it or delete the key", e.name)
	}
	return found
}

// choice is one word of a few.
func (r *reader) choice(e entry, valid ...string) string {
	text := r.word(e)
	if text != "" && !slices.Contains(valid, text) {
		r.fault(r.valueAt(e), "%s: expected %s, found %q", e.name, strings.Join(valid, " or "), cut(text)).Hint = Nearest(text, valid)
	}
	return text
}

// text is a text in which the environment has been read.
func (r *reader) text(e entry) string { return r.interpolate(e, interpolation{}, r.word(e)).filled() }

// written is text too, and takes numbers and booleans as they are spelled.
func (r *reader) written(e entry, how interpolation) Template {
	switch e.node.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return Literal(e.node.GetToken().Value)
	}
	text, ok := rawText(e.node)
	if !ok {
		r.expected(e, "text")
	}
	return r.interpolate(e, how, text)
}

// secret is a text that must not be shown, so its problems do not quote it.
func (r *reader) secret(e entry) secret.Text {
	if _, ok := rawText(e.node); !ok && quoteIt(e.node) != "" {
		r.fault(r.valueAt(e), "%s: expected text, found a number or a boolean: put it in quotes", e.name)
		return secret.Text{}
	}
	return r.keep(r.text(e))
}

// template is a text in which browsers fill the placeholders.
func (r *reader) template(e entry) Template { return r.interpolate(e, holes, r.word(e)) }

var holes = interpolation{placeholders: true}

func (r *reader) interpolate(e entry, how interpolation, text string) Template {
	how.text, how.variable = text, r.variable
	result, flaws := how.run()
	for _, flaw := range flaws {
		if len(r.problems) >= most {
			break
		}
		r.fault(r.find(e, flaw.needle), "%s: %s", e.name, flaw.problem)
	}
	if how.placeholders {
		for _, name := range result.Names() {
			r.used = append(r.used, use{name, e})
		}
	}
	return result
}

// find is where the characters stand, one after the other, in a scalar.
func (r *reader) find(e entry, needles ...string) Pos {
	at := r.valueAt(e)
	last := at.Line
	if block, ok := e.node.(*ast.LiteralNode); ok {
		last += 1 + strings.Count(block.Value.GetToken().Origin, "\n")
	}
	for number := max(1, at.Line); number <= min(last, len(r.lines)); number++ {
		line := []rune(r.lines[number-1])
		skip := 0
		if number == at.Line {
			skip = max(0, min(at.Column-1, len(line)))
		}
		if offset := indexAll(string(line[skip:]), needles); offset >= 0 {
			return r.place(number, skip+len([]rune(string(line[skip:])[:offset]))+1)
		}
	}
	return at
}

// indexAll is where the first needle is after which the others follow.
func indexAll(text string, needles []string) int {
	begin := strings.Index(text, needles[0])
	if begin < 0 {
		return -1
	}
	rest := text[begin:]
	for _, needle := range needles {
		next := strings.Index(rest, needle)
		if next < 0 {
			return -1
		}
		rest = rest[next+len(needle):]
	}
	return begin
}

func (r *reader) boolean(e entry) bool {
	value, ok := e.node.(*ast.BoolNode)
	if !ok {
		r.expected(e, "true or false")
		return false
	}
	return value.Value
}

// number is a whole number within the bounds.
func (r *reader) number(e entry, low, high int) int {
	node, ok := e.node.(*ast.IntegerNode)
	if !ok {
		r.expected(e, "a whole number")
		return 0
	}
	value, err := strconv.Atoi(node.GetToken().Value)
	if err != nil || strconv.Itoa(value) != node.GetToken().Value {
		r.fault(r.valueAt(e), "%s: %s is no plain decimal number", e.name, cut(node.GetToken().Value))
		return 0
	}
	if value < low || value > high {
		r.fault(r.valueAt(e), "%s: %d is not between %d and %d", e.name, value, low, high)
	}
	return value
}

func (r *reader) duration(e entry) time.Duration {
	const form = "a duration such as 60s, 30m or 12h"
	if node, number := e.node.(*ast.IntegerNode); number {
		r.expected(e, form)
		r.problems[len(r.problems)-1].Hint = cut(node.GetToken().Value) + "s"
		return 0
	}
	text, ok := rawText(e.node)
	if !ok {
		r.expected(e, form)
		return 0
	}
	value, err := time.ParseDuration(text)
	switch {
	case err != nil:
		r.fault(r.valueAt(e), "%s: expected %s, found %q", e.name, form, cut(text))
	case value <= 0:
		r.fault(r.valueAt(e), "%s: %s is not positive", e.name, cut(text))
	}
	return value
}

func (r *reader) date(e entry) time.Time {
	text, ok := rawText(e.node)
	if !ok {
		r.expected(e, "a date such as 2027-03-31")
		return time.Time{}
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		r.fault(r.valueAt(e), "%s: expected a date such as 2027-03-31, found %q", e.name, cut(text))
	}
	return day
}

// plain reports whether a scalar stands without quotes.
func plain(node ast.Node) bool { return node.GetToken().Type == token.StringType }
