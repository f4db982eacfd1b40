package locate

import (
	"bytes"
	"context"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// named are names in the text of Python files that use a framework.
var named = []string{"fastapi", "starlette", "APIRouter", "flask"}

// readPython runs what the application is started with, or where that is not
// known every module that names a framework.
func readPython(ctx context.Context, files *files, start Start) (*python, []route) {
	sources := files.withTests(pythonFile)
	if len(sources) == 0 || files.start.django {
		return nil, nil
	}
	folder, command := inside(start.Folder), start.Command
	if files.start.language == pythonFile && files.start.words != nil {
		folder, command = files.start.folder, files.start.words
	}
	p := newPython(ctx, files, []string{folder, path.Join(folder, "src")})
	if servers := p.started(folder, command); len(servers) > 0 {
		if routes := p.routesOf(servers); len(routes) > 0 {
			return p, routes
		}
	}
	if folder != "" { // what lies there comes before what lies elsewhere
		if p, routes := readAll(ctx, files, below(sources, folder), []string{folder, path.Join(folder, "src")}); len(routes) > 0 {
			return p, routes
		}
	}
	return readAll(ctx, files, files.of(pythonFile), nil)
}

func readAll(ctx context.Context, files *files, sources, roots []string) (*python, []route) {
	p := newPython(ctx, files, roots)
	sources = slices.DeleteFunc(slices.Clone(sources), func(name string) bool { return !mentions(files.read(name), named) })
	for _, file := range sources {
		p.load(file)
	}
	return p, p.routesOf(p.servers())
}

func below(files []string, folder string) []string {
	return slices.DeleteFunc(slices.Clone(files), func(file string) bool {
		inner, inside := strings.CutPrefix(file, folder+"/")
		return !inside || isTest(inner)
	})
}

func inside(folder string) string {
	if folder = path.Clean("/" + folder)[1:]; folder == "." {
		return ""
	}
	return folder
}

func mentions(source []byte, names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return bytes.Contains(source, []byte(name)) })
}

// target is what servers are told to run: "package.module:app".
var target = regexp.MustCompile(`^([A-Za-z_][\w.]*):([A-Za-z_]\w*)(\(\))?$`)

// started are the applications of the words of a command.
func (p *python) started(folder string, command []string) []*instance {
	for i, word := range command {
		if word == "--app-dir" && i+1 < len(command) {
			p.roots = append([]string{path.Join(folder, inside(command[i+1]))}, p.roots...)
		}
	}
	for i, word := range command {
		if parts := target.FindStringSubmatch(word); parts != nil {
			if found := p.findStarted(strings.Split(parts[1], ".")); found != nil {
				return p.application(p.member(found, parts[2]), found)
			}
			continue
		}
		file := path.Join(folder, inside(word))
		if i > 0 && command[i-1] == "-m" && !strings.HasPrefix(word, "-") {
			if found := p.findStarted(strings.Split(word, ".")); found != nil {
				return p.servers()
			}
		}
		if languageOf(word) == pythonFile && p.files.has(file) {
			p.load(file)
			return p.servers()
		}
	}
	return nil
}

func (p *python) findStarted(names []string) *module {
	for _, root := range p.roots {
		if found := p.find(root, names); found != nil && found.file != "" {
			return found
		}
	}
	return nil
}

// application is the instance of a name, made by it, or all there are where the
// value is not known.
func (p *python) application(v value, at *module) []*instance {
	if factory, ok := v.(*function); ok {
		v = p.run(factory, nil, arguments{}, 1)
	}
	if made, ok := v.(*instance); ok {
		if made.isServer() {
			return []*instance{made}
		}
		for _, wrapped := range made.arguments.positional { // a middleware around it
			if inner, ok := wrapped.(*instance); ok && inner.isServer() {
				return []*instance{inner}
			}
		}
	}
	return p.servers()
}

