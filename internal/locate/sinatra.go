package locate

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// sinatra reads the routes of one class, or of the top of one file: an
// application that takes the first that fits.
type sinatra struct {
	*rubyCode
	file     string
	name     string // of its routes
	class    *rubyClass
	prefix   string // unknownPart where it is mounted
	sessions []setter
	routes   []route
	order    int
}

func readSinatra(ctx context.Context, files *files) []route {
	var all []route
	code := newRubyCode(ctx, files)
	mounted := false
	var apps []*sinatra
	for _, name := range files.of(rubyFile) {
		source := uncommented(files.read(name))
		mounted = mounted || strings.HasSuffix(name, railsRoutesFile) || mentions(source, []string{"Rack::URLMap", "Rack::Builder"})
		if files.start.begins(name) && mentions(source, []string{"sinatra", "Sinatra::"}) {
			apps = append(apps, code.sinatra(name)...)
		}
	}
	if len(apps) == 0 {
		return nil
	}
	for folder := range files.folders {
		mounted = mounted || mapped.Match(uncommented(files.read(folder+"/config.ru")))
	}
	mounted = mounted || mapped.Match(uncommented(files.read("config.ru")))
	for _, app := range apps {
		if mounted {
			app.prefix = unknownPart
		}
		for _, part := range app.class.parts {
			app.read(part.body, app.prefix, false, 0)
		}
		all = append(all, app.routes...)
	}
	return all
}

// sinatra are the applications of a file.
func (a *rubyCode) sinatra(file string) []*sinatra {
	tree := a.files.tree(a.ctx, file, syntax.Ruby)
	if tree == nil || isBroken(tree) {
		return nil
	}
	var apps []*sinatra
	if classic.MatchString(string(uncommented(a.files.read(file)))) {
		top := &rubyClass{name: file, parts: []rubyPart{{file: file, node: tree.Root(), body: tree.Root()}}}
		apps = append(apps, &sinatra{rubyCode: a, file: file, name: file, class: top})
	}
	for _, class := range a.definitions(file) {
		if above := class.parts[0].node.Field("superclass").Text(); modular.MatchString(above) {
			apps = append(apps, &sinatra{rubyCode: a, file: file, name: file + " " + class.name, class: class})
		}
	}
	return apps
}

var (
	classic = regexp.MustCompile(`(?m)^\s*require\s*\(?\s*["']sinatra["']`)
	modular = regexp.MustCompile(`^<\s*(::)?Sinatra::(Base|Application)$`)
)

// read adds the routes of a body in the order of the source.
func (s *sinatra) read(body syntax.Node, prefix string, unsure bool, depth int) {
	if depth > mostNesting || len(s.routes) > mostRoutes {
		return
	}
	for statement := range body.Children() {
		if !s.step() {
			return
		}
		switch kind := statement.Kind(); {
		case slices.Contains(conditional, kind) || kind == "then" || kind == "else":
			s.read(statement, prefix, true, depth+1)
		case kind == "call":
			s.call(statement, prefix, unsure, depth)
		}
	}
}

func (s *sinatra) call(node syntax.Node, prefix string, unsure bool, depth int) {
	method, given := node.Field("method").Text(), rubyArguments(node)
	block, _ := rubyBlock(node)
	bare := node.Field("receiver").IsZero()
	switch {
	case bare && railsVerbs[method] != nil && len(given.values) > 0:
		s.add(node, railsVerbs[method], given, prefix, unsure)
	case bare && (method == "enable" || method == "set" || method == "use"):
		s.session(node, method, given)
	case bare && method == "namespace" && len(given.values) == 1:
		s.read(block, prefix+rubyNames(nil).text(given.values[0], 0), unsure || len(given.options) > 0, depth+1)
	case bare && method == "configure":
		s.read(block, prefix, true, depth+1)
	case !block.IsZero() && !slices.Contains([]string{"helpers", "before", "after", "error", "not_found", "condition"}, method) && s.routesIn(block):
		s.hide(prefix)
	case bare && method == "register" && !strings.HasPrefix(given.first().Text(), "Sinatra::"):
		s.hide(prefix)
	}
}

