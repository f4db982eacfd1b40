package locate

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// Review is what the source of a login handler shows. The lines are those of
// the source; a Place in it has no file.
type Review struct {
	Language string // "python"; "" where it is not known
	// Steps are how a value of the request becomes the session's id; empty where
	// none is seen to.
	Steps   []Step
	Sinks   int      // how many of the last steps are where it does
	Cookies []Cookie // that are set, in order
	Rules   []string // of the catalogue, that are worth a test
	Note    string   // what could not be read; may be empty
}

// Cookie is a line that sets one.
type Cookie struct {
	Place   Place
	Name    string   // "" where the source does not tell it
	Missing []string // of httponly, secure and samesite; hints, a proxy may add them
}

// always are the rules that concern every login.
var always = []string{
	"session-id-not-rotated-on-login", "arbitrary-session-id-accepted", "cross-user-session-reuse", "logout-session-not-invalidated",
}

// byOrigin are the rules about where a session's id is taken from.
var byOrigin = map[string]string{
	"the JSON body": "session-id-accepted-in-json-body", "the body": "session-id-accepted-in-form-field",
	"the form": "session-id-accepted-in-form-field", "the query": "session-id-accepted-in-query",
	"a header": "session-id-accepted-in-header", "the path": "session-id-accepted-in-path",
}

var byAttribute = map[string]string{
	"httponly": "session-cookie-missing-httponly", "secure": "session-cookie-missing-secure", "samesite": "session-cookie-samesite",
}

// RuleOf is the rule about an attribute that a cookie lacks.
func RuleOf(attribute string) string { return byAttribute[attribute] }

// ReviewSource reads the source of a login handler, which may be a part of a
// file without its imports. The language may be empty. Nothing is run. An error
// says why nothing could be read.
func ReviewSource(ctx context.Context, source, language string) (Review, error) {
	language = recognised(source, language)
	if language != "python" {
		note := "the language was not recognised; only Python is read"
		if language != "" {
			note = "only Python is read for how a session's id is made; a scan tests the rules in any language"
		}
		return Review{Language: language, Rules: slices.Clone(always), Note: note}, nil
	}
	source = dedented(source)
	if len(source) > syntax.Longest {
		return Review{}, errors.New("the source is longer than 1 MiB: give the handler and what it calls")
	}
	parsers, err := syntax.New(ctx)
	if err != nil {
		return Review{}, err
	}
	defer func() { _ = parsers.Close() }()
	tree, err := parsers.Parse(ctx, syntax.Python, []byte(source))
	if err != nil {
		return Review{}, err
	}
	return reviewed(ctx, tree), nil
}

func reviewed(ctx context.Context, tree *syntax.Tree) Review {
	p := newPython(ctx, &files{}, nil)
	p.assumes = true
	only := &module{tree: tree}
	only.scope = &scope{module: only, names: map[string]value{"__name__": nil}}
	p.block(tree.Root(), only.scope)
	made := Review{Language: "python", Rules: slices.Clone(always)}
	var done []deed
	handlers := handlersIn(tree.Root(), only.scope)
	for _, one := range handlers {
		done = append(done, p.watch(one)...)
	}
	sinks := sinksOf(done, "")
	made.Steps = stepsOf(sinks)
	for _, one := range sinks {
		made.suspect(one)
	}
	made.Sinks = min(len(made.Steps), distinct(sinks))
	flask := strings.Contains(tree.Root().Text(), "flask")
	for _, one := range done {
		if cookie, sets := one.cookieSet(flask); sets && !slices.ContainsFunc(made.Cookies, func(c Cookie) bool { return c.Place == cookie.Place }) {
			made.Cookies = append(made.Cookies, cookie)
			for _, attribute := range cookie.Missing {
				made.test(byAttribute[attribute])
			}
		}
	}
	switch {
	case len(handlers) == 0:
		made.Note = "there is no function in the source"
	case len(made.Steps) == 0 && len(made.Cookies) == 0:
		made.Note = "no line that sets a cookie or stores a session was found: give the functions that the handler calls as well"
	}
	return made
}

func distinct(sinks []sink) int {
	var steps []Step
	for _, one := range sinks {
		if !slices.Contains(steps, one.step) {
			steps = append(steps, one.step)
		}
	}
	return len(steps)
}

// suspect adds the rules that a flow speaks for.
func (r *Review) suspect(found sink) {
	for _, from := range found.value.origins {
		if rule, known := byOrigin[from.from]; known && !isCredential(from.name) {
			r.test(rule)
		}
	}
	if found.joined {
		r.test("session-id-sql-injection")
	}
}

func (r *Review) test(rule string) {
	if rule != "" && !slices.Contains(r.Rules, rule) {
		r.Rules = append(r.Rules, rule)
	}
}

// handlersIn are the functions that routes decorate, or without any of those
// all functions of the source.
func handlersIn(root syntax.Node, s *scope) []*route {
	var routed, all []*route
	for node := range functions(root) {
		definition := node
		if node.Kind() == "decorated_definition" {
			definition = node.Field("definition")
		}
		code := &function{node: definition, module: s.module, scope: s}
		one := &route{code: code, place: code.place()}
		all = append(all, one)
		for child := range node.Children() {
			if path, ok := routeIn(child); ok {
				one.written = path
				routed = append(routed, one)
				break
			}
		}
		if len(all) >= mostItems {
			break
		}
	}
	if len(routed) > 0 {
		return routed
	}
	return all
}

