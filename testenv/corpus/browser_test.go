package corpus_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/andybalholm/cascadia"
	"github.com/ohler55/ojg/jp"
	"github.com/ohler55/ojg/oj"
	"golang.org/x/net/html"
)

// browser performs the steps of a recipe over plain HTTP. It shares nothing
// with sessiongate but the recipe's text. Cookies are kept by name and path;
// attributes that a browser would enforce are looked at where they matter.
type browser struct {
	proof   *proof
	jar     []*http.Cookie
	values  map[string]string // captured, and the built-in ones
	headers map[string]string // sent with every request
	raw     string            // the Cookie header, when it is to be exactly that
	plant   func(*outgoing)   // changes the last request of a login
	set     []*http.Cookie    // every Set-Cookie seen
	last    answer
}

type outgoing struct {
	method, path string
	query        url.Values
	headers      map[string]string
	kind         string // json, form, multipart, none, or a content type for JSON text
	json         any
	fields       map[string]string
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) ok() bool { return a.status >= 200 && a.status < 300 }

// client has one connection per request, so that no server can tell browsers
// apart, or take them for each other, by the connection.
var client = &http.Client{
	Timeout:       20 * time.Second,
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func (p *proof) browser() *browser {
	return &browser{proof: p, values: map[string]string{}, headers: map[string]string{}}
}

func (b *browser) clone() *browser {
	return &browser{proof: b.proof, jar: slices.Clone(b.jar), values: maps.Clone(b.values), headers: maps.Clone(b.headers), raw: b.raw}
}

func (b *browser) as(user string) *browser {
	account := b.proof.account(user)
	b.values["username"], b.values["password"] = account.username, account.password
	b.values["new_password"] = account.password + "-new"
	return b
}

// do performs a step; an error means that it could not be performed.
func (b *browser) do(ctx context.Context, name string) error {
	return b.requests(ctx, b.proof.recipe.Steps[name])
}

func (b *browser) requests(ctx context.Context, requests step) error {
	for i, one := range requests {
		out := b.prepare(one)
		if b.plant != nil && i == len(requests)-1 {
			b.plant(out)
		}
		if err := b.send(ctx, out); err != nil {
			return fmt.Errorf("%s: %w", one.Request, err)
		}
		if err := b.capture(one.Capture); err != nil {
			return fmt.Errorf("%w: %s answered %d: %w", errRefused, one.Request, b.last.status, err)
		}
		for hops := 0; one.Follow && hops < 5 && b.last.status >= 300 && b.last.status < 400; hops++ {
			target, err := url.Parse(b.last.header.Get("Location"))
			if err != nil {
				return err
			}
			if err := b.send(ctx, &outgoing{method: http.MethodGet, path: target.Path, query: target.Query()}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *browser) prepare(r request) *outgoing {
	method, target, _ := strings.Cut(r.Request, " ")
	target = b.expand(target)
	path, query, _ := strings.Cut(target, "?")
	out := &outgoing{method: method, path: path, headers: map[string]string{}, fields: map[string]string{}}
	out.query, _ = url.ParseQuery(query)
	for name, value := range r.Query {
		out.query.Set(name, b.expand(value))
	}
	for name, value := range r.Headers {
		out.headers[name] = b.expand(value)
	}
	switch {
	case r.JSON != nil:
		out.kind, out.json = "json", b.fill(r.JSON)
	case r.Form != nil:
		out.kind = "form"
	case r.Multipart != nil:
		out.kind = "multipart"
	}
	for name, value := range r.Form {
		out.fields[name] = b.expand(value)
	}
	for name, value := range r.Multipart {
		out.fields[name] = b.expand(value)
	}
	return out
}

var hole = regexp.MustCompile(`\{\{([a-z_A-Z0-9-]+)\}\}`)

func (b *browser) expand(text string) string {
	return hole.ReplaceAllStringFunc(text, func(found string) string {
		name := found[2 : len(found)-2]
		if value, known := b.values[name]; known {
			return value
		}
		return rand.Text() // {{random}} and {{session_id}}
	})
}

func (b *browser) fill(node any) any {
	switch value := node.(type) {
	case string:
		return b.expand(value)
	case map[string]any:
		filled := map[string]any{}
		for key, member := range value {
			filled[key] = b.fill(member)
		}
		return filled
	}
	return node
}

func (o *outgoing) body() (text, contentType string, err error) {
	switch o.kind {
	case "":
		return "", "", nil
	case "form":
		fields := url.Values{}
		for name, value := range o.fields {
			fields.Set(name, value)
		}
		return fields.Encode(), "application/x-www-form-urlencoded", nil
	case "multipart":
		var buffer bytes.Buffer
		writer := multipart.NewWriter(&buffer)
		for name, value := range o.fields {
			if err := writer.WriteField(name, value); err != nil {
				return "", "", err
			}
		}
		err := writer.Close()
		return buffer.String(), writer.FormDataContentType(), err
	}
	encoded, err := json.Marshal(o.json)
	switch o.kind {
	case "json":
		return string(encoded), "application/json", err
	case "none":
		return string(encoded), "", err
	}
	return string(encoded), o.kind, err
}

func (b *browser) send(ctx context.Context, out *outgoing) error {
	body, contentType, err := out.body()
	if err != nil {
		return err
	}
	address := b.proof.base + out.path
	if len(out.query) > 0 {
		address += "?" + out.query.Encode()
	}
	made, err := http.NewRequestWithContext(ctx, out.method, address, strings.NewReader(body))
	if err != nil {
		return err
	}
	made.Header.Set("X-Forwarded-Proto", "https") // as from a proxy that speaks TLS
	if contentType != "" {
		made.Header.Set("Content-Type", contentType)
	}
	b.carry(made)
	for name, value := range b.headers {
		made.Header.Set(name, value)
	}
	for name, value := range out.headers {
		made.Header.Set(name, value)
	}
	response, err := client.Do(made)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	read, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	b.last = answer{status: response.StatusCode, header: response.Header, body: string(read)}
	b.keep(response.Cookies())
	if name := b.proof.recipe.Session["header"]; name != "" && response.Header.Get(name) != "" {
		b.values["header "+name] = response.Header.Get(name)
	}
	return nil
}

// carry puts cookies and tokens on the request.
func (b *browser) carry(made *http.Request) {
	var pairs []string
	for _, c := range b.jar {
		if below(made.URL.Path, c.Path) {
			pairs = append(pairs, c.Name+"="+c.Value)
		}
	}
	if b.raw != "" {
		pairs = []string{b.raw}
	}
	if len(pairs) > 0 {
		made.Header.Set("Cookie", strings.Join(pairs, "; "))
	}
	for name, value := range b.tokens() {
		made.Header.Set(name, value)
	}
}

// tokens are the headers by which the recipe carries the session.
func (b *browser) tokens() map[string]string {
	session := b.proof.recipe.Session
	template := session["value"]
	name := session["header"]
	switch {
	case session["bearer"] != "":
		name, template = "Authorization", "Bearer "+session["bearer"]
	case name != "" && template == "":
		template = "{{header " + name + "}}"
		if value, held := b.values["header "+name]; held {
			return map[string]string{name: value}
		}
		return nil
	case name == "":
		return nil
	}
	for _, match := range hole.FindAllStringSubmatch(template, -1) {
		if _, held := b.values[match[1]]; !held {
			return nil
		}
	}
	return map[string]string{name: b.expand(template)}
}

func below(path, root string) bool {
	return root == "" || root == "/" || path == root || strings.HasPrefix(path, strings.TrimSuffix(root, "/")+"/")
}

func (b *browser) keep(cookies []*http.Cookie) {
	for _, c := range cookies {
		b.set = append(b.set, c)
		b.jar = slices.DeleteFunc(slices.Clone(b.jar), func(old *http.Cookie) bool { return old.Name == c.Name && old.Path == c.Path })
		gone := c.MaxAge < 0 || !c.Expires.IsZero() && c.Expires.Before(time.Now())
		if !gone {
			b.jar = append(b.jar, c)
		}
	}
}

// wear puts a value into a slot of the carrier: "cookie NAME" or a captured name.
func (b *browser) wear(slot, value string) {
	if name, is := strings.CutPrefix(slot, "cookie "); is {
		path := "/"
		b.jar = slices.DeleteFunc(slices.Clone(b.jar), func(old *http.Cookie) bool { return old.Name == name })
		b.jar = append(b.jar, &http.Cookie{Name: name, Value: value, Path: path})
		return
	}
	b.values[slot] = value
}

// held is what sits in a slot; "" when nothing does.
func (b *browser) held(slot string) string {
	if name, is := strings.CutPrefix(slot, "cookie "); is {
		for _, c := range b.jar {
			if c.Name == name {
				return c.Value
			}
		}
		return ""
	}
	return b.values[slot]
}

func (b *browser) capture(captures map[string]map[string]string) error {
	for name, from := range captures {
		value, found := b.find(from)
		if !found {
			return fmt.Errorf("no %s in the answer: %.200s", name, b.last.body)
		}
		b.values[name] = value
	}
	return nil
}

func (b *browser) find(from map[string]string) (string, bool) {
	text := b.last.body
	switch {
	case from["html"] != "":
		page, err := html.Parse(strings.NewReader(text))
		if err != nil {
			return "", false
		}
		node := cascadia.Query(page, cascadia.MustCompile(from["html"]))
		if node == nil {
			return "", false
		}
		for _, attribute := range node.Attr {
			if attribute.Key == "value" || attribute.Key == "content" {
				return attribute.Val, true
			}
		}
		return "", false
	case from["json"] != "":
		document, err := oj.ParseString(text)
		if err != nil {
			return "", false
		}
		for _, found := range jp.MustParseString(from["json"]).Get(document) {
			return fmt.Sprint(found), true
		}
		return "", false
	case from["cookie"] != "":
		text = b.held("cookie " + from["cookie"])
	case from["header"] != "":
		text = b.last.header.Get(from["header"])
	}
	if from["regex"] != "" {
		match := regexp.MustCompile(from["regex"]).FindStringSubmatch(text)
		if match == nil {
			return "", false
		}
		return match[len(match)-1], true
	}
	return text, text != ""
}

// who asks the identity step whom the API takes this browser for: alice, bob
// or "". The browser itself is left as it is.
func (b *browser) who(ctx context.Context) (string, error) {
	asking := b.clone()
	if err := asking.do(ctx, "identity"); err != nil {
		return "", err
	}
	if asking.last.status >= 500 {
		return "", fmt.Errorf("the identity step answers %d", asking.last.status)
	}
	for _, user := range b.proof.recipe.Users {
		if asking.last.ok() && strings.Contains(asking.last.body, b.proof.account(user.Name).username) {
			return user.Name, nil
		}
	}
	return "", nil
}

// is says whether the API takes this browser for the user. What is no answer
// is no access.
func (b *browser) is(ctx context.Context, user string) bool {
	who, err := b.who(ctx)
	return err == nil && who == user
}

// login performs the login step and demands that it worked.
func (b *browser) login(ctx context.Context, user string) error {
	if err := b.as(user).do(ctx, "login"); err != nil {
		return err
	}
	who, err := b.who(ctx)
	if err == nil && who != user {
		err = fmt.Errorf("%w: after the login of %s (answered %d) the API says %q", errRefused, user, b.last.status, who)
	}
	return err
}

var errRefused = errors.New("login refused")
