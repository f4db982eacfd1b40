package recipe_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/secret"
)

func TestTemplate(t *testing.T) {
	t.Parallel()
	template := join(text("a "), name("x"), text(" "), from("WORD"), text(" "), name("y"), name("x"))
	if diff := cmp.Diff([]string{"x", "y"}, template.Names()); diff != "" {
		t.Errorf("names, -want +got:\n%s", diff)
	}
	tag := secret.New(environment["WORD"]).Tag()
	if want := "a {{x}} " + tag + " {{y}}{{x}}"; template.String() != want {
		t.Errorf("shows %q, not %q", template, want)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%q"} {
		hidesSecrets(t, fmt.Sprintf(verb, template))
	}
	filled, err := template.Expand(func(name string) (secret.Text, bool) { return secret.New("<" + name + ">"), true })
	if err != nil || filled.Reveal() != "a <x> plum tree <y><x>" {
		t.Errorf("filled: %q, %v", filled.Reveal(), err)
	}
	_, err = template.Expand(func(name string) (secret.Text, bool) { return secret.Text{}, name == "x" })
	if err == nil || !strings.Contains(err.Error(), "{{y}}") {
		t.Errorf("an unknown name: %v", err)
	}
	if !recipe.Literal("").IsZero() || recipe.Literal("{{x}}${X}").String() != "{{x}}${X}" || recipe.Literal("{{x}}").Names() != nil {
		t.Error("a literal is not taken as it stands")
	}
}

// A value of the environment is never read again for holes of its own.
func TestEnvironmentIsNotATemplate(t *testing.T) {
	t.Parallel()
	hostile := func(string) (string, bool) { return "{{password}}${HOME}", true }
	got, err := recipe.Parse("r.yml", []byte("version: 1\nsteps: {visit: {request: POST /, body: \"${X}\"}}\n"), hostile)
	if err != nil {
		t.Fatal(err)
	}
	raw := got.Steps["visit"].Requests[0].Body.Raw
	if len(raw.Names()) != 0 || raw.Parts[0].Secret.Reveal() != "{{password}}${HOME}" {
		t.Errorf("parts are %v", raw)
	}
}

// Only a process learns its port from the gate; elsewhere PORT is a variable.
func TestPort(t *testing.T) {
	t.Parallel()
	got, err := recipe.Parse("r.yml", []byte(`
version: 1
target:
  process: {command: [serve, "--listen=:${PORT}", "{{x}}", "$${PORT}"], environment: {ADDRESS: "${HOST}:${PORT}"}}
  container: {image: "api:${PORT}", port: 80}
`), getenv)
	if err != nil {
		t.Fatal(err)
	}
	process := got.Target.Process
	if diff := cmp.Diff([]recipe.Template{recipe.Literal("serve"), join(text("--listen=:"), name("PORT")), recipe.Literal("{{x}}"), recipe.Literal("${PORT}")},
		process.Command, compared); diff != "" {
		t.Errorf("command, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff(join(from("HOST"), text(":"), name("PORT")), process.Environment[0].Value, compared); diff != "" {
		t.Errorf("environment, -want +got:\n%s", diff)
	}
	if got.Target.Container.Image != "api:canary-port" {
		t.Errorf("image %q", got.Target.Container.Image)
	}
}

func TestParseRequestLine(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]recipe.Request{
		"POST /login":             post("/login"),
		" GET   /a?b=c%20d ":      get("/a?b=c%20d"),
		"PROPFIND {{base}}/x":     {Method: "PROPFIND", Path: join(name("base"), text("/x"))},
		"GET /{{ csrf }}/{{x-1}}": {Method: "GET", Path: join(text("/"), name("csrf"), text("/"), name("x-1"))},
	} {
		got, err := recipe.ParseRequestLine(line)
		if err != nil {
			t.Errorf("%q: %v", line, err)
		} else if diff := cmp.Diff(want, got, compared); diff != "" {
			t.Errorf("%q, -want +got:\n%s", line, diff)
		}
	}
	for _, line := range []string{"", "POST", "/login", "post /login", "G@T: /x", "GET login", "GET http://a/b", "GET HTTPS://a", "GET //a/b",
		"GET /a b", "GET /a#b", "GET /${HOME}", "GET /{{a b}}", "GET /\r\nX: y", "GET /a\x00"} {
		if got, err := recipe.ParseRequestLine(line); err == nil {
			t.Errorf("%q is accepted as %v", line, got)
		} else if strings.ContainsAny(err.Error(), "\r\n") {
			t.Errorf("%q: more than one line: %v", line, err)
		}
	}
}

func TestJSONCapture(t *testing.T) {
	t.Parallel()
	if got, err := recipe.JSONCapture("token", "$.a.b"); err != nil || got.Name != "token" || got.JSON != "$.a.b" {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, path := range []string{"", "$.["} {
		if _, err := recipe.JSONCapture("token", path); err == nil {
			t.Errorf("%q is accepted", path)
		}
	}
}
