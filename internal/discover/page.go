package discover

import (
	"bytes"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/net/html"

	"github.com/sessiongate/sessiongate/internal/recipe"
)

// page is what a document in HTML offers to its reader.
type page struct {
	forms []operation
	links []string // paths on the same host
	specs []string // that a documentation page loads
}

// What is read of a page at most.
const (
	mostElements = 20_000
	mostLinks    = 200
	mostForms    = 20
)

// readPage reads the forms and links of a page that stands at path.
func readPage(base *url.URL, path string, body []byte) page {
	var found page
	here, err := base.Parse(path)
	if err != nil {
		return found
	}
	document, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		return found
	}
	local := func(address string) (string, bool) {
		to, err := here.Parse(strings.TrimSpace(address))
		if err != nil || to.Host != base.Host || to.User != nil {
			return "", false
		}
		root := strings.TrimSuffix(base.EscapedPath(), "/")
		inside, below := strings.CutPrefix(to.EscapedPath(), root)
		if !below || inside != "" && inside[0] != '/' {
			return "", false
		}
		if to.RawQuery != "" {
			inside += "?" + to.RawQuery
		}
		return "/" + strings.TrimPrefix(inside, "/"), true
	}
	elements := 0
	for n := range document.Descendants() {
		if elements++; elements > mostElements {
			break
		}
		switch {
		case n.Type != html.ElementNode:
		case n.Data == "a" && len(found.links) < mostLinks:
			if to, ok := local(attribute(n, "href")); ok && attribute(n, "href") != "" {
				found.links = append(found.links, to)
			}
		case n.Data == "form" && len(found.forms) < mostForms:
			if to, ok := local(attribute(n, "action")); ok {
				found.forms = append(found.forms, formOf(n, path, to))
			}
		case n.Data == "script" || n.Data == "redoc":
			for _, address := range specAddresses(n) {
				if to, ok := local(address); ok {
					found.specs = append(found.specs, to)
				}
			}
		}
	}
	return found
}

func attribute(n *html.Node, name string) string {
	for _, one := range n.Attr {
		if one.Key == name {
			return one.Val
		}
	}
	return ""
}

// formOf makes an operation of a form. Fields with a value that the page gives,
// such as a CSRF token, are taken from the page again each time.
func formOf(form *html.Node, path, action string) operation {
	made := operation{method: strings.ToUpper(attribute(form, "method")), path: action, page: path, body: recipe.FormBody,
		from: "the form on " + path}
	if made.method == "" {
		made.method = "GET"
	}
	if strings.EqualFold(attribute(form, "enctype"), "multipart/form-data") {
		made.body = recipe.MultipartBody
	}
	name := action + " " + attribute(form, "id")
	for n := range form.Descendants() {
		if n.Type != html.ElementNode || len(made.fields) >= mostFields {
			continue
		}
		if one, is := input(n); is {
			made.fields = append(made.fields, one)
		}
	}
	made.words = words(name[:min(len(name), 500)])
	return made
}

func input(n *html.Node) (field, bool) {
	one := field{name: attribute(n, "name"), sample: attribute(n, "value")}
	if one.name == "" {
		return field{}, false
	}
	switch kind := strings.ToLower(attribute(n, "type")); {
	case n.Data == "select":
		for option := range n.Descendants() {
			if option.Type == html.ElementNode && option.Data == "option" && one.sample == "" {
				one.sample = attribute(option, "value")
			}
		}
		one.required = true
	case n.Data == "textarea":
		one.sample = "sessiongate"
	case n.Data == "button":
		return field{}, false
	case n.Data != "input", kind == "submit", kind == "button", kind == "image", kind == "reset", kind == "file", kind == "radio":
		return field{}, false
	case kind == "hidden":
		one.hidden, one.required = true, true
	case kind == "checkbox":
		one.required = hasAttribute(n, "required")
		if one.sample == "" {
			one.sample = "on"
		}
	default:
		one.secret, one.email = kind == "password", kind == "email"
		one.required = hasAttribute(n, "required")
		if one.sample == "" {
			one.sample = text(one.name, &node{})
		}
	}
	return one, true
}

func hasAttribute(n *html.Node, name string) bool {
	for _, one := range n.Attr {
		if one.Key == name {
			return true
		}
	}
	return false
}

// specForm is an address in the script of a documentation page (Swagger UI,
// ReDoc, RapiDoc) that may be a description.
var specForm = regexp.MustCompile(`["']([^"'\s]{1,200}(?:openapi|swagger|api-docs|schema)[^"'\s]{0,100})["']`)

const mostScript = 64 << 10

func specAddresses(n *html.Node) []string {
	if address := attribute(n, "spec-url"); address != "" {
		return []string{address}
	}
	var found []string
	for child := range n.ChildNodes() {
		script := child.Data[:min(len(child.Data), mostScript)]
		for _, match := range specForm.FindAllStringSubmatch(script, 5) {
			if !strings.HasSuffix(match[1], ".js") && !strings.HasSuffix(match[1], ".css") {
				found = append(found, match[1])
			}
		}
	}
	return found
}

// metaNames are the meta elements that hold a CSRF token, by their names.
func metaNames(body []byte) []string {
	document, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		return nil
	}
	var names []string
	elements := 0
	for n := range document.Descendants() {
		if elements++; elements > mostElements || len(names) >= mostSources {
			break
		}
		if name := attribute(n, "name"); n.Type == html.ElementNode && n.Data == "meta" && namesCSRF(name) &&
			plainName.MatchString(name) && attribute(n, "content") != "" {
			names = append(names, name)
		}
	}
	return names
}