// servers are the applications that no other mounts.
func (p *python) servers() []*instance {
	mounted := map[*instance]bool{}
	for _, made := range p.made {
		for _, done := range made.events {
			if done.name == "mount" {
				if sub, ok := done.arguments.get("app", 1).(*instance); ok {
					mounted[sub] = true
				}
			}
		}
		if strings.HasSuffix(string(made.of), ".Mount") {
			if sub, ok := made.arguments.get("app", 1).(*instance); ok {
				mounted[sub] = true
			}
		}
	}
	var servers []*instance
	for _, made := range p.made {
		if made.isServer() && !mounted[made] {
			servers = append(servers, made)
		}
	}
	return servers
}

func isServer(of external) bool {
	return slices.Contains([]external{"fastapi.FastAPI", "fastapi.applications.FastAPI", "starlette.applications.Starlette", "flask.Flask", "flask.app.Flask"}, of)
}

func (i *instance) isServer() bool { return isServer(i.of) }

func (i *instance) isFlask() bool { return strings.HasPrefix(string(i.of), "flask.") }

func (p *python) routesOf(servers []*instance) []route {
	var all []route
	for _, server := range servers {
		c := collector{python: p, order: 1}
		if server.isFlask() {
			c.flask(server, "", 0)
		} else {
			c.collect(server, "", 0)
		}
		for i := range c.routes {
			c.routes[i].application = server
		}
		all = append(all, c.routes...)
	}
	return all
}

// collector adds up the routes of one application in the order in which its
// router tries them.
type collector struct {
	python *python
	routes []route
	order  int
}

const (
	mostRoutes  = 20_000
	mostRouters = 12 // inside each other
)

var verbs = []string{"get", "post", "put", "delete", "patch", "options", "head", "trace"}

func (c *collector) collect(of *instance, prefix string, depth int) {
	if depth > mostRouters || len(c.routes) > mostRoutes || len(prefix) > longestPath {
		return
	}
	if routes, ok := of.arguments.get("routes", -1).(list); ok {
		c.listed(routes, prefix, depth)
	}
	for _, done := range of.events {
		given := done.arguments
		switch {
		case slices.Contains(verbs, done.name):
			c.add([]string{strings.ToUpper(done.name)}, prefix+given.path("path", 0), done.handler, given)
		case done.name == "api_route" || done.name == "route":
			c.add(methodsOf(given.get("methods", 1), "GET"), prefix+given.path("path", 0), done.handler, given)
		case done.name == "add_api_route" || done.name == "add_route":
			handler := given.get("endpoint", 1)
			if handler == nil {
				handler = given.get("route", 1)
			}
			c.add(methodsOf(given.get("methods", 2), "GET"), prefix+given.path("path", 0), handler, given)
		case done.name == "include_router":
			below := prefix + given.path("prefix", -1)
			router, ok := given.get("router", 0).(*instance)
			if ok {
				c.collect(router, below+router.arguments.path("prefix", -1), depth+1)
			}
			if !ok || !isKnownRouter(router.of) {
				c.blind(nil, below+"{:path}")
			}
		case done.name == "mount":
			if sub, ok := given.get("app", 1).(*instance); ok {
				c.collect(sub, prefix+strings.TrimSuffix(given.path("path", 0), "/")+sub.arguments.path("prefix", -1), depth+1)
			}
		}
	}
}

// listed are the routes that Starlette is given as a list.
func (c *collector) listed(routes list, prefix string, depth int) {
	for _, one := range routes {
		made, ok := one.(*instance)
		if !ok {
			continue
		}
		given := made.arguments
		switch path := prefix + given.path("path", 0); {
		case strings.HasSuffix(string(made.of), "APIRoute"):
			c.add(methodsOf(given.get("methods", -1), "GET"), path, given.get("endpoint", 1), given)
		case strings.HasSuffix(string(made.of), ".Route"):
			c.add(methodsOf(given.get("methods", 2), "GET"), path, given.get("endpoint", 1), given)
		case strings.HasSuffix(string(made.of), ".Mount") && depth < mostRouters:
			path = strings.TrimSuffix(path, "/")
			if inner, ok := given.get("routes", 2).(list); ok {
				c.listed(inner, path, depth+1)
			}
			if sub, ok := given.get("app", 1).(*instance); ok {
				c.collect(sub, path, depth+1)
			}
		}
	}
}

