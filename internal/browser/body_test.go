package browser_test

import (
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/probe"
	"github.com/sessiongate/sessiongate/internal/secret"
	"github.com/sessiongate/sessiongate/internal/trace"
)

func plant(channel probe.Channel, names ...string) probe.Plant {
	return probe.Plant{Channel: channel, Names: names, ID: secret.New("planted-id")}
}

// parts are the fields of a multipart body in their order.
func parts(t testing.TB, r received) []string {
	t.Helper()
	_, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	reader := multipart.NewReader(strings.NewReader(r.Body), parameters["boundary"])
	var found []string
	for {
		part, err := reader.NextPart()
		if err == io.EOF {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		value, err := io.ReadAll(part)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, part.FormName()+"="+string(value))
	}
}

func TestBodies(t *testing.T) {
	t.Parallel()
	const password = `{{password}}`
	cases := []struct{ name, body, contentType, want string }{
		{"json", `json: {user: "{{username}}", n: 7, yes: true, none: null, list: [1, "{{username}}"], secret: "` + password + `"}`, "application/json",
			`{"list":[1,"alice"],"n":7,"none":null,"secret":"correct horse \u003c\u0026\u003e battery","user":"alice","yes":true}`},
		{"json list", `json: ["{{username}}"]`, "application/json", `["alice"]`},
		{"json with a type of its own", `json: {a: b}, headers: {content-type: application/vnd.api+json}`, "application/vnd.api+json", `{"a":"b"}`},
		{"form in the file's order", `form: {z: 1, user: "{{username}}", a: "` + password + `", m: ""}`, "application/x-www-form-urlencoded",
			"z=1&user=alice&a=correct+horse+%3C%26%3E+battery&m="},
		{"raw", `body: "<user>{{username}}</user>", headers: {Content-Type: text/xml}`, "text/xml", "<user>alice</user>"},
		{"raw without a type", `body: "{{username}}"`, "", "alice"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			site := serve(t, silent)
			stage := visit(t, site.URL, "steps: {login: {request: POST /login, "+c.body+"}}")
			mustDo(t, stage.Actor("actor").Login(t.Context(), "alice"))
			got := site.last(t)
			if got.Body != c.want || strings.Join(got.Header.Values("Content-Type"), " AND ") != c.contentType {
				t.Errorf("sent %s as %q, want %s as %q", got.Body, got.Header.Values("Content-Type"), c.want, c.contentType)
			}
			if recorded := stage.Exchanges()[0].Request.Body.Reveal(); recorded != c.want {
				t.Errorf("recorded %s", recorded)
			}
		})
	}
}

func TestMultipartKeepsTheOrder(t *testing.T) {
	t.Parallel()
	site := serve(t, silent)
	actor := visit(t, site.URL, `steps: {login: {request: POST /login, multipart: {z: 1, user: "{{username}}", sid: "chosen", a: "line one\nline two"}}}`).Actor("actor")
	mustDo(t, actor.Login(t.Context(), "alice"))
	if diff := cmp.Diff([]string{"z=1", "user=alice", "sid=chosen", "a=line one\nline two"}, parts(t, site.last(t))); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	mustDo(t, actor.Login(t.Context(), "alice", plant(probe.Form, "new", "sid")))
	if diff := cmp.Diff([]string{"z=1", "user=alice", "sid=planted-id", "a=line one\nline two", "new=planted-id"}, parts(t, site.last(t))); diff != "" {
		t.Errorf("with a plant it sent (-want +got):\n%s", diff)
	}
}

func TestLoginAsTheOtherEncoding(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, body        string
		form              trace.LoginForm
		contentType, want string
	}{
		{"json as form", `json: {user: "{{username}}", remember: true, n: 3, none: null}`, trace.LoginForms, "application/x-www-form-urlencoded", "n=3&none=&remember=true&user=alice"},
		{"form as json", `form: {z: "{{username}}", a: 1}`, trace.LoginJSON, "application/json", `{"a":"1","z":"alice"}`},
		{"multipart as json", `multipart: {z: "{{username}}"}`, trace.LoginJSON, "application/json", `{"z":"alice"}`},
		{"json as json", `json: {user: "{{username}}"}`, trace.LoginJSON, "application/json", `{"user":"alice"}`},
		{"a type that no longer fits", `json: {a: 1}, headers: {Content-Type: application/vnd.api+json}`, trace.LoginForms, "application/x-www-form-urlencoded", "a=1"},
		{"nested json has no other", `json: {deep: {user: "{{username}}"}}`, trace.LoginForms, "application/json", `{"deep":{"user":"alice"}}`},
		{"a json list has no other", `json: ["{{username}}"]`, trace.LoginForms, "application/json", `["alice"]`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			site := serve(t, silent)
			actor := visit(t, site.URL, "steps: {login: {request: POST /login, "+c.body+"}}").Actor("actor")
			mustDo(t, actor.LoginAs(t.Context(), "alice", c.form))
			if got := site.last(t); got.Body != c.want || strings.Join(got.Header.Values("Content-Type"), " AND ") != c.contentType {
				t.Errorf("sent %s as %q, want %s as %q", got.Body, got.Header.Values("Content-Type"), c.want, c.contentType)
			}
		})
	}
}

func TestLoginAsTheOtherEncodingWithAPlant(t *testing.T) {
	t.Parallel()
	site := serve(t, silent)
	actor := visit(t, site.URL, `steps: {login: {request: POST /login, json: {user: "{{username}}"}}}`).Actor("actor")
	mustDo(t, actor.LoginAs(t.Context(), "alice", trace.LoginForms, plant(probe.Form, "sid", "user")))
	if got := site.last(t).Body; got != "user=planted-id&sid=planted-id" {
		t.Errorf("sent %q", got)
	}
}

func TestRequestWithoutABodyHasNone(t *testing.T) {
	t.Parallel()
	target := says(t, "HTTP/1.1 204 No Content\r\n\r\n")
	do(t, visit(t, target.base(), "steps: {visit: GET /}").Actor("actor"), "visit")
	if got := <-target.requests; strings.Contains(got, "Content-") {
		t.Errorf("sent %q", got)
	}
}

// A recipe cannot say how long its message is: the sender counts.
func TestFramingIsTheSenders(t *testing.T) {
	t.Parallel()
	site := serve(t, silent)
	actor := visit(t, site.URL, `
steps: {login: {request: POST /login, body: "12345", headers: {content-length: "99", Transfer-Encoding: chunked}}}
`).Actor("actor")
	mustDo(t, actor.Login(t.Context(), "alice"))
	if got := site.last(t); got.Body != "12345" || got.Header.Get("Content-Length") != "5" {
		t.Errorf("sent %q with Content-Length %q", got.Body, got.Header.Get("Content-Length"))
	}
}
