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

// isTold reports whether the source says anything of where the route answers.
func (r route) isTold() bool { return r.path.isKnown() || r.path.says() }

func (r route) takes(method string) bool {
	return len(r.methods) == 0 || slices.Contains(r.methods, strings.ToUpper(method))
}

// choose gives the one route that answers a request, or why there is none.
func choose(routes []route, method, path, operation string) (route, Reason) {
	asked := request{method, path, operation}
	fitting := matching(routes, method, asSent(path))
	if !slices.ContainsFunc(fitting, route.isTold) {
		fitting = matching(routes, method, slashed(asSent(path))) // most redirect to it
	}
	fitting = besides(byOperation(fitting, operation))
	if len(fitting) > mostFitting {
		return route{}, doubt(placesOf(fitting[:mostFitting]))
	}
	fitting = first(fitting, asSent(path))
	found := seen(fitting)
	var instead []route
	for _, other := range fitting {
		if slices.ContainsFunc(found, func(one route) bool { return other.hides(one) || other.isMeant(one, asked) }) {
			instead = append(instead, other)
		}
	}
	places := placesOf(slices.Concat(found, instead))
	if len(places) != 1 || len(instead) > 0 {
		return route{}, doubt(places)
	}
	return found[0], Reason{}
}

// mostFitting bounds the routes that are compared with each other.
const mostFitting = 2000

// doubt is why none of some places is the one.
func doubt(places []Place) Reason {
	if len(places) > 1 {
		return Reason{Code: SeveralFit, Places: places}
	}
	return Reason{Code: NoneFits}
}

// besides leaves out the routes whose path is not told where none of their
// application fits: they hide nothing.
func besides(routes []route) []route {
	fits := map[any]bool{}
	for _, one := range routes {
		fits[one.application] = fits[one.application] || one.isAnswer()
	}
	return slices.DeleteFunc(slices.Clone(routes), func(one route) bool { return !one.isTold() && !fits[one.application] })
}

// isAnswer reports whether it is known where a route answers, and with what. The
// others only make it doubtful that one of these does.
func (r route) isAnswer() bool { return r.place != (Place{}) && r.isTold() }

// request is what is asked for, with the operationId that a schema has for it.
type request struct{ method, path, operation string }

// isFor reports whether a schema that has the request calls the route so.
func (r route) isFor(asked request) bool {
	if asked.operation == "" {
		return false
	}
	madeUp := r.code != nil && !r.isTold() && asked.operation == operationOf(r.code.name(), asked.path, asked.method)
	return madeUp || slices.Contains(r.operations, asked.operation)
}

// isMeant reports whether the schema names a route whose path is not told, and not
// the one that was found. It does not say more of one whose path is told: APIs
// rename their operations.
func (r route) isMeant(found route, asked request) bool {
	return !r.isAnswer() && r.application == found.application && r.isFor(asked) && !found.isFor(asked)
}

func slashed(path string) string {
	if trimmed := strings.TrimSuffix(path, "/"); trimmed != path {
		return trimmed
	}
	return path + "/"
}

// matching are the routes that fit, those among them whose path is not told.
func matching(routes []route, method, path string) []route {
	var fitting []route
	for _, one := range routes {
		asked := path
		if one.tidied {
			asked = cmp.Or(strings.TrimRight(path, "/"), "/")
		}
		if one.takes(method) && one.path.fits(asked) && (one.exact == nil || one.exact.MatchString(asked)) {
			fitting = append(fitting, one)
		}
	}
	return fitting
}

// byOperation keeps of the routes that may be found those whose operationId is the
// schema's, where any is. One route alone that the schema calls something else is
// kept: APIs rename them.
func byOperation(routes []route, operation string) []route {
	isNamed := func(one route) bool { return one.isAnswer() && slices.Contains(one.operations, operation) }
	if operation == "" || !slices.ContainsFunc(routes, isNamed) {
		return routes
	}
	return slices.DeleteFunc(slices.Clone(routes), func(one route) bool { return one.isAnswer() && !isNamed(one) })
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

// seen are the routes that may be found. One that something hides is left out
// where another is tried before both.
func seen(routes []route) []route {
	hidden := make([]bool, len(routes))
	tried := map[any]int{} // the first of an application that is sure to be tried
	for i, one := range routes {
		hidden[i] = one.isAnswer() && slices.ContainsFunc(routes, func(other route) bool { return other.hides(one) })
		if order, known := tried[one.application]; one.isAnswer() && !hidden[i] && !one.unsure && (!known || one.order < order) {
			tried[one.application] = one.order
		}
	}
	var left []route
	for i, one := range routes {
		order, known := tried[one.application]
		if before := known && order < one.order; one.isAnswer() && !(hidden[i] && before) {
			left = append(left, one)
		}
	}
	return left
}

// hides reports whether a route of which the place or the path is not known may be
// taken before another that fits, too.
func (r route) hides(other route) bool {
	switch {
	case r.isAnswer():
		return false
	case r.isElsewhere() && r.isTold() && r.path != rest:
		return true
	case r.application != other.application:
		return false
	case r.isElsewhere():
		return r.order < other.order
	case other.path.isLiteral() || !other.path.isKnown():
		return false // it keeps its answer: few paths are given twice
	case r.order != 0:
		return r.order < other.order
	}
	return !r.path.isKnown() || r.path.isLiteral() || r.path.certain() > other.path.certain()
}

// isElsewhere reports whether the handler is none of the workspace's.
func (r route) isElsewhere() bool { return r.place == (Place{}) && !r.blind }

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
		if one.place != (Place{}) && !slices.Contains(places, one.place) {
			places = append(places, one.place)
		}
	}
	return places
}
