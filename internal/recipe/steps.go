package recipe

import (
	"errors"
	"math"
	"path"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/ohler55/ojg/jp"
)

func (r *reader) steps(e entry) {
	var keys []key
	for _, name := range StepNames {
		keys = append(keys, key{name, r.step})
	}
	r.mapping(e, keys...)
}

func (r *reader) step(e entry) {
	step := Step{Name: e.name, Pos: e.at}
	var then *[]Request
	if e.name == "elevate" {
		then = &step.Then
	}
	step.Requests = r.requests(e, then)
	for _, request := range step.Requests {
		// The last handler of a step is the one that changes the session.
		if request.Source.File != "" {
			step.Source = request.Source
		}
	}
	r.recipe.Steps[e.name] = step
}

// requests reads one or a list of them; only the last may say what comes then.
func (r *reader) requests(e entry, then *[]Request) []Request {
	items := r.itemsOrOne(e)
	if len(items) == 0 {
		r.fault(r.valueAt(e), "%s has no request: fill it or delete the key", e.name)
	}
	var requests []Request
	for i, item := range items {
		after := then
		if i < len(items)-1 {
			after = nil
		}
		requests = append(requests, r.request(item, after))
	}
	return requests
}

func (r *reader) request(e entry, then *[]Request) Request {
	q := Request{Pos: r.valueAt(e)}
	if _, short := rawText(e.node); short {
		r.requestLine(e, &q)
		return q
	}
	if _, mapping := e.node.(ast.MapNode); !mapping {
		r.expected(e, `a request such as "POST /login" or a mapping`)
		return q
	}
	keys := []key{
		{"request", func(e entry) { r.requestLine(e, &q) }},
		{"json", func(e entry) { r.body(e, &q, JSONBody) }},
		{"form", func(e entry) { r.body(e, &q, FormBody) }},
		{"multipart", func(e entry) { r.body(e, &q, MultipartBody) }},
		{"body", func(e entry) { r.body(e, &q, RawBody) }},
		{"headers", func(e entry) { q.Headers = r.headers(e) }},
		{"query", func(e entry) { q.Query = r.pairs(e, holes) }},
		{"expect", func(e entry) { q.Expect = r.statuses(e) }},
		{"follow", func(e entry) { q.Follow = r.boolean(e) }},
		{"capture", func(e entry) { q.Capture = r.captures(e) }},
		{"source", func(e entry) { q.Source = r.source(e) }},
	}
	if then != nil {
		keys = append(keys, key{"then", func(e entry) { *then = r.requests(e, nil) }})
	}
	before := len(r.problems)
	if _, given := r.mapping(e, keys...)["request"]; !given && len(r.problems) == before {
		r.fault(q.Pos, `%s: the key "request" is missing: write request: POST /path`, e.name)
	}
	return q
}

func (r *reader) requestLine(e entry, q *Request) {
	text := r.word(e)
	if strings.TrimSpace(text) == "" {
		return
	}
	method, target, err := splitRequest(text)
	if err != nil {
		r.fault(r.valueAt(e), "%s: %s", e.name, err)
		return
	}
	before := len(r.problems)
	q.Method, q.Path = method, r.interpolate(e, holes, target)
	if problem := pathProblem(q.Path); problem != "" && len(r.problems) == before {
		r.fault(r.find(e, target), "%s: %s", e.name, problem)
	}
}

func (r *reader) body(e entry, q *Request, kind BodyKind) {
	if q.Body.Kind != NoBody {
		r.fault(e.at, "a request has one body: write json, form, multipart or body, not two of them")
		return
	}
	q.Body.Kind = kind
	switch kind {
	case JSONBody:
		q.Body.JSON = r.json(e)
	case RawBody:
		q.Body.Raw = r.written(e, holes)
	default:
		q.Body.Fields = r.pairs(e, holes)
	}
}

func (r *reader) headers(e entry) []Pair {
	pairs := r.pairs(e, holes)
	for _, pair := range pairs {
		if !tokenForm.MatchString(pair.Name) {
			r.fault(pair.Pos, "%q is not the name of a header", cut(pair.Name))
		}
		for _, part := range pair.Value.Parts {
			if strings.ContainsAny(part.value(), "\r\n\x00") {
				r.fault(pair.Pos, "the header %s holds a line break, which would begin another header", cut(pair.Name))
			}
		}
	}
	return pairs
}

