package browser

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime/multipart"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/sessiongate/sessiongate/internal/cookie"
	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

// draft is a request before it is sent. The session id is not in it yet: each
// hop carries what the jar holds by then.
type draft struct {
	method string
	shown  string // the path as messages may show it
	root   string // what stands before the path, from the base URL
	path   string // escaped
	query  string
	header []trace.Field
	body   []byte
	plants []probe.Plant // that it holds
	given  bool          // by a redirect: its URL is complete
	raw    bool          // its Cookie lines are a guise's
}

func (d draft) line() string { return d.method + " " + d.shown }

func (a *actor) draft(try attempt, request recipe.Request) (draft, error) {
	lookup := a.lookup(try)
	target, err := request.Path.Expand(lookup)
	if err != nil {
		return draft{}, fmt.Errorf("path: %w", err)
	}
	if !strings.HasPrefix(target.Reveal(), "/") {
		return draft{}, fmt.Errorf("path %s: what fills it does not begin with /; narrow its capture with a regex", shownPath(request.Path))
	}
	if a.guise.Foreign {
		request.Headers = nil
	}
	made := draft{method: cmp.Or(a.guise.Method, request.Method), shown: shownPath(request.Path), root: a.stage.world.root()}
	made.path, made.query, _ = strings.Cut(target.Reveal(), "?")
	for _, pair := range request.Query {
		value, err := pair.Value.Expand(lookup)
		if err != nil {
			return draft{}, fmt.Errorf("query %s: %w", pair.Name, err)
		}
		made.query = addQuery(made.query, pair.Name, value.Reveal())
	}
	body := encode(request.Body, try.form)
	for _, pair := range request.Headers {
		if body.Kind != request.Body.Kind && strings.EqualFold(pair.Name, "Content-Type") {
			continue
		}
		value, err := pair.Value.Expand(lookup)
		if err != nil && a.stage.world.session.isHeader(pair.Name) {
			continue // nothing is carried yet
		}
		if err != nil {
			return draft{}, fmt.Errorf("header %s: %w", pair.Name, err)
		}
		made.set(pair.Name, value)
	}
	for _, plant := range try.plants {
		if holds(body, plant.Channel) {
			made.plants = append(made.plants, plant)
			made.plant(plant)
		}
	}
	switch {
	case a.guise.Method == "":
	case a.guise.Method == "GET" && body.Kind != recipe.NoBody:
		return made, made.intoQuery(body, lookup)
	default: // OPTIONS and its like ask about a request, and carry nothing of it
		return made, nil
	}
	return made, made.fill(body, lookup)
}

// intoQuery writes the fields of a body into the query, as a form with the
// method GET does.
func (d *draft) intoQuery(body recipe.Body, find lookup) error {
	body = encode(body, trace.LoginForms)
	if body.Kind != recipe.FormBody && body.Kind != recipe.MultipartBody {
		return errors.New("body: it has no flat fields that a query could carry")
	}
	made, err := fields(body.Fields, d.plants, find)
	if err != nil {
		return fmt.Errorf("body: %w", err)
	}
	for _, field := range made {
		d.query = setQuery(d.query, field[0], field[1])
	}
	return nil
}

// planted is what it puts beside the carrier, for the record.
func (d draft) planted() trace.Planted {
	if len(d.plants) == 0 {
		return trace.Planted{}
	}
	plant := d.plants[0]
	where := plant.Channel.Noun()
	if len(plant.Names) == 1 {
		where += " " + plant.Names[0]
	}
	return trace.Planted{ID: plant.ID, Where: where}
}

// shownPath is the path without its query and with the names of its holes.
func shownPath(path recipe.Template) string {
	shown, _, _ := strings.Cut(path.String(), "?")
	return shown
}

