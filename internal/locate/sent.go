package locate

import (
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// sentValue is a value that the client chose, alone or in a text.
type sentValue struct {
	origins []origin
	kept    []Step // what it was kept in, and handed to
	whole   string // the text it is in, with unknownPart for each of inside; "" when it is alone
	inside  []value
}

// origin is where in a request a value comes from.
type origin struct {
	name  string // "" where the source does not tell it
	from  string // "the JSON body"
	model string // whose field it is; may be empty
	at    Place
}

func (o origin) step() Step {
	what := "a value"
	if o.name != "" {
		what = shown(o.name)
	}
	what += " comes from " + o.from
	if o.model != "" {
		what += " (field of " + shown(o.model) + ")"
	}
	return Step{Place: o.at, What: what}
}

// mostKept bounds the steps of one value.
const mostKept = 8

func newSent(from origin) *sentValue { return &sentValue{origins: []origin{from}} }

func (v *sentValue) around() string {
	if v.whole == "" {
		return unknownPart
	}
	return v.whole
}

// chosen is the value where the client alone chose it, and nil where it has
// parts of another origin.
func (v *sentValue) chosen() *sentValue {
	for _, one := range v.inside {
		if _, ok := one.(*sentValue); !ok {
			return nil
		}
	}
	return v
}

// alone is the value without the text around it.
func (v *sentValue) alone() *sentValue {
	made := *v
	made.whole, made.inside = "", nil
	return &made
}

// with is the value after one more step.
func (v *sentValue) with(step Step) *sentValue {
	if len(v.kept) >= mostKept || slices.Contains(v.kept, step) {
		return v
	}
	made := *v
	made.kept = append(slices.Clone(v.kept), step)
	return &made
}

// or is the value where another may stand instead.
func (v *sentValue) or(other value) value {
	second, ok := other.(*sentValue)
	if !ok {
		return v
	}
	made := *v
	made.origins, made.kept = union(v.origins, second.origins), union(v.kept, second.kept)
	return &made
}

// union is bounded.
func union[T comparable](first, second []T) []T {
	made := slices.Clone(first)
	for _, one := range second {
		if len(made) < mostKept && !slices.Contains(made, one) {
			made = append(made, one)
		}
	}
	return made
}

// sentIn is a text made from parts; without a client's among them it is a text.
func sentIn(parts list, whole string) value {
	long := len(whole) > longestText
	if long {
		whole = unknownPart
	}
	var made *sentValue
	var inside []value
	for _, one := range parts {
		given, ok := one.(*sentValue)
		switch {
		case !ok:
			for range strings.Count(textOf(one), unknownPart) {
				inside = append(inside, nil)
			}
			continue
		case given.whole == "":
			inside = append(inside, given)
		default:
			inside = append(inside, given.inside...)
		}
		if made == nil {
			made = given
		} else {
			made = made.or(given).(*sentValue)
		}
	}
	if made == nil {
		return text(whole)
	}
	if long || len(inside) > mostItems {
		whole, inside = unknownPart, []value{nil}
	}
	made = made.alone()
	made.whole, made.inside = whole, inside
	return made
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
type sentPart struct{ from, model string }

func (s *sentPart) value(name string, at Place) value {
	if strings.Contains(name, unknownPart) {
		name = ""
	}
	return newSent(origin{name, s.from, s.model, at})
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
		return &sentPart{from: "a cookie"}
	case "query_params", "args", "values", "GET":
		return &sentPart{from: "the query"}
	case "headers":
		return &sentPart{from: "a header"}
	case "path_params", "view_args":
		return &sentPart{from: "the path"}
	case "POST", "data":
		return &sentPart{from: "the body"}
	case "json", "get_json":
		return bodyOf("the JSON body")
	case "form":
		return bodyOf("the form")
	}
	return nil
}

// bodyOf is a body that is a method in Starlette and a property in Flask.
type bodyOf string

func (b bodyOf) part() *sentPart { return &sentPart{from: string(b)} }

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
	"sqlalchemy.text", "psycopg.sql.SQL", "typing.cast", "markupsafe.escape"}

// inThread call their first argument with the others.
var inThread = []external{"starlette.concurrency.run_in_threadpool", "fastapi.concurrency.run_in_threadpool", "asyncio.to_thread", "anyio.to_thread.run_sync"}

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