func (r *reader) statuses(e entry) []int {
	var statuses []int
	for _, item := range r.itemsOrOne(e) {
		statuses = append(statuses, r.number(item, 100, 599))
	}
	return statuses
}

// placeholderName is what may stand between the braces.
var placeholderName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

func (r *reader) captures(e entry) []Capture {
	var captures []Capture
	for _, row := range r.entries(e) {
		if !placeholderName.MatchString(row.name) {
			r.fault(row.at, "%q cannot be used as {{name}}: write it with letters, digits, - and _", cut(row.name))
		}
		if len(r.captured) == mostCaptures {
			r.fault(row.at, "the recipe has more than %d captures", mostCaptures)
			return captures
		}
		captures = append(captures, r.capture(row))
		r.captured = append(r.captured, row.name)
	}
	return captures
}

func (r *reader) capture(e entry) Capture {
	capture := Capture{Name: e.name, Pos: e.at}
	source := ""
	from := func(value *string, check func(entry, string)) func(entry) {
		return func(e entry) {
			if source != "" {
				r.fault(e.at, "a capture has one source, and this one has %s already; only a regex may stand beside it", source)
				return
			}
			source, *value = e.name, r.word(e)
			check(e, *value)
		}
	}
	seen := r.mapping(e,
		key{"html", from(&capture.HTML, func(entry, string) {})},
		key{"json", from(&capture.JSON, r.jsonPath)},
		key{"cookie", from(&capture.Cookie, r.fieldName)},
		key{"header", from(&capture.Header, r.fieldName)},
		key{"regex", func(e entry) { capture.Regex, capture.Pattern = r.pattern(e) }},
	)
	if _, mapping := e.node.(ast.MapNode); mapping && len(seen) == 0 {
		r.fault(r.valueAt(e), "the capture %s has no source: write html, json, regex, cookie or header", cut(e.name))
	}
	return capture
}

// A short regexp can compile to a megabyte, so both are bounded.
const (
	mostPattern  = 300
	mostCaptures = 100
)

func (r *reader) jsonPath(e entry, text string) {
	if text == "" {
		return
	}
	if len(text) > mostPattern {
		r.fault(r.valueAt(e), "json: the path is longer than %d bytes", mostPattern)
		return
	}
	if _, err := jp.ParseString(text); err != nil {
		r.fault(r.valueAt(e), "json: %q is not a JSON path such as $.token", cut(text))
	}
}

func (r *reader) fieldName(e entry, text string) {
	if text != "" && !tokenForm.MatchString(text) {
		r.fault(r.valueAt(e), "%s: %q is not the name of a %s", e.name, cut(text), e.name)
	}
}

func (r *reader) pattern(e entry) (string, *regexp.Regexp) {
	text := r.word(e)
	if len(text) > mostPattern {
		r.fault(r.valueAt(e), "regex: the expression is longer than %d bytes", mostPattern)
		return text, nil
	}
	compiled, err := regexp.Compile(text)
	if err != nil {
		reason := "it cannot be compiled"
		if failure := (*syntax.Error)(nil); errors.As(err, &failure) {
			reason = failure.Code.String()
		}
		r.fault(r.valueAt(e), "regex: %q is not a regular expression (RE2): %s", cut(text), reason)
	}
	return text, compiled
}

func (r *reader) source(e entry) Source {
	text := r.word(e)
	source := Source{File: text}
	if colon := strings.LastIndexByte(text, ':'); colon >= 0 {
		line, err := strconv.Atoi(text[colon+1:])
		if err != nil || line < 1 || line > math.MaxInt32 {
			r.fault(r.valueAt(e), "source: expected file:line, found %q", cut(text))
			return source
		}
		source = Source{File: text[:colon], Line: line}
	}
	if problem := sourceProblem(source.File); text != "" && problem != "" {
		r.fault(r.valueAt(e), "source: %s", problem)
	}
	return source
}

func sourceProblem(file string) string {
	switch {
	case file == "", strings.Contains(file, ":"):
		return "expected file:line, as in app/auth.py:42"
	case strings.Contains(file, `\`):
		return `write the path with "/"`
	case path.IsAbs(file):
		return "the path must be relative to the repository"
	case file == "..", strings.HasPrefix(file, "../"), strings.Contains(file, "/../"), strings.HasSuffix(file, "/.."):
		return `the path must stay inside the repository, without ".."`
	}
	return ""
}