func (c rubyCall) first() syntax.Node {
	if len(c.values) == 0 {
		return syntax.Node{}
	}
	return c.values[0]
}

// routesIn reports whether a block may add routes.
func (s *sinatra) routesIn(block syntax.Node) bool {
	for node := range block.All() {
		if !s.step() || node.Kind() == "call" && node.Field("receiver").IsZero() && railsVerbs[node.Field("method").Text()] != nil {
			return true
		}
	}
	return false
}

// hide says that what follows may not be the first that fits.
func (s *sinatra) hide(prefix string) {
	s.order++
	s.routes = append(s.routes, route{path: rest, application: s.name, order: s.order, unsure: true})
}

// add adds the line of the call that answers.
func (s *sinatra) add(node syntax.Node, methods []string, given rubyCall, prefix string, unsure bool) {
	body, _ := rubyBlock(node)
	text := rubyNames(nil).text(given.values[0], 0)
	alone := node.Field("block").IsZero()
	if alone && len(given.values) == 1 && given.values[0].Kind() != "string" {
		return // get(:name) of something else
	}
	paths := sinatraPaths(prefix + text)
	if len(paths) == 0 || alone || given.open {
		s.hide(prefix)
		return
	}
	s.order++
	search := rubyCookies{rubyCode: s.rubyCode, class: s.class}
	s.filters(&search)
	search.follow(rubyMethod{file: s.file, node: node, body: body}, nil, 0)
	for _, path := range paths {
		sure := path.isKnown() && !unsure && len(given.options) == 0 && len(given.values) == 1 && !passes(body)
		s.routes = append(s.routes, route{methods: methods, path: path, place: Place{s.file, node.Line()}, setters: slices.Concat(search.found, s.sessions),
			order: s.order, application: s.name, sure: sure, unsure: !sure})
	}
}

// filters follows what runs before and after each route.
func (s *sinatra) filters(search *rubyCookies) {
	for _, part := range s.class.parts {
		for statement := range s.statements(part.body, 0) {
			method := statement.Field("method").Text()
			body, _ := rubyBlock(statement)
			if statement.Field("receiver").IsZero() && (method == "before" || method == "after") && statement.Field("arguments").IsZero() {
				search.follow(rubyMethod{file: s.file, node: statement, body: body}, nil, 0)
			}
		}
	}
}

// passes reports whether a block may leave the request to a later route.
func passes(body syntax.Node) bool {
	for node := range body.All() {
		if node.Kind() == "identifier" && node.Text() == "pass" {
			return true
		}
	}
	return false
}

// sinatraPaths reads "/users/:id/?" and "/files/*"; none where a path is written otherwise.
func sinatraPaths(path string) []pattern {
	path, optional := strings.CutSuffix(path, "/?")
	if strings.ContainsAny(path, `(){}|?+\`) {
		return nil
	}
	made := pattern(strings.ReplaceAll(holed.ReplaceAllStringFunc(path, func(piece string) string {
		if piece[0] == '*' {
			return piece
		}
		return part
	}), "*", rest))
	switch {
	case made != "" && !made.isKnown() && !made.says():
		return nil
	case optional:
		return []pattern{made, made + "/"}
	case made == "":
		return []pattern{"/"}
	}
	return []pattern{made}
}

// session notes the line that names the session's cookie.
func (s *sinatra) session(node syntax.Node, method string, given rubyCall) {
	first := given.first().Text()
	isSession := first == ":sessions" && method != "use" || method == "use" && strings.HasPrefix(first, "Rack::Session::")
	off := len(given.values) > 1 && given.values[1].Kind() == "false"
	if !isSession || off || len(s.sessions) >= mostItems {
		return
	}
	name := "rack.session"
	if given.has("key") {
		name = rubyNames(nil).text(given.options["key"], 0)
	}
	if !strings.Contains(name, unknownPart) && !given.open {
		s.sessions = append(s.sessions, setter{name, Place{s.file, node.Field("method").Line()}})
	}
}
