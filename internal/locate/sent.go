package locate

import (
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// sentValue is a value that the client chose, alone or in a text.
type sentValue struct {
	steps []Step // where it came from, and what it was kept in
	whole string // the text it is in, with unknownPart for it; "" when it is alone
}

// mostKept bounds the steps of one value.
const mostKept = 8

func newSent(what string, at Place) *sentValue {
	return &sentValue{steps: []Step{{Place: at, What: what}}}
}

func (v *sentValue) around() string {
	if v.whole == "" {
		return unknownPart
	}
	return v.whole
}

// kept is the value in a variable.
func (v *sentValue) kept(name string, at Place) value {
	step := Step{Place: at, What: "kept in " + name}
	if len(v.steps) >= mostKept || slices.Contains(v.steps, step) {
		return v
	}
	made := *v
	made.steps = append(slices.Clone(v.steps), step)
	return &made
}

// or is the value where another may stand instead.
func (v *sentValue) or(other value) value {
	second, ok := other.(*sentValue)
	if !ok {
		return v
	}
	made := *v
	made.steps = slices.Clone(v.steps)
	for _, step := range second.steps {
		if len(made.steps) < mostKept && !slices.Contains(made.steps, step) {
			made.steps = append(made.steps, step)
		}
	}
	return &made
}

// sentIn is a text made from parts.
func sentIn(parts list, whole string) value {
	if len(whole) > longestText {
		whole = unknownPart
	}
	for _, one := range parts {
		switch given := one.(type) {
		case *sentValue:
			made := *given
			made.whole = whole
			return &made
		case list:
			if found := sentIn(given, whole); found != nil && len(given) < mostItems {
				if _, ok := found.(*sentValue); ok {
					return found
				}
			}
		}
	}
	return text(whole)
}

func joinSent(left, right value) value {
	_, first := left.(*sentValue)
	_, second := right.(*sentValue)
	if !first && !second {
		return nil
	}
	return sentIn(list{left, right}, textOf(left)+textOf(right))
}

// sentPart is a part of a request that has values by name: a body, the cookies.
type sentPart struct{ from string }

func (s *sentPart) value(name string, at Place) value {
	if name == "" || strings.Contains(name, unknownPart) {
		return newSent("request value from "+s.from, at)
	}
	return newSent("request value "+name+", from "+s.from, at)
}

// member is a field of a model, or a method that gives a field or all of them.
func (s *sentPart) member(name string, at Place) value {
	switch name {
	case "get", "getlist", "pop":
		return getter{s}
	case "model_dump", "dict", "copy", "items", "values":
		return reading{s}
	}
	return s.value(name, at)
}

// getter gives the value of a name, and reading all of them.
type (
	getter  struct{ of *sentPart }
	reading struct{ of *sentPart }
)

// wholeRequest is the request of Starlette or Flask.
type wholeRequest struct{}

func (wholeRequest) member(name string) value {
	switch name {
	case "cookies":
		return &sentPart{"a cookie"}
	case "query_params", "args", "values", "GET":
		return &sentPart{"the query"}
	case "headers":
		return &sentPart{"a header"}
	case "path_params", "view_args":
		return &sentPart{"the path"}
	case "POST", "data":
		return &sentPart{"the body"}
	case "json", "get_json":
		return bodyOf("the JSON body")
	case "form":
		return bodyOf("the form")
	}
	return nil
}

// bodyOf is a body that is a method in Starlette and a property in Flask.
type bodyOf string

func (b bodyOf) part() *sentPart { return &sentPart{string(b)} }

// through is a method of a value, not called yet.
type through struct {
	of     *sentValue
	method string
}

// keeping are methods whose result is as much the client's choice as what they
// are called on.
var keeping = []string{"strip", "lstrip", "rstrip", "lower", "upper", "encode", "decode", "replace", "removeprefix", "removesuffix",
	"get_secret_value", "hex", "hexdigest", "digest", "format", "split", "partition", "zfill", "title", "casefold", "join", "value", "get"}

func (t through) call(given arguments) value {
	if slices.Contains(keeping, t.method) {
		return t.of
	}
	return nil
}

// passing are functions of the language and of its libraries that give back
// what they are given in another form.
var passing = []string{"str", "bytes", "int", "uuid.UUID", "UUID", "html.escape", "urllib.parse.quote", "urllib.parse.unquote",
	"base64.b64encode", "base64.b64decode", "hashlib.sha256", "hashlib.sha1", "hashlib.md5", "hashlib.sha512", "hashlib.blake2b",
	"sqlalchemy.text", "typing.cast", "markupsafe.escape", "starlette.concurrency.run_in_threadpool"}

// passed is what a built-in function gives.
func passed(function syntax.Node, given arguments) value {
	return transparent(external(function.Text()), given)
}

func transparent(called external, given arguments) value {
	if !slices.Contains(passing, string(called)) {
		return nil
	}
	for _, one := range given.positional {
		if v, ok := one.(*sentValue); ok {
			return v
		}
	}
	return nil
}

// annotated is the type of a parameter with what stands beside it.
type annotated list
