package locate

import (
	"slices"
	"strings"
)

// router is what a framework adds routes to. One is mounted in another, and one
// value may be known by several names.
type router struct {
	entries []entry
	// made says that the source makes it: its paths begin where it is mounted,
	// and at the root where it is not.
	made    bool
	mounted bool
	// isPart says that it answers nobody unless it is mounted.
	isPart  bool
	dialect dialect
	same    *router // the router that this one turned out to be
	// shared says that it stands for several at once: which of its routes one of
	// them has is not known.
	shared bool
	// choices are the routers that it is one of; each of them mounts it.
	choices []*router
	// by is who adds to it. Where several do, what is added first is not known.
	by any
}

// entry is a route, or a router that is mounted. Where it is both, it is a route
// unless the router has routes: a function may give either.
type entry struct {
	prefix string // of the router
	inner  *router
	path   string // of the route
	route  *route
	within string // the path that leads here, where it is not stripped
	// unsure says that a condition decides whether it is added.
	unsure bool
}

// dialect is how a framework writes paths.
type dialect struct {
	name string
	// holes gives the pattern of a whole path.
	holes func(path string) pattern
	// ordered says that the first route that fits is taken.
	ordered bool
}

// itself is the router that stands for all that are the same.
func (r *router) itself() *router {
	for r.same != nil {
		r = r.same
	}
	return r
}

// is makes two routers one.
func (r *router) is(other *router) {
	into, from := r.itself(), other.itself()
	if into == from {
		return
	}
	into.entries = append(into.entries, from.entries...)
	into.choices = append(into.choices, from.choices...)
	into.shared = into.shared || from.shared || into.made && from.made
	into.isPart = into.isPart && into.made || from.isPart && from.made && !into.made
	into.made, into.mounted = into.made || from.made, into.mounted || from.mounted
	if into.by == nil {
		into.by = from.by
	} else if from.by != nil {
		into.addedBy(from.by)
	}
	if into.dialect.name == "" {
		into.dialect = from.dialect
	}
	from.entries, from.same = nil, into
}

// hasRoutes reports whether it is a router at all, or anything is added to it.
func (r *router) hasRoutes() bool { return r.itself().leads(map[*router]bool{}) }

func (r *router) leads(seen map[*router]bool) bool {
	if seen[r] {
		return false
	}
	seen[r] = true
	return r.made || slices.ContainsFunc(r.entries, func(one entry) bool {
		return one.route != nil || one.inner.itself().leads(seen)
	})
}

func (r *router) add(path string, one route) { r.put(entry{path: path, route: &one}) }

func (r *router) mount(prefix string, inner *router) { r.put(entry{prefix: prefix, inner: inner}) }

func (r *router) put(one entry) {
	own := r.itself()
	if len(own.entries) >= mostRoutes || one.inner != nil && one.inner.itself() == own {
		return
	}
	if one.inner != nil && !slices.Contains(one.inner.itself().choices, r) {
		for _, choice := range one.inner.itself().choices {
			other := one
			other.inner = choice
			own.entries, choice.itself().mounted = append(own.entries, other), true
		}
	}
	if one.inner != nil {
		one.inner.itself().mounted = true
	}
	own.entries = append(own.entries, one)
}

// addedBy notes a function or a file that adds to a router.
func (r *router) addedBy(who any) {
	own := r.itself()
	if own.by == nil {
		own.by = who
	}
	own.shared = own.shared || own.dialect.ordered && own.by != who
}

// mounts adds up the routes of routers.
type mounts struct {
	routes []route
	steps  int
	order  int
	// application is the router that all of what is collected belongs to.
	application *router
}

// standing is what leads to a router.
type standing struct {
	depth  int
	within pattern // that the whole path fits; "" for any
	unsure bool
}