func methodsOf(v value, fallback string) []string {
	listed, ok := v.(list)
	if !ok {
		if v != nil {
			return nil // not known: any
		}
		return []string{fallback}
	}
	var methods []string
	for _, one := range listed {
		name, known := one.(text)
		if !known {
			return nil
		}
		methods = append(methods, strings.ToUpper(string(name)))
	}
	return methods
}

func (c *collector) add(methods []string, path string, handler value, given arguments) {
	code := handlerOf(handler)
	if len(c.routes) > mostRoutes || len(path) > longestPath {
		return
	}
	if code == nil {
		c.blind(methods, path)
		return
	}
	made := route{methods: methods, path: braces(path), place: code.place(), code: code, written: path, order: c.order}
	if id, ok := given.get("operation_id", -1).(text); ok {
		made.operations = []string{string(id)}
	} else if len(methods) > 0 {
		made.operations = []string{operationOf(code.name(), path, methods[0]), code.name()}
	}
	c.order++
	c.routes = append(c.routes, made)
}

// isKnownRouter reports whether all that a router answers is told: a library's has
// routes of its own.
func isKnownRouter(of external) bool {
	return isServer(of) || strings.HasSuffix(string(of), ".APIRouter") || strings.HasSuffix(string(of), ".Router")
}

// blind notes that something which is not known answers.
func (c *collector) blind(methods []string, path string) {
	c.routes = append(c.routes, route{methods: methods, path: braces(path), order: c.order, blind: true})
	c.order++
}

// handlerOf is the function that is called; nil where that is not known.
func handlerOf(v value) *function {
	switch given := v.(type) {
	case *function:
		return given
	case method:
		return given.call
	case *instance:
		if given.of == "functools.partial" {
			return handlerOf(given.arguments.get("func", 0))
		}
	}
	return nil
}

var noWord = regexp.MustCompile(`\W`)

// operationOf is the operationId that FastAPI makes up.
func operationOf(name, path, method string) string {
	return noWord.ReplaceAllString(name+path, "_") + "_" + strings.ToLower(method)
}

var hole = regexp.MustCompile(`\{([^{}:]*)(:[^{}]*)?\}`)

// braces reads "/users/{id}" and "/files/{name:path}".
func braces(path string) pattern {
	return pattern(hole.ReplaceAllStringFunc(path, func(found string) string {
		if strings.HasSuffix(found, ":path}") {
			return rest
		}
		return part
	}))
}

// parameters are what FastAPI gives a handler.
func (p *python) parameters(of *function, path string, depth int) arguments {
	made := arguments{named: map[string]value{}}
	for parameter := range of.node.Field("parameters").Children() {
		name := parameter.Field("name").Text()
		if parameter.Kind() == "identifier" {
			name = parameter.Text()
		}
		if parameter.Kind() == "typed_parameter" {
			name = parameter.Child("identifier").Text()
		}
		if name != "" && len(made.named) < mostItems {
			made.named[name] = p.parameter(of, parameter, name, path, depth)
		}
	}
	return made
}

