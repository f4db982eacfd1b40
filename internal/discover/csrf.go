package discover

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// csrf is where a CSRF token comes from, and the header that takes it back.
type csrf struct {
	path    string // of the request that hands it out
	capture recipe.Capture
	header  string
	from    string
}

const (
	csrfName    = "csrf"
	mostSources = 4
)

// csrfPaths hand out tokens by convention.
var csrfPaths = []string{"/csrf", "/csrf-token", "/api/csrf"}

func namesCSRF(name string) bool {
	name = strings.ToLower(name)
	return strings.Contains(name, "csrf") || strings.Contains(name, "xsrf")
}

func firstCSRF(names []string) string {
	if i := slices.IndexFunc(names, namesCSRF); i >= 0 {
		return names[i]
	}
	return ""
}

// guarded is a login that sends a CSRF token along, for each place that one may
// come from. A form's own hidden fields are in its step already.
func (s *search) guarded(ctx context.Context, one way) []way {
	if s.tokens == nil {
		s.tokens = s.tokenSources(ctx)
	}
	var ways []way
	for _, source := range s.tokens {
		for _, header := range source.headers(one.op) {
			guarded := one
			source.header = header
			guarded.step = source.guard(one.step)
			guarded.note = "with the CSRF token of " + source.from
			ways = append(ways, guarded)
		}
	}
	return ways
}

// headers are those that may take the token back: what the operation says,
// else what frameworks use.
func (c csrf) headers(op operation) []string {
	for _, needed := range op.parameters {
		if needed.in == "header" && namesCSRF(needed.name) {
			return []string{needed.name}
		}
	}
	switch strings.ToLower(c.capture.Cookie) {
	case "xsrf-token":
		return []string{"X-XSRF-TOKEN"} // Angular's, Spring's, Laravel's
	case "csrftoken":
		return []string{"X-CSRFToken"} // Django's
	}
	return []string{"X-CSRF-Token", "X-XSRF-TOKEN"}
}

// guard puts the request for the token before a step, and the token into the
// header of its last request.
func (c csrf) guard(step recipe.Step) recipe.Step {
	before, err := recipe.ParseRequestLine("GET " + c.path)
	if err != nil || len(step.Requests) == 0 {
		return step
	}
	before.Capture = []recipe.Capture{c.capture}
	step.Requests = append([]recipe.Request{before}, step.Requests...)
	last := &step.Requests[len(step.Requests)-1]
	last.Headers = slices.DeleteFunc(slices.Clone(last.Headers), func(p recipe.Pair) bool { return strings.EqualFold(p.Name, c.header) })
	last.Headers = append(last.Headers, recipe.Pair{Name: c.header, Value: recipe.Placeholder(csrfName)})
	return step
}

// tokenSources asks what is called CSRF, then what was read already.
func (s *search) tokenSources(ctx context.Context) []csrf {
	found := []csrf{}
	var paths []string
	for _, op := range s.operations {
		if op.method == "GET" && usable(op) && slices.ContainsFunc(op.words, namesCSRF) {
			paths = append(paths, op.path)
		}
	}
	for _, path := range append(paths, csrfPaths...) {
		if len(found) >= mostSources || s.over(ctx) {
			break
		}
		if answer, err := s.get(ctx, path); err == nil && answer.Status < 300 {
			found = append(found, sourcesIn(path, answer)...)
		}
		if len(found) > 0 {
			break
		}
	}
	if !s.read && !s.spent() {
		_, _ = s.getPage(ctx, "/")
	}
	for _, page := range []Document{s.entry, s.front} {
		if page.Status > 0 && page.Status < 400 {
			found = append(found, sourcesIn(page.Path, page)...)
		}
	}
	return found[:min(len(found), mostSources)]
}

// sourcesIn are the places of one answer that hold a CSRF token.
func sourcesIn(path string, answer Document) []csrf {
	var found []csrf
	rate := func(name string) int {
		switch {
		case namesCSRF(name):
			return 2
		case strings.EqualFold(name, "token") && namesCSRF(path):
			return 1
		}
		return 0
	}
	for _, member := range textMembers(string(answer.Body[:min(len(answer.Body), mostScript)]), rate, 1) {
		found = append(found, csrf{path: path, capture: recipe.Capture{Name: csrfName, JSON: member}, from: fmt.Sprintf("%s in GET %s", member, path)})
	}
	if name := answer.csrfCookie(); name != "" {
		found = append(found, csrf{path: path, capture: recipe.Capture{Name: csrfName, Cookie: name}, from: fmt.Sprintf("the cookie %s of GET %s", name, path)})
	}
	if name := firstCSRF(answer.Headers); name != "" {
		found = append(found, csrf{path: path, capture: recipe.Capture{Name: csrfName, Header: name}, from: fmt.Sprintf("the header %s of GET %s", name, path)})
	}
	if answer.isHTML() {
		for _, name := range metaNames(answer.Body) {
			found = append(found, csrf{path: path, capture: recipe.Capture{Name: csrfName, HTML: fmt.Sprintf("meta[name=%q]", name)},
				from: fmt.Sprintf("the meta element %s of GET %s", name, path)})
		}
	}
	return found
}

// memberPath is where an answer holds a text of that name, for requests that send it
// back; "" where it does not.
func memberPath(answer trace.Response, name string) string {
	paths := textMembers(answer.Body.Reveal(), func(member string) int { return points(member == name, 1) }, 1)
	if len(paths) == 0 {
		return ""
	}
	return paths[0]
}
