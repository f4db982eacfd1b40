package locate

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// route is one line of what a framework answers to.
type route struct {
	methods []string // in capitals; empty: all
	path    pattern
	place   Place
	code    *function // of Python that is run; nil elsewhere
	setters []setter  // where code is nil: in the handler and in what it calls
	written string    // the path in the framework's own form
	// operations are the operationIds that a schema may have for it.
	operations []string
	// order is the rank among the routes of one application, where the framework
	// takes the first that fits; 0: it takes the most precise.
	order int
	// application is what the routes that are tried together have in common. A
	// route of it that has no place is one whose handler is none of the workspace's.
	application any
	// unsure says that the application may be without it, or pass it by.
	unsure bool
	// sure says that it takes each request that it fits, whatever holes it has, and
	// whose parts are told where it has an exact form.
	sure bool
	// blind says that something answers here which is not known. It has no place.
	blind bool
	// tidied says that a slash at the end of a path changes nothing.
	tidied bool
	exact  *regexp.Regexp // narrows the path; nil for most
}

// pattern is a path with holes: part stands for the rest of one segment or a
// piece of it, word for one without dots, rest for anything, unknownPart for
// what the source does not tell.
type pattern string

const (
	part = "\x01"
	rest = "\x02"
	word = "\x04"
)

// sent is a character that stands for what a recipe fills in.
const sent = '\x03'

// asSent is the path without its query, and with its placeholders as sent.
func asSent(path string) string {
	path, _, _ = strings.Cut(path, "?")
	var made strings.Builder
	for {
		before, after, found := strings.Cut(path, "{")
		_, left, closed := strings.Cut(after, "}")
		if !found || !closed {
			made.WriteString(path)
			return made.String()
		}
		made.WriteString(before)
		made.WriteByte(sent)
		path = strings.TrimPrefix(left, "}") // {{name}} and {name}
	}
}

// longestPath bounds what is matched, in bytes.
const longestPath = 2048

// fits reports whether a path is one that the pattern answers.
func (p pattern) fits(path string) bool {
	if len(p) > longestPath || len(path) > longestPath {
		return false
	}
	// at[i] says that the pattern so far fits path[:i].
	at := make([]bool, len(path)+1)
	at[0] = true
	for i := range len(p) {
		next := make([]bool, len(path)+1)
		switch string(p[i]) {
		case rest, unknownPart:
			reached := false
			for j := range next {
				reached = reached || at[j]
				next[j] = reached
			}
		case part:
			for j := range len(path) {
				next[j+1] = (at[j] || next[j]) && path[j] != '/'
			}
		case word:
			for j := range len(path) {
				next[j+1] = (at[j] || next[j]) && path[j] != '/' && path[j] != '.'
			}
		default:
			for j := range len(path) {
				next[j+1] = at[j] && path[j] == p[i]
			}
		}
		at = next
	}
	return at[len(path)]
}

// isKnown reports whether the source tells the whole path.
func (p pattern) isKnown() bool { return !strings.Contains(string(p), unknownPart) }

// says reports whether anything of the path's end is known: what has no known
// end fits everything and tells nothing.
func (p pattern) says() bool {
	last := strings.LastIndexAny(string(p), unknownPart+rest)
	return strings.Trim(string(p[last+1:]), "/"+part+word) != ""
}

func (p pattern) isLiteral() bool { return !strings.ContainsAny(string(p), part+word+rest+unknownPart) }

func (r route) takes(method string) bool {
	return len(r.methods) == 0 || slices.Contains(r.methods, strings.ToUpper(method))
}

