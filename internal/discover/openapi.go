package discover

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/sessiongate/sessiongate/internal/recipe"
)

// operation is something the API says it does, whoever said so: a description,
// a form, or a convention.
type operation struct {
	method, path string
	id, summary  string
	words        []string // of path, id, summary and tags
	from         string   // "openapi.json operationId login_login_post"
	at           int      // the line of the description; 0: it is from elsewhere
	body         recipe.BodyKind
	fields       []field // of the body
	parameters   []parameter
	places       []spot   // of its parameters that hold a text, needed or not
	security     []string // the schemes it names
	secured      bool     // it wants a credential, and says so
	public       bool     // it wants none, and says so
	token        bool     // an OAuth2 password flow names it as its token URL
	answers      []string // members of its good answer
	page         string   // the path of the page its form stands on; "" without one
	described    bool     // a description of the API has it
}

func (o operation) line() string { return o.method + " " + o.path }

// field is a member of a body.
type field struct {
	name     string
	required bool
	hidden   bool // of a form, with a value that the page holds
	secret   bool // a password input
	email    bool
	sample   any     // for recipe.Body.JSON
	taken    string  // the capture that fills it; "" for the sample
	fields   []field // of an object
}

// parameter is what a request needs beside its body.
type parameter struct{ in, name, sample string }

// spot is where a request may carry something beside its body.
type spot struct{ in, name string }

// scheme is a way to present a credential.
type scheme struct{ kind, in, name string }

// description is what an OpenAPI or Swagger document says.
type description struct {
	name       string // how explanations call it
	operations []operation
	schemes    map[string]scheme
	tokenPaths []string
}

// mostOperations bounds what is ranked.
const mostOperations = 20_000

var errNoDescription = errors.New("it has no paths: it is no OpenAPI or Swagger description")

// describe reads OpenAPI 3.0, 3.1 or Swagger 2. What is wrong in one place
// costs that place and nothing else.
func describe(name string, data []byte) (description, error) {
	root, err := parse(data)
	if err != nil {
		return description{}, fmt.Errorf("%s: %w", name, err)
	}
	r := specReader{root: root, swagger: root.get("swagger") != nil, known: map[place][]field{}}
	made := description{name: name, schemes: map[string]scheme{}}
	paths := root.get("paths")
	if !paths.isObject() {
		return made, fmt.Errorf("%s: %w", name, errNoDescription)
	}
	r.readSchemes(&made)
	prefix := r.prefix()
	for i, path := range paths.keys {
		item := r.resolve(paths.values[i])
		for _, method := range []string{"get", "post", "put", "patch", "delete"} {
			if op := item.get(method); op.isObject() && len(made.operations) < mostOperations {
				made.operations = append(made.operations, r.operation(name, strings.ToUpper(method), prefix+path, item, op))
			}
		}
	}
	for _, path := range made.tokenPaths {
		r.markToken(&made, prefix, path)
	}
	return made, nil
}

type specReader struct {
	root    *node
	swagger bool
	known   map[place][]field // a schema is read once, however many operations name it
}

// place is a schema and how deep in another it was met.
type place struct {
	schema *node
	depth  int
}

// prefix is the path of the first server, which stands before every path.
func (r specReader) prefix() string {
	if r.swagger {
		return cleanPath(r.root.get("basePath").str())
	}
	servers := r.root.get("servers").items()
	if len(servers) == 0 {
		return ""
	}
	address, err := url.Parse(servers[0].get("url").str())
	if err != nil || strings.ContainsAny(address.Path, "{}") {
		return ""
	}
	return cleanPath(address.Path)
}

func cleanPath(path string) string {
	path = strings.TrimSuffix(path, "/")
	if path != "" && !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return path
}

// mostHops bounds a chain of references; a cycle ends there.
const mostHops = 16

// resolve follows references inside the document. Those to other documents
// are never fetched.
func (r specReader) resolve(n *node) *node {
	for range mostHops {
		reference := n.get("$ref").str()
		if reference == "" {
			return n
		}
		inside, local := strings.CutPrefix(reference, "#/")
		if !local {
			return nil
		}
		n = r.root
		for step := range strings.SplitSeq(inside, "/") {
			name := strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
			if plain, err := url.PathUnescape(name); err == nil && n.get(name) == nil {
				name = plain
			}
			n = n.get(name)
		}
	}
	return nil
}

func (r specReader) readSchemes(made *description) {
	schemes := r.root.at("components", "securitySchemes")
	if r.swagger {
		schemes = r.root.get("securityDefinitions")
	}
	if !schemes.isObject() {
		return
	}
	for i, name := range schemes.keys {
		said := r.resolve(schemes.values[i])
		kind := strings.ToLower(said.get("type").str())
		if kind == "http" {
			kind = strings.ToLower(said.get("scheme").str()) // basic, bearer
		}
		made.schemes[name] = scheme{kind: kind, in: said.get("in").str(), name: said.get("name").str()}
		token := said.at("flows", "password", "tokenUrl").str()
		if r.swagger && said.get("flow").is("password") {
			token = said.get("tokenUrl").str()
		}
		if token != "" {
			made.tokenPaths = append(made.tokenPaths, token)
		}
	}
}