// lookup finds the values of a request; a captured name shadows a built-in one.
func (a *actor) lookup(try attempt) func(string) (secret.Text, bool) {
	user, _ := a.stage.world.user(a.user)
	return func(name string) (secret.Text, bool) {
		if value, given := try.values[name]; given {
			return value, true
		}
		if value, captured := a.captured[name]; captured {
			return value, true
		}
		password := user.Password
		if !try.password.IsZero() {
			password = try.password
		}
		switch name {
		case "username":
			return secret.New(user.Username), true
		case "password":
			return password, true
		case "basic":
			pair := user.Username + ":" + password.Reveal()
			return secret.New(base64.StdEncoding.EncodeToString([]byte(pair))), true
		case "new_password":
			return try.renewed, true
		case "random":
			return secret.New(pick("0123456789abcdef", 16)), true
		case "session_id":
			return try.chosen, true
		}
		return secret.Text{}, false
	}
}

func addQuery(query, name, value string) string {
	pair := url.QueryEscape(name) + "=" + url.QueryEscape(value)
	if query == "" {
		return pair
	}
	return query + "&" + pair
}

// setQuery puts the pair in the place of those of its name.
func setQuery(query, name, value string) string {
	kept := slices.DeleteFunc(strings.Split(query, "&"), func(pair string) bool { return pair == "" || isNamed(pair, name) })
	return addQuery(strings.Join(kept, "&"), name, value)
}

func isNamed(pair, name string) bool {
	key, _, _ := strings.Cut(pair, "=")
	decoded, err := url.QueryUnescape(key)
	return err == nil && decoded == name
}

// add sets a header that is not there yet.
func (d *draft) add(name, value string) {
	if !slices.ContainsFunc(d.header, func(f trace.Field) bool { return strings.EqualFold(f.Name, name) }) {
		d.header = append(d.header, trace.Field{Name: name, Value: secret.New(value)})
	}
}

func (d *draft) remove(name string) {
	d.header = slices.DeleteFunc(d.header, func(f trace.Field) bool { return strings.EqualFold(f.Name, name) })
}

func (d *draft) set(name string, value secret.Text) {
	i := slices.IndexFunc(d.header, func(f trace.Field) bool { return strings.EqualFold(f.Name, name) })
	if i >= 0 {
		d.header[i].Value = value
		return
	}
	d.header = append(d.header, trace.Field{Name: name, Value: value})
}

// plant puts an id where a request without a body can hold it.
func (d *draft) plant(plant probe.Plant) {
	for _, name := range plant.Names {
		switch plant.Channel {
		case probe.Query:
			d.query = setQuery(d.query, name, plant.ID.Reveal())
		case probe.Header:
			value := plant.ID
			if strings.EqualFold(name, "Authorization") {
				value = secret.New("Bearer " + plant.ID.Reveal())
			}
			d.set(name, value)
		case probe.Path:
			d.intoPath(name, url.PathEscape(plant.ID.Reveal()))
		}
	}
}

// intoPath writes /login;name=ID, or /s/ID/login for a name like "/s/".
func (d *draft) intoPath(name, id string) {
	if strings.HasPrefix(name, "/") {
		d.path = name + id + d.path
		return
	}
	d.path += ";" + url.PathEscape(name) + "=" + id
}

// holds reports whether a request with that body has a place for the plant.
func holds(body recipe.Body, channel probe.Channel) bool {
	switch channel {
	case probe.JSON:
		_, isObject := body.JSON.(map[string]any)
		return body.Kind == recipe.JSONBody && isObject
	case probe.Form:
		return body.Kind == recipe.FormBody || body.Kind == recipe.MultipartBody
	}
	return true
}

// encode is the body in another encoding, for a login tried as the other kind
// of client would send it. JSON that is no flat object has no other.
func encode(body recipe.Body, form trace.LoginForm) recipe.Body {
	switch {
	case form == trace.LoginForms && body.Kind == recipe.JSONBody:
		if members, isObject := body.JSON.(map[string]any); isObject {
			return flat(members, body)
		}
	case form == trace.LoginMultipart && body.Kind == recipe.JSONBody:
		if made := encode(body, trace.LoginForms); made.Kind == recipe.FormBody {
			made.Kind = recipe.MultipartBody
			return made
		}
	case form == trace.LoginJSON && (body.Kind == recipe.FormBody || body.Kind == recipe.MultipartBody):
		members := map[string]any{}
		for _, field := range body.Fields {
			members[field.Name] = field.Value
		}
		return recipe.Body{Kind: recipe.JSONBody, JSON: members}
	}
	return body
}