// choose gives the one route that answers a request, or why there is none.
func choose(routes []route, method, path, operation string) (route, Reason) {
	path = asSent(path)
	fitting := matching(routes, method, path)
	if len(fitting) == 0 {
		fitting = matching(routes, method, slashed(path)) // most redirect to it
	}
	fitting = byOperation(seen(fitting), operation)
	fitting = first(fitting, path)
	fitting, doubtful := placed(fitting)
	places := placesOf(fitting)
	switch {
	case len(places) == 0 || len(places) == 1 && doubtful:
		return route{}, Reason{Code: NoneFits}
	case len(places) > 1:
		return route{}, Reason{Code: SeveralFit, Places: places}
	}
	return fitting[0], Reason{}
}

// placed are the routes that have a place; doubtful where one without may answer
// instead. One that may have any path stands only before others of its application.
func placed(routes []route) (with []route, doubtful bool) {
	for _, one := range routes {
		if one.place != (Place{}) {
			with = append(with, one)
		}
	}
	for _, one := range routes {
		hidden := func(other route) bool { return other.application == one.application && other.order > one.order }
		doubtful = doubtful || one.place == (Place{}) && (one.path != rest || slices.ContainsFunc(with, hidden))
	}
	return with, doubtful
}

func slashed(path string) string {
	if trimmed := strings.TrimSuffix(path, "/"); trimmed != path {
		return trimmed
	}
	return path + "/"
}

func matching(routes []route, method, path string) []route {
	var fitting []route
	for _, one := range routes {
		asked := path
		if one.tidied {
			asked = cmp.Or(strings.TrimRight(path, "/"), "/")
		}
		if one.takes(method) && (one.path.isKnown() || one.path.says()) && one.path.fits(asked) && (one.exact == nil || one.exact.MatchString(asked)) {
			fitting = append(fitting, one)
		}
	}
	return fitting
}

// byOperation keeps those whose operationId is the schema's, where any is. One
// route alone that the schema calls something else is kept: APIs rename them.
func byOperation(routes []route, operation string) []route {
	if operation == "" {
		return routes
	}
	var named []route
	for _, one := range routes {
		if slices.Contains(one.operations, operation) {
			named = append(named, one)
		}
	}
	if len(named) > 0 {
		return named
	}
	return routes
}

// first leaves out routes that another of the same application is sure to be
// taken before.
func first(routes []route, path string) []route {
	var left []route
	for _, other := range routes {
		if !slices.ContainsFunc(routes, func(one route) bool { return one.precedes(other, path) }) {
			left = append(left, other)
		}
	}
	return left
}

// seen leaves out the routes that something comes before which is not known, and
// that itself.
func seen(routes []route) []route {
	var left []route
	for _, one := range routes {
		if !one.blind && !slices.ContainsFunc(routes, func(other route) bool { return other.blind && other.hides(one) }) {
			left = append(left, one)
		}
	}
	return left
}

// hides reports whether a route that is not known may be taken before one with
// holes: it is added before, or it is the more precise one.
func (r route) hides(other route) bool {
	if r.application != other.application || other.path.isLiteral() || !other.path.isKnown() || !r.path.isKnown() {
		return false
	}
	if r.order != 0 {
		return r.order < other.order
	}
	return r.path.isLiteral() || r.path.certain() > other.path.certain()
}

// certain is how much of a path has no holes, from its beginning.
func (p pattern) certain() int {
	if at := strings.IndexAny(string(p), part+word+rest+unknownPart); at >= 0 {
		return at
	}
	return len(p)
}

// precedes reports whether a route is sure to be taken before another: it comes
// earlier and takes all that it fits, or it has no holes, and was added earlier or
// is the more precise one.
func (r route) precedes(other route, path string) bool {
	switch {
	case r.application != other.application:
		return false
	case r.sure && r.order < other.order && (r.exact == nil || !strings.ContainsRune(path, sent)):
		return true
	}
	later := r.order == 0 || other.order > r.order
	return later && r.path.isLiteral() && !r.unsure && !other.path.isLiteral() && other.path.isKnown()
}

func placesOf(routes []route) []Place {
	var places []Place
	for _, one := range routes {
		if !slices.Contains(places, one.place) {
			places = append(places, one.place)
		}
	}
	return places
}
