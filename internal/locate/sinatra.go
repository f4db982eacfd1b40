package locate

import (
	"context"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// sinatra reads the routes of one class, or of the top of one file: an
// application that takes the first that fits.
type sinatra struct {
	*rubyCode
	file     string // that is read
	name     string // of its routes
	class    *rubyClass
	prefix   string // unknownPart where it is mounted
	sessions []setter
	routes   []route
	order    int
	// required are the tops of the files that the top of a file requires; those
	// that are read are taken out.
	required map[string]syntax.Node
	adding   map[string]bool // whether what is required by a name may add routes
}

func readSinatra(ctx context.Context, files *files) []route {
	names := files.of(rubyFile)
	if !slices.ContainsFunc(names, func(name string) bool { return mentions(files.read(name), []string{"sinatra", "Sinatra::"}) }) {
		return nil
	}
	code := newRubyCode(ctx, files)
	mounted := false
	classes := code.sinatraClasses(names)
	var apps []*sinatra
	for _, name := range names {
		source := uncommented(files.read(name))
		mounted = mounted || strings.HasSuffix(name, railsRoutesFile) || mentions(source, []string{"Rack::URLMap", "Rack::Builder"})
		if files.start.begins(name) {
			apps = append(apps, code.sinatra(name, classes)...)
		}
	}
	for folder := range files.folders {
		mounted = mounted || mapped.Match(uncommented(files.read(folder+"/config.ru")))
	}
	mounted = mounted || mapped.Match(uncommented(files.read("config.ru")))
	inner := requiredByOthers(apps)
	var all []route
	for _, app := range apps {
		if inner[app.name] {
			continue // its routes are the other's
		}
		if mounted {
			app.prefix = unknownPart
		}
		for _, part := range app.class.parts {
			if app.required == nil || part.file == app.name {
				app.read(part.body, app.prefix, false, 0)
			}
		}
		all = append(all, app.routes...)
	}
	return all
}

// requiredByOthers are the files whose tops are parts of others. Of two that
// require each other none is.
func requiredByOthers(apps []*sinatra) map[string]bool {
	required := map[string]map[string]syntax.Node{}
	for _, app := range apps {
		required[app.name] = app.required
	}
	inner := map[string]bool{}
	for _, app := range apps {
		for name := range app.required {
			if _, mutual := required[name][app.name]; !mutual {
				inner[name] = true
			}
		}
	}
	return inner
}

// sinatraClasses are the classes that are made from Sinatra's, with what stands
// between, by the last parts of their names: another file may reopen one.
func (a *rubyCode) sinatraClasses(names []string) map[string]bool {
	above := map[string][]string{} // by the last part of what is above
	for _, name := range names {
		for _, found := range subclass.FindAllSubmatch(uncommented(a.files.read(name)), mostItems) {
			super := lastConstant(string(found[2]))
			if modular.Match(found[2]) {
				super = ""
			}
			above[super] = append(above[super], lastConstant(string(found[1])))
		}
	}
	classes, left := map[string]bool{}, above[""]
	for len(left) > 0 {
		class := left[len(left)-1]
		left = left[:len(left)-1]
		if !classes[class] {
			classes[class] = true
			left = append(left, above[class]...)
		}
	}
	return classes
}

func lastConstant(name string) string { return name[strings.LastIndex(name, ":")+1:] }

// sinatra are the applications of a file. What a file adds to a class is one of
// its own: which file is read first is not told.
func (a *rubyCode) sinatra(file string, classes map[string]bool) []*sinatra {
	source := uncommented(a.files.read(file))
	isClassic := classic.Match(source)
	if !isClassic && !slices.ContainsFunc(classLine.FindAllSubmatch(source, mostItems), func(found [][]byte) bool {
		return classes[lastConstant(string(found[1]))]
	}) {
		return nil
	}
	top, whole := a.top(file)
	if !whole {
		return nil
	}
	var apps []*sinatra
	if isClassic {
		app := &sinatra{rubyCode: a, file: file, name: file, class: &rubyClass{name: file}, required: map[string]syntax.Node{}, adding: map[string]bool{}}
		app.require(file, top, 0)
		delete(app.required, file) // it is read already
		apps = append(apps, app)
	}
	made := map[string]*rubyClass{}
	for _, one := range a.definitions(file) {
		part := one.parts[0]
		switch class := made[one.name]; {
		case !classes[lastConstant(part.node.Field("name").Text())] || part.node.Kind() != "class":
		case class != nil:
			class.parts = append(class.parts, part)
		default:
			made[one.name] = &rubyClass{name: one.name, parts: []rubyPart{part}}
			apps = append(apps, &sinatra{rubyCode: a, file: file, name: file + " " + one.name, class: made[one.name]})
		}
	}
	return apps
}

// top is what a file runs; false where it is broken.
func (a *rubyCode) top(file string) (syntax.Node, bool) {
	tree := a.files.tree(a.ctx, file, syntax.Ruby)
	if tree == nil || isBroken(tree) {
		return syntax.Node{}, false
	}
	return tree.Root(), true
}

// require learns a file that the top of another requires, and what that requires.
func (s *sinatra) require(file string, top syntax.Node, depth int) {
	if _, known := s.required[file]; known || len(s.required) >= mostItems || depth > mostNesting {
		return
	}
	s.required[file] = top
	s.class.parts = append(s.class.parts, rubyPart{file: file, node: top, body: top})
	for statement := range s.statements(top, 0) {
		if isRequire(statement) {
			name := s.requiredBy(file, statement)
			if inner, whole := s.top(name); whole {
				s.require(name, inner, depth+1)
			}
		}
	}
}

var requires = []string{"require", "require_relative", "load", "require_all", "require_dependency"}

// isRequire reports whether a statement runs another file.
func isRequire(node syntax.Node) bool {
	return node.Kind() == "call" && node.Field("receiver").IsZero() && slices.Contains(requires, node.Field("method").Text())
}

// requiredBy is the file of the workspace that a statement names; none where the
// source does not tell it.
func (a *rubyCode) requiredBy(file string, statement syntax.Node) string {
	text := strings.TrimSuffix(rubyNames(nil).text(rubyArguments(statement).first(), 0), ".rb")
	folders := []string{path.Dir(file)}
	if statement.Field("method").Text() != "require_relative" {
		if !strings.HasPrefix(text, "./") {
			return ""
		}
		folders = []string{a.files.start.folder, "", path.Dir(file)} // where it is started
	}
	for _, folder := range folders {
		if name := inside(path.Join(folder, text)) + ".rb"; a.files.has(name) {
			return name
		}
	}
	return ""
}

// mayAddRoutes reports whether what a statement requires may add to the top: it is
// not told, or a file of that name does.
func (s *sinatra) mayAddRoutes(statement syntax.Node) bool {
	text := strings.TrimSuffix(rubyNames(nil).text(rubyArguments(statement).first(), 0), ".rb")
	if strings.Contains(text, unknownPart) || statement.Field("method").Text() == "require_all" {
		return true
	}
	text = "/" + inside(text) + ".rb"
	adds, known := s.adding[text]
	if !known {
		adds = slices.ContainsFunc(s.files.names, func(name string) bool {
			return s.step() && strings.HasSuffix("/"+name, text) && bareVerb.Match(uncommented(s.files.read(name)))
		})
		s.adding[text] = adds
	}
	return adds
}

var (
	classic   = regexp.MustCompile(`(?m)^\s*require\s*\(?\s*["']sinatra["']`)
	modular   = regexp.MustCompile(`^(::)?Sinatra::(Base|Application)$`)
	classLine = regexp.MustCompile(`\bclass\s+([\w:]+)`)
	subclass  = regexp.MustCompile(`\bclass\s+([\w:]+)\s*<\s*([\w:]+)`)
	bareVerb  = regexp.MustCompile(`(?m)^\s*(get|post|put|patch|delete|options)\b\s*\(?\s*["'%:\w]`)
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
		if library, _, _ := strings.Cut(strings.TrimPrefix(given.first().Text(), "::"), "::"); method == "use" && library != "Rack" && library != "Sinatra" {
			s.mayHide(-1) // it is asked before all routes
		}
	case isRequire(node):
		s.readRequired(node, prefix, unsure, depth)
	case bare && method == "namespace" && len(given.values) == 1:
		s.read(block, prefix+rubyNames(nil).text(given.values[0], 0), unsure || len(given.options) > 0, depth+1)
	case bare && method == "configure":
		s.read(block, prefix, true, depth+1)
	case !block.IsZero() && s.required != nil && requiresIn(block):
		s.order++
		s.mayHide(s.order)
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

// readRequired reads what the top of a file requires where it stands.
func (s *sinatra) readRequired(statement syntax.Node, prefix string, unsure bool, depth int) {
	if s.required == nil {
		return // it adds nothing to a class, or says which
	}
	file := s.requiredBy(s.file, statement)
	if top, known := s.required[file]; known {
		delete(s.required, file)
		from := s.file
		s.file = file
		s.read(top, prefix, unsure, depth+1)
		s.file = from
		return
	}
	if file == "" && s.mayAddRoutes(statement) || file != "" && !slices.ContainsFunc(s.class.parts, func(part rubyPart) bool { return part.file == file }) {
		s.order++
		s.mayHide(s.order)
	}
}

// requiresIn reports whether a block runs other files.
func requiresIn(block syntax.Node) bool {
	for node := range block.All() {
		if isRequire(node) {
			return true
		}
	}
	return false
}

// mayHide says that something which is not known may answer what comes later in
// the order.
func (s *sinatra) mayHide(order int) {
	s.routes = append(s.routes, route{path: rest, blind: true, application: s.name, order: order, unsure: true})
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
				search.follow(rubyMethod{file: part.file, node: statement, body: body}, nil, 0)
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