// flat is the form of a JSON object, the body itself where a member holds others.
func flat(members map[string]any, body recipe.Body) recipe.Body {
	made := recipe.Body{Kind: recipe.FormBody}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		field := recipe.Pair{Name: name}
		switch member := members[name].(type) {
		case map[string]any, []any:
			return body
		case recipe.Template:
			field.Value = member
		case nil:
		default:
			field.Value = recipe.Literal(fmt.Sprint(member))
		}
		made.Fields = append(made.Fields, field)
	}
	return made
}

type lookup = func(string) (secret.Text, bool)

func (d *draft) fill(body recipe.Body, find lookup) error {
	var err error
	switch body.Kind {
	case recipe.JSONBody:
		err = d.fillJSON(body.JSON, find)
	case recipe.FormBody:
		err = d.fillForm(body.Fields, find)
	case recipe.MultipartBody:
		err = d.fillMultipart(body.Fields, find)
	case recipe.RawBody:
		var text secret.Text
		text, err = body.Raw.Expand(find)
		d.body = []byte(text.Reveal())
	}
	if err != nil {
		return fmt.Errorf("body: %w", err)
	}
	return nil
}

func (d *draft) fillJSON(tree any, find lookup) error {
	value, err := expand(tree, find)
	if err != nil {
		return err
	}
	if members, isObject := value.(map[string]any); isObject {
		for _, plant := range d.plants {
			for _, name := range names(plant, probe.JSON) {
				setMember(members, name, plant.ID.Reveal())
			}
		}
	}
	d.body, err = json.Marshal(value)
	d.add("Content-Type", "application/json")
	return err
}

// setMember sets a member, or with a dotted name one of an object inside.
func setMember(members map[string]any, name, value string) {
	outer, inner, nested := strings.Cut(name, ".")
	if _, whole := members[name]; whole || !nested {
		members[name] = value
		return
	}
	object, is := members[outer].(map[string]any)
	if !is {
		object = map[string]any{}
		members[outer] = object
	}
	setMember(object, inner, value)
}

func names(plant probe.Plant, channel probe.Channel) []string {
	if plant.Channel != channel {
		return nil
	}
	return plant.Names
}

func expand(tree any, find lookup) (any, error) {
	switch node := tree.(type) {
	case recipe.Template:
		text, err := node.Expand(find)
		return text.Reveal(), err
	case map[string]any:
		made := map[string]any{}
		for name, member := range node {
			value, err := expand(member, find)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			made[name] = value
		}
		return made, nil
	case []any:
		made := make([]any, len(node))
		for i, element := range node {
			value, err := expand(element, find)
			if err != nil {
				return nil, err
			}
			made[i] = value
		}
		return made, nil
	}
	return tree, nil
}

// fields are the form fields of the recipe with the planted ones in place of
// those of the same name, or behind them.
func fields(pairs []recipe.Pair, plants []probe.Plant, find lookup) ([][2]string, error) {
	var made [][2]string
	planted := map[string]string{}
	for _, plant := range plants {
		for _, name := range names(plant, probe.Form) {
			planted[name] = plant.ID.Reveal()
		}
	}
	for _, pair := range pairs {
		value, err := pair.Value.Expand(find)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", pair.Name, err)
		}
		text := value.Reveal()
		if id, replaced := planted[pair.Name]; replaced {
			text = id
			delete(planted, pair.Name)
		}
		made = append(made, [2]string{pair.Name, text})
	}
	for _, name := range slices.Sorted(maps.Keys(planted)) {
		made = append(made, [2]string{name, planted[name]})
	}
	return made, nil
}

func (d *draft) fillForm(pairs []recipe.Pair, find lookup) error {
	made, err := fields(pairs, d.plants, find)
	if err != nil {
		return err
	}
	encoded := ""
	for _, field := range made {
		encoded = addQuery(encoded, field[0], field[1])
	}
	d.body = []byte(encoded)
	d.add("Content-Type", "application/x-www-form-urlencoded")
	return nil
}

