package locate

import (
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// railsCall reads one call of the mapper.
type railsCall func(r *railsRoutes, node syntax.Node, given rubyCall, s railsScope, depth int)

// railsCalls are those that Rails and what is often added to it have.
func railsCalls() map[string]railsCall {
	return map[string]railsCall{
		"match": func(r *railsRoutes, _ syntax.Node, given rubyCall, s railsScope, _ int) {
			r.verb("match", nil, given, s)
		},
		"root": (*railsRoutes).root, "mount": (*railsRoutes).mount, "draw": (*railsRoutes).drawn,
		"resources": (*railsRoutes).resources, "resource": (*railsRoutes).resources,
		"namespace": (*railsRoutes).namespace, "scope": (*railsRoutes).scope, "controller": (*railsRoutes).controller,
		"member": at(onMember), "collection": at(onCollection), "new": at(onNew), "nested": at(nestedIn),
		"constraints": (*railsRoutes).constraints, "defaults": (*railsRoutes).through, "devise_scope": (*railsRoutes).through, "as": (*railsRoutes).through,
		"authenticate": (*railsRoutes).guarded, "authenticated": (*railsRoutes).guarded, "unauthenticated": (*railsRoutes).guarded,
		"shallow": (*railsRoutes).shallowly, "concern": (*railsRoutes).concern, "concerns": (*railsRoutes).concerning,
		"devise_for": (*railsRoutes).devise,
	}
}

func at(level railsLevel) railsCall {
	return func(r *railsRoutes, node syntax.Node, _ rubyCall, s railsScope, depth int) {
		r.inside(node, s.at(level), depth)
	}
}

// inside reads the block of a call.
func (r *railsRoutes) inside(node syntax.Node, s railsScope, depth int) {
	body, parameters := rubyBlock(node)
	if len(parameters) > 0 || body.IsZero() && hasBlockArgument(node) {
		r.block(s)
		return
	}
	r.walk(body, s, depth+1)
}

func hasBlockArgument(node syntax.Node) bool {
	return !node.Field("arguments").Child("block_argument").IsZero()
}

func (r *railsRoutes) through(node syntax.Node, _ rubyCall, s railsScope, depth int) {
	r.inside(node, s, depth)
}

// guarded is a block whose routes only some are let to.
func (r *railsRoutes) guarded(node syntax.Node, _ rubyCall, s railsScope, depth int) {
	s.unsure = true
	r.inside(node, s, depth)
}

func (r *railsRoutes) shallowly(node syntax.Node, _ rubyCall, s railsScope, depth int) {
	s.shallow = true
	r.inside(node, s, depth)
}

func (r *railsRoutes) controller(node syntax.Node, given rubyCall, s railsScope, depth int) {
	s = s.open(r.names, given)
	for _, one := range given.values {
		s.controller = r.names.text(one, 0)
	}
	r.inside(node, s, depth)
}

func (r *railsRoutes) constraints(node syntax.Node, given rubyCall, s railsScope, depth int) {
	s = s.unopened(r.names, given)
	if len(given.values) > 0 {
		s.unsure = true
	}
	r.inside(node, s, depth)
}

// unopened adds constraints(subdomain: "api").
func (s railsScope) unopened(names rubyNames, given rubyCall) railsScope {
	for name, value := range given.options {
		if slices.Contains(requested, name) {
			s.unsure = true
			continue
		}
		s.unsure = s.unsure || !slices.Contains([]string{"regex", "string"}, value.Kind())
		s = s.expecting(name, regexOf(value))
	}
	s.unsure = s.unsure || given.open
	return s
}

func (r *railsRoutes) scope(node syntax.Node, given rubyCall, s railsScope, depth int) {
	if len(given.values) > 0 {
		var path strings.Builder
		for _, one := range given.values {
			segments, _ := r.names.list(one, 0)
			if len(segments) == 0 && one.Kind() != "nil" {
				segments = []string{unknownPart}
			}
			path.WriteString("/" + strings.Join(segments, "/"))
		}
		delete(given.options, "path")
		s = s.below(path.String())
		if s.level != nestedIn && !given.has("shallow_path") {
			s.shallowPath += path.String()
		}
	}
	r.inside(node, s.open(r.names, given), depth)
}

func (r *railsRoutes) namespace(node syntax.Node, given rubyCall, s railsScope, depth int) {
	if len(given.values) != 1 {
		r.block(s)
		return
	}
	if s.inResource() {
		s = s.at(nestedIn)
	}
	name := r.names.text(given.values[0], 0)
	path := name
	if given.has("path") {
		if path = r.names.text(given.options["path"], 0); given.options["path"].Kind() == "nil" {
			path = ""
		}
		delete(given.options, "path")
	}
	s = s.below(path)
	if !given.has("shallow_path") {
		s.shallowPath += "/" + path
	}
	if !given.has("module") {
		s.module = strings.TrimPrefix(s.module+"/"+name, "/")
	}
	r.inside(node, s.open(r.names, given), depth)
}

func (r *railsRoutes) root(node syntax.Node, given rubyCall, s railsScope, _ int) {
	one := railsMatch{r: r, methods: reads, given: given}
	switch {
	case given.open || len(given.values) > 1:
		r.block(s)
		return
	case len(given.values) == 1:
		one.target(given.values[0], false)
	case given.has("to"):
		one.target(given.options["to"], false)
	}
	if s.level == manyResources {
		s = s.below(s.resource.path)
	} else if s.level == oneResource {
		s = s.at(onMember)
	}
	target := one.chosen("/", false, s)
	s = s.below("/").formatted(given.options["format"]).constrained(r.names, given)
	r.put(one.methods, r.paths(one.ending(s), s), s, target, false)
}

// mount leaves everything below its path to what is mounted.
func (r *railsRoutes) mount(_ syntax.Node, given rubyCall, s railsScope, _ int) {
	at := unknownPart
	switch {
	case given.has("at"):
		at = r.names.text(given.options["at"], 0)
	case len(given.pairs) > 0:
		at = r.names.text(given.pairs[0][1], 0)
	}
	if s.inResource() {
		s = s.at(nestedIn)
	}
	r.block(s.below(at))
}

// drawn reads a file of config/routes.
func (r *railsRoutes) drawn(_ syntax.Node, given rubyCall, s railsScope, depth int) {
	if len(given.values) != 1 {
		r.block(s)
		return
	}
	tree, whole := r.app.drawn(r.names.text(given.values[0], 0))
	if tree == nil {
		r.block(s)
		return
	}
	s.unsure = s.unsure || !whole
	r.walk(tree.Root(), s, depth+mostDepth/mostRouters)
}

func (r *railsRoutes) concern(node syntax.Node, given rubyCall, s railsScope, _ int) {
	for _, one := range given.values[:min(1, len(given.values))] {
		r.concerns[r.names.text(one, 0)] = node
	}
}

func (r *railsRoutes) concerning(_ syntax.Node, given rubyCall, s railsScope, depth int) {
	for _, one := range given.values {
		r.concerned(one, s, depth)
	}
	if given.open || len(given.options) > 0 {
		r.block(s)
	}
}

// concerned adds what concerns name.
func (r *railsRoutes) concerned(node syntax.Node, s railsScope, depth int) {
	names, told := r.names.list(node, 0)
	if !told {
		r.block(s)
	}
	for _, name := range names {
		known, has := r.concerns[name]
		body, _ := rubyBlock(known)
		if !has || body.IsZero() {
			r.block(s)
			continue
		}
		r.inside(known, s, depth+mostDepth/mostRouters)
	}
}