// routesIn are the routes of all routers: from the root for those that are made
// and never mounted, from somewhere for those that come from where is not known.
func routesIn(routers []*router) []route {
	var all mounts
	seen := map[*router]bool{}
	for _, one := range routers {
		own := one.itself()
		if own.mounted || seen[own] {
			continue
		}
		seen[own] = true
		prefix := ""
		if !own.made || own.isPart {
			prefix = unknownPart
		}
		all.order, all.application = 0, own
		all.collect(own, prefix, own.dialect, standing{})
	}
	return all.routes
}

func (m *mounts) collect(of *router, prefix string, by dialect, at standing) {
	if at.depth > mostRouters || len(prefix) > longestPath {
		return
	}
	if of.dialect.name != "" {
		by = of.dialect
	}
	for _, one := range of.entries {
		if m.steps++; m.steps > mostRoutes {
			return
		}
		path := joined(prefix, one.prefix)
		unsure := at.unsure || one.unsure || of.shared
		if one.inner != nil && (one.route == nil || one.inner.hasRoutes()) {
			below := standing{at.depth + 1, at.within, unsure}
			if one.within != "" {
				below.within = by.pattern(joined(prefix, one.within))
			}
			m.collect(one.inner.itself(), path, by, below)
			continue
		}
		path = joined(prefix, one.path)
		made := *one.route
		made.unsure, made.application = unsure, m.application
		made.written = path
		made.path = by.pattern(path)
		if made.path.isLiteral() && at.within != "" && !at.within.fits(string(made.path)) {
			continue // what leads here does not let it through
		}
		if by.ordered {
			m.order++
			made.order = m.order
		}
		m.routes = append(m.routes, made)
	}
}

func (d dialect) pattern(path string) pattern {
	if d.holes == nil {
		return pattern(path)
	}
	return d.holes(path)
}

// joined puts a path behind a prefix with one slash between them.
func joined(prefix, path string) string {
	switch {
	case path == "":
		return prefix
	case strings.HasSuffix(prefix, "/"):
		return prefix + strings.TrimPrefix(path, "/")
	case strings.HasPrefix(path, "/") || strings.HasPrefix(path, unknownPart):
		return prefix + path
	}
	return prefix + "/" + path
}

// curly reads "/users/{id:[0-9]{3}}", "/files/{name...}" and "/files/*".
func curly(path string) pattern {
	var made strings.Builder
	depth, from := 0, 0
	for at, char := range path {
		switch {
		case char == '{':
			if depth++; depth == 1 {
				from = at
			}
		case char == '}' && depth > 0:
			if depth--; depth == 0 {
				made.WriteString(curlyHole(path[from+1 : at]))
			}
		case depth > 0:
		case char == '*':
			made.WriteString(rest)
		default:
			made.WriteRune(char)
		}
	}
	return pattern(made.String())
}

func curlyHole(name string) string {
	_, shape, _ := strings.Cut(name, ":")
	switch {
	case name == "$":
		return ""
	case strings.HasSuffix(name, "...") || strings.HasPrefix(name, "*") || strings.ContainsAny(shape, ".*/"):
		return rest
	}
	return part
}

// colons reads "/users/:id" and "/files/*name"; what may be left out, and what
// is a pattern of its own, stands for anything.
func colons(path string) pattern {
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		if at := strings.IndexAny(segment, ":*+({"); at >= 0 {
			hole := part
			if segment[at] != ':' || strings.ContainsAny(segment[at:], "?*(+") {
				hole = rest
			}
			segments[i] = segment[:at] + hole
		}
	}
	return pattern(strings.Join(segments, "/"))
}

// setter is a line that sets a cookie whose name the source tells.
type setter struct {
	name string
	at   Place
}

// setterLine is the one line that sets the cookie behind a handler.
func setterLine(routes []route, handler Place, name string) (Place, bool) {
	var found []Place
	for _, one := range routes {
		if one.place != handler {
			continue
		}
		for _, set := range one.setters {
			if set.name == name && !slices.Contains(found, set.at) {
				found = append(found, set.at)
			}
		}
	}
	if len(found) != 1 {
		return Place{}, false
	}
	return found[0], true
}