func (p *python) parameter(of *function, node syntax.Node, name, path string, depth int) value {
	at := Place{of.module.file, node.Line()}
	var known value
	for child := range node.Field("type").Children() {
		known = p.eval(child, of.scope, 0)
	}
	kinds, ok := known.(annotated)
	if !ok {
		kinds = annotated{known}
	}
	fallback := p.eval(node.Field("value"), of.scope, 0)
	for _, one := range slices.Backward(append(slices.Clone(kinds), fallback)) {
		if v, decided := p.injected(one, kinds, name, at, depth); decided {
			return v
		}
	}
	if external, ok := kinds[0].(external); ok && strings.HasSuffix(string(external), "Response") {
		return p.make(external, nil, arguments{}, point{of.scope, node.Start(), at.Line})
	}
	switch {
	case strings.Contains(path, "{"+name):
		return newSent(origin{name: name, from: "the path", at: at})
	case isModel(kinds[0]):
		return &sentPart{"the JSON body", kinds[0].(*class).name()}
	case strings.HasPrefix(strings.ToLower(node.Field("type").Text()), "dict"):
		return &sentPart{from: "the JSON body"}
	case p.assumes && !isScalar(node.Field("type").Text()):
		return p.assume(node, kinds[0], name, at)
	case node.Field("type").IsZero():
		return wholeRequest{} // Starlette gives its handlers the request alone
	case isScalar(node.Field("type").Text()):
		return newSent(origin{name: name, from: "the query", at: at})
	}
	return nil
}

// model is a class that is not in the source.
func model(kinds annotated) (string, bool) {
	if len(kinds) == 0 {
		return "", false
	}
	of, ok := kinds[0].(external)
	return string(of), ok && !strings.Contains(string(of), ".")
}

func isModel(v value) bool {
	c, ok := v.(*class)
	return ok && strings.HasPrefix(string(c.library()), "pydantic.")
}

var scalar = regexp.MustCompile(`^(Optional\[)?(str|int|bytes|UUID|bool|float)\b`)

func isScalar(annotation string) bool { return scalar.MatchString(annotation) }

var sources = map[string]string{
	"Query": "the query", "Header": "a header", "Cookie": "a cookie", "Form": "the form", "Body": "the JSON body", "Path": "the path",
	"APIKeyCookie": "a cookie", "APIKeyHeader": "a header", "APIKeyQuery": "the query",
}

const mostDependencies = 8

// injected is what a declaration like Query() or Depends() gives.
func (p *python) injected(v value, kinds annotated, name string, at Place, depth int) (value, bool) {
	if isRequest(v) {
		return wholeRequest{}, true
	}
	made, ok := v.(*instance)
	if !ok || !strings.HasPrefix(string(made.of), "fastapi.") {
		return nil, false
	}
	last := string(made.of)[strings.LastIndex(string(made.of), ".")+1:]
	if last == "Depends" || last == "Security" {
		needed := made.arguments.get("dependency", 0)
		if needed == nil && len(kinds) > 0 {
			needed = kinds[0]
		}
		return p.dependency(needed, name, at, depth), true
	}
	from, known := sources[last]
	if !known {
		return nil, false
	}
	if alias := made.arguments.path("alias", -1); alias != "" {
		name = alias
	} else if strings.HasPrefix(last, "APIKey") {
		name = made.arguments.path("name", -1)
	} else if last == "Header" {
		name = strings.ReplaceAll(name, "_", "-")
	}
	part := &sentPart{from: from}
	if unwritten, ok := model(kinds); ok && p.assumes {
		part.model = unwritten
		return part, true
	}
	if len(kinds) > 0 && isModel(kinds[0]) {
		part.model = kinds[0].(*class).name()
		return part, true
	}
	return part.value(name, at), true
}

func isRequest(v value) bool {
	name, ok := v.(external)
	return ok && slices.Contains([]external{"fastapi.Request", "fastapi.requests.Request", "starlette.requests.Request", "starlette.requests.HTTPConnection"}, name)
}

// dependency is what FastAPI gets from calling one.
func (p *python) dependency(needed value, name string, at Place, depth int) value {
	if depth > mostDependencies {
		return nil
	}
	switch given := needed.(type) {
	case *function:
		return p.run(given, nil, p.parameters(given, "", depth+1), depth+1)
	case *instance:
		v, _ := p.injected(given, nil, name, at, depth)
		return v
	case *class:
		made := p.make(given.library(), given, arguments{}, point{})
		if constructor, ok := given.member("__init__").(*function); ok {
			p.run(constructor, made, p.parameters(constructor, "", depth+1), depth+1)
		}
		return made
	}
	return nil
}
