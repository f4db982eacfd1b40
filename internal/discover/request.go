package discover

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/sessiongate/sessiongate/internal/recipe"
)

// purpose is the step that requests are made for.
type purpose string

const (
	forLogin    purpose = "login"
	forRegister purpose = "register"
	forIdentity purpose = "identity"
	forLogout   purpose = "logout"
	forElevate  purpose = "elevate"
	forChange   purpose = "change-password"
	forVisit    purpose = "visit"
)

// step makes the recipe step of an operation; false where it cannot be written
// as one.
func (o operation) step(why purpose) (recipe.Step, bool) {
	request, err := recipe.ParseRequestLine(o.line())
	if err != nil {
		return recipe.Step{}, false
	}
	made := recipe.Step{Name: string(why)}
	body := bodyMaker{purpose: why, kind: o.body, renewed: o.has(newPassword)}
	request.Body = body.body(o.fields)
	for _, needed := range o.parameters {
		pair := recipe.Pair{Name: needed.name, Value: body.value(field{name: needed.name, required: true, sample: needed.sample})}
		switch {
		case !plainName.MatchString(needed.name):
		case needed.in == "query":
			request.Query = append(request.Query, pair)
		case !strings.EqualFold(needed.name, "Authorization"):
			request.Headers = append(request.Headers, pair)
		}
	}
	if len(body.captures) > 0 {
		before, err := recipe.ParseRequestLine("GET " + o.page)
		if err != nil {
			return recipe.Step{}, false
		}
		before.Capture = body.captures
		made.Requests = append(made.Requests, before)
	}
	made.Requests = append(made.Requests, request)
	return made, true
}

// basic is a login whose credentials stand in the header of RFC 7617.
func (o operation) basic() (recipe.Step, bool) {
	o.body, o.fields = recipe.NoBody, nil
	made, ok := o.step(forLogin)
	if ok {
		last := &made.Requests[len(made.Requests)-1]
		last.Headers = append(last.Headers, recipe.Pair{Name: "Authorization", Value: recipe.Template{Parts: []recipe.Part{{Text: "Basic "}, {Name: "basic"}}}})
	}
	return made, ok
}

// plainName is a name of a field that needs no quoting anywhere it may stand.
var plainName = regexp.MustCompile(`^[A-Za-z0-9_.:\[\]-]{1,100}$`)

type bodyMaker struct {
	purpose  purpose
	kind     recipe.BodyKind
	named    bool // a user name stands in the body
	renewed  bool // a field is called a new password
	captures []recipe.Capture
}

func (m *bodyMaker) body(fields []field) recipe.Body {
	if len(fields) == 0 || m.kind == recipe.NoBody {
		return recipe.Body{}
	}
	m.named = slices.ContainsFunc(flat(fields), func(f field) bool { return f.role() == userName })
	if m.kind == recipe.JSONBody {
		return recipe.Body{Kind: m.kind, JSON: m.object(fields)}
	}
	made := recipe.Body{Kind: m.kind}
	for _, one := range fields {
		if m.wants(one) {
			made.Fields = append(made.Fields, recipe.Pair{Name: one.name, Value: m.value(one)})
		}
	}
	return made
}

func (m *bodyMaker) object(fields []field) map[string]any {
	made := map[string]any{}
	for _, one := range fields {
		switch {
		case !m.wants(one):
		case len(one.fields) > 0:
			made[one.name] = m.object(one.fields)
		default:
			made[one.name] = m.tree(one)
		}
	}
	return made
}

// wants leaves out what is optional and is not about who somebody is. The id
// that a client may send is left out too: planting one is the probes' business.
func (m *bodyMaker) wants(f field) bool {
	if !plainName.MatchString(f.name) {
		return false
	}
	if len(f.fields) > 0 {
		return f.required || slices.ContainsFunc(flat(f.fields), func(inner field) bool { return inner.role() == password })
	}
	switch f.role() {
	case userName, password, newPassword:
		return true
	case email:
		return f.required || !m.named || m.purpose == forRegister
	}
	// A grant type that is optional for the description is not for the server.
	return f.required || f.name == "grant_type"
}

// value is what a request sends in a field.
func (m *bodyMaker) value(f field) recipe.Template {
	if f.taken != "" {
		return recipe.Placeholder(f.taken)
	}
	switch f.role() {
	case userName:
		return recipe.Placeholder("username")
	case email:
		if m.named && m.purpose == forRegister {
			return recipe.Template{Parts: []recipe.Part{{Name: "username"}, {Text: "@example.com"}}}
		}
		return recipe.Placeholder("username")
	case password:
		if m.purpose == forChange && m.isNew(f) {
			return recipe.Placeholder("new_password")
		}
		return recipe.Placeholder("password")
	case newPassword:
		return recipe.Placeholder("new_password")
	case sessionID:
		if !f.hidden { // else the page has one for its form
			return recipe.Placeholder("session_id")
		}
	}
	if f.hidden {
		return m.capture(f)
	}
	if text, is := f.sample.(string); is {
		return recipe.Literal(text)
	}
	if f.sample == nil {
		return recipe.Template{}
	}
	return recipe.Literal(fmt.Sprint(f.sample))
}

// isNew reports whether a password in a change of one is the new one: it is
// asked for twice, or nothing else could be.
func (m *bodyMaker) isNew(f field) bool {
	said := operation{words: words(f.name)}
	if said.says("old", "current", "existing", "previous") {
		return false
	}
	return !m.renewed || said.says("confirm", "confirmation", "repeat", "repeated", "again", "verify")
}

// capture takes a hidden field from its page, since it may be a CSRF token.
func (m *bodyMaker) capture(f field) recipe.Template {
	name := strings.Join(words(f.name), "_")
	if name == "" || slices.Contains(recipe.Builtin, name) || name[0] >= '0' && name[0] <= '9' {
		name = "hidden_" + name
	}
	m.captures = append(m.captures, recipe.Capture{Name: name, HTML: fmt.Sprintf(`input[name="%s"]`, f.name)})
	return recipe.Placeholder(name)
}

// tree is the field's value in a JSON body.
func (m *bodyMaker) tree(f field) any {
	if f.taken != "" || f.role() != other && f.role() != oneTime {
		return m.value(f)
	}
	return templates(f.sample)
}

// templates turns the texts of a sample into those of a recipe.
func templates(sample any) any {
	switch value := sample.(type) {
	case string:
		return recipe.Literal(value)
	case []any:
		list := []any{}
		for _, item := range value {
			list = append(list, templates(item))
		}
		return list
	case map[string]any:
		object := map[string]any{}
		for name, item := range value {
			if plainName.MatchString(name) {
				object[name] = templates(item)
			}
		}
		return object
	}
	return sample
}
