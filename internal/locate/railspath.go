package locate

import (
	"regexp"
	"strings"
)

// railsPath is one form of a path: with and without what may be left out.
type railsPath struct {
	pattern pattern
	exact   *regexp.Regexp // what the expressions of its values say; may be nil
	// sure says that a request that it fits is always taken.
	sure bool
}

// mostForms are those with and without.
const mostForms = 16

// everything is what a path may be that the source does not tell.
var everything = []railsPath{{pattern: rest}}

// railsPaths are the forms of "/users/:id(/:page)(.:format)". The expressions
// that values have to match are by their names; "" is one that is not told. With
// rest at its end it is the path of what is mounted.
func railsPaths(path string, expressions map[string]string) []railsPath {
	if len(path) > longestWritten {
		return everything
	}
	written, told := leftOut(path)
	if !told {
		return everything
	}
	var all []railsPath
	for _, one := range written {
		made := railsForm(tidy(one), expressions)
		if !made.pattern.isKnown() && !made.pattern.says() {
			return everything
		}
		all = append(all, made)
	}
	return all
}

// leftOut are the paths with and without what stands in parentheses.
func leftOut(path string) ([]string, bool) {
	all := []string{path}
	for at := 0; at < len(all); {
		if len(all) > mostForms {
			return nil, false
		}
		before, _, has := strings.Cut(all[at], "(")
		if !has {
			if strings.Contains(all[at], ")") {
				return nil, false
			}
			at++
			continue
		}
		end := closing(all[at], len(before))
		if end < 0 {
			return nil, false
		}
		inner, after := all[at][len(before)+1:end], all[at][end+1:]
		all = append(all, before+inner+after)
		all[at] = before + after
	}
	return all, true
}

func closing(path string, from int) int {
	depth := 0
	for at := from; at < len(path); at++ {
		switch path[at] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return at
			}
		}
	}
	return -1
}

// longestWritten bounds a path as it is written, with what it is nested in, in
// bytes: no routes file has one of that length, and what is longer may be any.
const longestWritten = 300

var slashes = regexp.MustCompile(`/+`)

// tidy is a path with one slash before each segment.
func tidy(path string) string {
	return slashes.ReplaceAllString("/"+path, "/")
}

// holed is a piece of a path that has a name.
var holed = regexp.MustCompile(`[:*][A-Za-z_]\w*`)

func railsForm(path string, expressions map[string]string) railsPath {
	if strings.ContainsAny(path, `|\`) {
		return everything[0]
	}
	path, open := strings.CutSuffix(path, rest)
	if open && path == "/" {
		return everything[0]
	}
	if path = strings.ReplaceAll(path+"/", "/"+unknownPart+"/", unknownPart+"/"); path != "/" { // it may be nothing
		path = strings.TrimSuffix(path, "/")
	}
	sure, held, told := !strings.Contains(path, unknownPart), open, true
	var made, exact strings.Builder
	end := 0
	for _, at := range holed.FindAllStringIndex(path, -1) {
		between, piece := path[end:at[0]], path[at[0]:at[1]]
		hole, like := part+rest, ".+"
		if piece[0] == ':' {
			hole, like = word, "[^/.]+"
		}
		if expression, given := expressions[piece[1:]]; given {
			held = true
			if like = shared(expression); like == "" {
				told = false
			}
			hole = part + rest // it may let slashes through
		}
		made.WriteString(between + hole)
		exact.WriteString(regexp.QuoteMeta(between) + "(?:[^/]*" + string(sent) + "[^/]*|" + like + ")")
		end = at[1]
	}
	made.WriteString(path[end:])
	exact.WriteString(regexp.QuoteMeta(path[end:]))
	if open {
		made.WriteString(rest)
		exact.WriteString(`(?:\b.*|/.*|)`)
	}
	form := railsPath{pattern: pattern(made.String()), sure: sure && told}
	if held && sure && told {
		form.exact, _ = regexp.Compile("^(?:" + exact.String() + ")$")
		form.sure = form.exact != nil
	}
	return form
}

// alike are expressions that mean in Ruby what they mean in Go, and are small.
var alike = regexp.MustCompile(`^(?:[\w\-/|?+*.]|\\[dwDW./\-]|\[\^?(?:[\w\-/.]|\\[dw./\-])+\]|\{\d\d?(?:,\d?\d?)?\}|\((?:\?:)?|\))*$`)

// shared is an expression in Go's words; "" where it may mean something else.
func shared(expression string) string {
	if len(expression) > longestName || !alike.MatchString(expression) || strings.Contains(expression, "){") || possessive.MatchString(expression) {
		return ""
	}
	return strings.ReplaceAll(expression, `\/`, "/")
}

// possessive are repeats that Go reads in another way or not at all.
var possessive = regexp.MustCompile(`[+*?}][+*?{]`)