// markToken finds the operation behind a token URL, or makes one where the
// description names the URL only.
func (r specReader) markToken(made *description, prefix, token string) {
	address, err := url.Parse(token)
	if err != nil || address.Path == "" {
		return
	}
	wanted := cleanPath(address.Path)
	for i := range made.operations {
		if op := &made.operations[i]; op.method == "POST" && (op.path == wanted || op.path == prefix+wanted) {
			op.token = true
			return
		}
	}
	made.operations = append(made.operations, operation{method: "POST", path: wanted, words: words(wanted), token: true, body: recipe.FormBody,
		from:   made.name + ", the token URL of an OAuth2 password flow",
		fields: []field{{name: "grant_type", required: true, sample: "password"}, {name: "username", required: true}, {name: "password", required: true, secret: true}}})
}

func (r specReader) operation(name, method, path string, item, op *node) operation {
	made := operation{described: true, method: method, path: path, id: op.get("operationId").str(), summary: op.get("summary").str(), at: op.line}
	text := path + " " + made.id + " " + made.summary
	for _, tag := range op.get("tags").items() {
		text += " " + tag.str()
	}
	made.words = words(text[:min(len(text), 500)])
	made.from = fmt.Sprintf("%s line %d", name, op.line)
	if made.id != "" {
		made.from = name + " operationId " + made.id
	}
	r.parameters(&made, item)
	r.parameters(&made, op)
	r.body(&made, op)
	r.needs(&made, op)
	made.answers = r.answers(op)
	return made
}

func (r specReader) parameters(made *operation, of *node) {
	for _, raw := range of.get("parameters").items() {
		said := r.resolve(raw)
		in, name := said.get("in").str(), said.get("name").str()
		schema := r.resolve(said.get("schema"))
		if r.swagger {
			schema = said
		}
		if kind := schema.get("type").str(); name != "" && kind != "boolean" && kind != "object" && kind != "array" && len(made.places) < mostFields {
			if slices.Contains([]string{"query", "header", "cookie", "path"}, in) {
				made.places = append(made.places, spot{in, name})
			}
		}
		switch {
		case name == "":
		case in == "body":
			made.body, made.fields = recipe.JSONBody, r.fields(said.get("schema"), 0)
		case in == "formData":
			made.body = recipe.FormBody
			one := r.field(name, schema, 0)
			one.required = said.get("required").is("true")
			made.fields = append(made.fields, one)
		case said.get("required").is("true") && (in == "query" || in == "header"):
			sample := r.sample(name, schema, 0)
			made.parameters = append(made.parameters, parameter{in, name, fmt.Sprint(sample)})
		}
	}
}

func (r specReader) body(made *operation, op *node) {
	content := r.resolve(op.get("requestBody")).get("content")
	if !content.isObject() {
		return
	}
	for _, wanted := range []struct {
		media string
		kind  recipe.BodyKind
	}{{"json", recipe.JSONBody}, {"x-www-form-urlencoded", recipe.FormBody}, {"form-data", recipe.MultipartBody}, {"*/*", recipe.JSONBody}} {
		for i, media := range content.keys {
			if strings.Contains(strings.ToLower(media), wanted.media) {
				made.body, made.fields = wanted.kind, r.fields(content.values[i].get("schema"), 0)
				return
			}
		}
	}
}

// needs reads who may call an operation.
func (r specReader) needs(made *operation, op *node) {
	security := op.get("security")
	if security == nil {
		security = r.root.get("security")
	}
	if security == nil {
		return
	}
	made.public = len(security.items()) == 0
	for _, one := range security.items() {
		if len(one.keys) == 0 {
			made.public = true
			continue
		}
		made.security = append(made.security, one.keys...)
	}
	made.secured = len(made.security) > 0 && !made.public
}

// answers are the members of the first good answer, as far as it says.
func (r specReader) answers(op *node) []string {
	responses := op.get("responses")
	for _, status := range []string{"200", "201", "default"} {
		answer := r.resolve(responses.get(status))
		schema := answer.get("schema")
		if content := answer.get("content"); content.isObject() {
			schema = content.values[0].get("schema")
		}
		if schema == nil {
			continue
		}
		var names []string
		for _, one := range r.fields(schema, mostNesting-1) {
			names = append(names, one.name)
		}
		return names
	}
	return nil
}

// What a schema may be, for the same reason as with mostNodes.
const (
	mostNesting = 4
	mostFields  = 100
)

// fields are the members of an object schema. They are not to be changed.
func (r specReader) fields(schema *node, depth int) []field {
	schema = r.resolve(schema)
	if schema == nil || depth > mostNesting {
		return nil
	}
	here := place{schema, depth}
	known, read := r.known[here]
	if !read {
		known = r.members(schema, depth)
		known = slices.Clip(known)
		r.known[here] = known
	}
	return known
}