// functions are those of the source and of its classes.
func functions(root syntax.Node) func(func(syntax.Node) bool) {
	return func(yield func(syntax.Node) bool) { eachFunction(root, 0, yield) }
}

func eachFunction(node syntax.Node, depth int, yield func(syntax.Node) bool) bool {
	for child := range node.Children() {
		switch child.Kind() {
		case "function_definition":
			if !yield(child) {
				return false
			}
		case "decorated_definition":
			if inner := child.Field("definition"); inner.Kind() == "class_definition" {
				if !eachFunction(inner.Field("body"), depth+1, yield) {
					return false
				}
			} else if !yield(child) {
				return false
			}
		case "class_definition":
			if depth < mostBases && !eachFunction(child.Field("body"), depth+1, yield) {
				return false
			}
		case "ERROR", "block":
			if depth < mostBases && !eachFunction(child, depth+1, yield) {
				return false
			}
		}
	}
	return true
}

// routeIn reads a decorator like @router.post("/login").
func routeIn(decorator syntax.Node) (path string, ok bool) {
	if decorator.Kind() != "decorator" {
		return "", false
	}
	call := decorator.Child("call")
	verb := call.Field("function").Field("attribute").Text()
	if !slices.Contains(verbs, verb) && verb != "route" && verb != "api_route" {
		return "", false
	}
	return call.Field("arguments").Child("string").Text(), true
}

// cookieSet is the cookie that is set, and what it lacks. Starlette sets
// SameSite=lax by itself, Flask and a line of one's own set nothing.
func (d deed) cookieSet(flask bool) (Cookie, bool) {
	name, sets := d.cookie()
	if !sets {
		return Cookie{}, false
	}
	made := Cookie{Place: d.at, Name: shown(name)}
	if strings.Contains(name, unknownPart) {
		made.Name = ""
	}
	if d.name != "set_cookie" && d.name != "set_signed_cookie" {
		line := strings.ToLower(textOf(d.headerLine()))
		_, attributes, _ := strings.Cut(line, ";")
		for _, one := range []string{"httponly", "secure", "samesite"} {
			if !strings.Contains(attributes, one) && !strings.Contains(attributes, unknownPart) {
				made.Missing = append(made.Missing, one)
			}
		}
		return made, true
	}
	if _, unknown := d.arguments.named[unknownMembers]; unknown {
		return made, true
	}
	for _, one := range []string{"httponly", "secure", "samesite"} {
		given, named := d.arguments.named[one]
		switch {
		case one == "samesite" && !named && !flask:
		case !named, given == truth(false):
			made.Missing = append(made.Missing, one)
		}
	}
	return made, true
}

// recognised is the language by the name that is given, or by its looks.
func recognised(source, language string) string {
	names := map[string]string{
		"py": "python", "python": "python", "python3": "python", "fastapi": "python", "flask": "python", "starlette": "python",
		"js": "javascript", "javascript": "javascript", "node": "javascript", "ts": "typescript", "typescript": "typescript",
		"go": "go", "golang": "go", "java": "java", "kotlin": "kotlin", "ruby": "ruby", "php": "php", "csharp": "csharp", "c#": "csharp", "rust": "rust",
	}
	if known := names[strings.ToLower(strings.TrimSpace(language))]; known != "" {
		return known
	}
	looks := []struct {
		language string
		marks    []string
	}{
		{"go", []string{"func ", "http.ResponseWriter", ":= "}},
		{"java", []string{"public ", "@PostMapping", "HttpServletRe"}},
		{"php", []string{"<?php", "$_COOKIE", "$_POST"}},
		{"javascript", []string{"=> {", "const ", "require(", "res.cookie(", "function ("}},
	}
	python := 0
	for _, mark := range []string{"def ", "async def ", "import ", "@app.", "@router.", "self.", "None", "    return "} {
		python += strings.Count(source, mark)
	}
	best, most := "", 0
	for _, look := range looks {
		count := 0
		for _, mark := range look.marks {
			count += strings.Count(source, mark)
		}
		if count > most {
			best, most = look.language, count
		}
	}
	if strings.Contains(source, "def ") && python >= most {
		return "python"
	}
	return best
}

// dedented takes away what stands before every line, and the fences of
// Markdown. The number of lines stays.
func dedented(source string) string {
	lines := strings.Split(strings.ReplaceAll(source, "\r\n", "\n"), "\n")
	indent, seen := "", false
	for i, line := range lines {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			lines[i] = ""
			continue
		}
		if strings.TrimSpace(line) == "" {
			continue
		}
		own := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		if !seen {
			indent, seen = own, true
		}
		for !strings.HasPrefix(own, indent) {
			indent = indent[:len(indent)-1]
		}
	}
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, indent)
	}
	return strings.Join(lines, "\n")
}