func (d *draft) fillMultipart(pairs []recipe.Pair, find lookup) error {
	made, err := fields(pairs, d.plants, find)
	if err != nil {
		return err
	}
	var body bytes.Buffer
	writer := multipart.NewWriter(&body)
	for _, field := range made {
		if err := writer.WriteField(field[0], field[1]); err != nil {
			return err
		}
	}
	if err := writer.Close(); err != nil {
		return err
	}
	d.body = body.Bytes()
	d.set("Content-Type", secret.New(writer.FormDataContentType()))
	return nil
}

// follow is the request that a browser makes of a redirect (RFC 9110 §15.4):
// 307 and 308 keep the method and the body. It stays with the target's host.
func (a *actor) follow(from draft, response trace.Response) (draft, error) {
	location := response.Get("Location").Reveal()
	if location == "" {
		return draft{}, fmt.Errorf("%s answered %d without a Location", from.line(), response.Status)
	}
	base := a.stage.world.options.Base
	current, err := (&url.URL{Scheme: base.Scheme, Host: base.Host}).Parse(from.root + from.path)
	if err != nil {
		return draft{}, fmt.Errorf("%s: its path cannot be resolved", from.line())
	}
	to, err := current.Parse(location)
	if err != nil {
		return draft{}, fmt.Errorf("%s redirects to something that is no URL", from.line())
	}
	if !strings.EqualFold(to.Host, base.Host) {
		return draft{}, errors.New(from.line() + " redirects to another host, which is not followed; end the step before it")
	}
	next := from
	next.given, next.query = true, to.RawQuery
	next.root, next.path = "", "/"+strings.TrimPrefix(to.EscapedPath(), "/")
	if below, is := strings.CutPrefix(next.path, a.stage.world.root()+"/"); is {
		next.root, next.path = a.stage.world.root(), "/"+below
	}
	next.shown = a.stage.world.shown(next.path, from.shown)
	if turnsToGET(from.method, response.Status) {
		next.method, next.body, next.header = "GET", nil, withoutContent(from.header)
	}
	next.plants = slices.DeleteFunc(slices.Clone(from.plants), func(p probe.Plant) bool {
		return p.Channel == probe.Query || p.Channel == probe.Path || p.Channel != probe.Header && next.body == nil
	})
	return next, nil
}

// turnsToGET reports what RFC 9110 §15.4 leaves to the client as browsers do it.
func turnsToGET(method string, status int) bool {
	return status == 303 && method != "HEAD" || (status == 301 || status == 302) && method == "POST"
}

func withoutContent(header []trace.Field) []trace.Field {
	return slices.DeleteFunc(slices.Clone(header), func(f trace.Field) bool {
		return len(f.Name) >= 8 && strings.EqualFold(f.Name[:8], "Content-")
	})
}

// carry is what a request to that path takes from the jar and the tokens worn.
func (a *actor) carry(d *draft) trace.Credential {
	pairs := a.jar.Cookies(a.stage.world.origin(d.root+d.path), time.Now())
	if len(pairs) > 0 {
		d.set("Cookie", cookie.Header(pairs))
	}
	for _, slot := range sortedSlots(a.worn) {
		id := a.worn[slot]
		switch slot.Kind {
		case trace.InHeader:
			d.set(slot.Name, secret.New(slot.Before+id.Reveal()+slot.After))
		case trace.InQuery:
			if !d.given || !strings.Contains("&"+d.query, "&"+url.QueryEscape(slot.Name)+"=") {
				d.query = setQuery(d.query, slot.Name, id.Reveal())
			}
		case trace.InPath:
			if d.given && strings.HasPrefix(d.path, slot.Before) {
				continue
			}
			d.path = slot.Before + url.PathEscape(id.Reveal()) + strings.TrimSuffix(slot.After, "/") + d.path
		}
	}
	if a.guise.Cookie == nil {
		return a.Carries()
	}
	d.raw = true
	d.remove("Cookie")
	for _, line := range a.guise.Cookie {
		d.header = append(d.header, trace.Field{Name: "Cookie", Value: line})
	}
	return nil // what is carried is for the server to say
}