func (r specReader) members(schema *node, depth int) []field {
	var found []field
	for _, part := range schema.get("allOf").items() {
		found = append(found, r.fields(part, depth+1)...)
	}
	for _, alternatives := range []string{"oneOf", "anyOf"} {
		if parts := schema.get(alternatives).items(); len(parts) > 0 && len(found) == 0 {
			found = r.fields(r.choose(parts), depth+1)
		}
	}
	var required []string
	for _, name := range schema.get("required").items() {
		required = append(required, name.str())
	}
	properties := schema.get("properties")
	if properties == nil {
		return found[:min(len(found), mostFields)]
	}
	for i, name := range properties.keys {
		if len(found) >= mostFields || i >= len(properties.values) {
			break
		}
		one := r.field(name, properties.values[i], depth)
		one.required = slices.Contains(required, name)
		found = append(found, one)
	}
	return found
}

// choose is the first alternative that is not null.
func (r specReader) choose(parts []*node) *node {
	for _, part := range parts {
		if part = r.resolve(part); part != nil && !part.get("type").is("null") {
			return part
		}
	}
	return nil
}

func (r specReader) field(name string, schema *node, depth int) field {
	schema = r.resolve(schema)
	if parts := append(slices.Clone(schema.get("anyOf").items()), schema.get("oneOf").items()...); len(parts) > 0 && schema.get("type") == nil {
		schema = r.choose(parts)
	}
	made := field{name: name,
		secret: schema.get("format").is("password"), email: schema.get("format").is("email")}
	if schema.get("properties").isObject() || len(schema.get("allOf").items()) > 0 {
		made.fields = r.fields(schema, depth+1)
	}
	if len(made.fields) == 0 { // else the members have samples of their own
		made.sample = r.sample(name, schema, depth)
	}
	return made
}

// sample is a value that the schema admits, as a tree of recipe.Body.JSON.
func (r specReader) sample(name string, schema *node, depth int) any {
	for _, given := range []*node{schema.get("example"), first(schema.get("examples")), schema.get("const"), schema.get("default"), first(schema.get("enum"))} {
		if given != nil && (given.scalar || given.list) {
			return literal(given)
		}
	}
	if pattern := strings.Trim(schema.get("pattern").str(), "^$"); pattern != "" && strings.Join(words(pattern), "") == pattern {
		return pattern // FastAPI's grant_type: ^password$
	}
	kind := schema.get("type")
	if kind != nil && kind.list { // OpenAPI 3.1: [string, null]
		kind = first(kind)
	}
	switch kind.str() {
	case "integer", "number":
		return smallest(schema)
	case "boolean":
		return true // terms accepted, remember me
	case "array":
		return []any{}
	case "object":
		return r.object(schema, depth)
	}
	return text(name, schema)
}

func (r specReader) object(schema *node, depth int) any {
	made := map[string]any{}
	for _, one := range r.fields(schema, depth+1) {
		if one.required {
			made[one.name] = one.sample
		}
	}
	return made
}

func first(list *node) *node {
	if items := list.items(); len(items) > 0 {
		return items[0]
	}
	return nil
}

func smallest(schema *node) any {
	least := int64(1)
	if given := schema.get("minimum"); given != nil {
		if _, err := fmt.Sscan(given.text, &least); err != nil {
			least = 1
		}
	}
	return least
}

func text(name string, schema *node) string {
	made := "sessiongate"
	switch schema.get("format").str() {
	case "email":
		made = "sessiongate@example.com"
	case "date":
		return "2000-01-01"
	case "date-time":
		return "2000-01-01T00:00:00Z"
	case "uuid":
		return "3f0c8a54-6d0e-4b5a-9c70-5b8f7a0f2d11"
	case "uri", "url":
		return "https://example.com/"
	}
	if slices.Contains(words(name), "phone") {
		return "+15005550006"
	}
	least, _ := strconv.Atoi(schema.get("minLength").str()) // 0 where it says nothing
	most, _ := strconv.Atoi(schema.get("maxLength").str())
	for len(made) < min(least, 200) {
		made += "x"
	}
	if most > 0 && most < len(made) {
		made = made[:most]
	}
	return made
}

// literal is a value of the document as a recipe holds it; text stays a
// string here and becomes a template with the body.
func literal(n *node) any {
	switch {
	case n == nil:
		return nil
	case n.list:
		list := []any{}
		for _, item := range n.values[:min(len(n.values), 10)] {
			list = append(list, literal(item))
		}
		return list
	case n.quoted:
		return n.text
	}
	switch n.text {
	case "true", "false":
		return n.text == "true"
	case "", "null":
		return nil
	}
	var whole int64
	if _, err := fmt.Sscan(n.text, &whole); err == nil && fmt.Sprint(whole) == n.text {
		return whole
	}
	var number float64
	if _, err := fmt.Sscan(n.text, &number); err == nil {
		return number
	}
	return n.text
}
