package locate

import (
	"regexp"
	"slices"
	"strings"
)

// flask adds up the routes of an application and its blueprints. Its router
// prefers the more precise path.
func (c *collector) flask(of *instance, prefix string, depth int) {
	if depth > mostRouters || len(c.routes) > mostRoutes || len(prefix) > longestPath {
		return
	}
	for _, done := range of.events {
		given := done.arguments
		switch {
		case done.name == "route":
			c.addFlask(methodsOf(given.get("methods", -1), "GET"), prefix+given.path("rule", 0), done.handler)
		case slices.Contains(verbs[:5], done.name):
			c.addFlask([]string{strings.ToUpper(done.name)}, prefix+given.path("rule", 0), done.handler)
		case done.name == "add_url_rule":
			c.addFlask(methodsOf(given.get("methods", -1), "GET"), prefix+given.path("rule", 0), given.get("view_func", 2))
		case done.name == "register_blueprint":
			blueprint, ok := given.get("blueprint", 0).(*instance)
			if !ok {
				continue
			}
			own := blueprint.arguments.path("url_prefix", -1)
			switch given.get("url_prefix", -1).(type) {
			case nil:
			default:
				own = given.path("url_prefix", -1) // it replaces the blueprint's
			}
			c.flask(blueprint, prefix+own, depth+1)
		}
	}
}

func (c *collector) addFlask(methods []string, path string, handler value) {
	code := handlerOf(handler)
	if len(c.routes) > mostRoutes || len(path) > longestPath {
		return
	}
	if code == nil {
		c.routes = append(c.routes, route{methods: methods, path: angles(path), blind: true})
		return
	}
	c.routes = append(c.routes, route{methods: methods, path: angles(path), written: path, place: code.place(), code: code,
		operations: []string{code.name()}})
}

var angle = regexp.MustCompile(`<([^<>]*)>`)

// angles reads "/users/<int:id>" and "/files/<path:name>".
func angles(path string) pattern {
	return pattern(angle.ReplaceAllStringFunc(path, func(found string) string {
		if strings.HasPrefix(found, "<path:") {
			return rest
		}
		return part
	}))
}
