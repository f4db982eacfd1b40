package recipe_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sessiongate/sessiongate/internal/recipe"
	"github.com/sessiongate/sessiongate/internal/secret"
)

func draft(t *testing.T, text string) recipe.Draft {
	t.Helper()
	r, err := recipe.Parse("draft", []byte(text), func(string) (string, bool) { return "x", true })
	if err != nil {
		t.Fatal(err)
	}
	return recipe.Draft{URL: "http://127.0.0.1:8000", Users: []recipe.DraftUser{{"alice", "alice@example.com", "ALICE_PASSWORD"}},
		Steps: r.Steps, Session: r.Session, Notes: map[string]string{"login": "from openapi.json\nline 3"}}
}

const described = `version: 1
steps:
  login:
    - {request: GET /login, capture: {csrf: {html: 'input[name="a"]'}}}
    - {request: POST /login, headers: {X-CSRF-Token: "{{csrf}}"}, json: {username: "{{username}}", n: 1, deep: {ok: true, list: [null, "no", "1", "$${X} {{{{y"]}}, capture: {token: {json: $.token}}}
  identity: {request: GET /me, query: {full: "yes"}}
  logout: {request: POST /logout, form: {a: "b: c # d"}, expect: [200, 204], follow: true}
  elevate:
    - {request: GET /csrf, capture: {again: {json: $.token}}}
    - {request: POST /sudo, json: {password: "{{password}}"}, then: [{request: GET /admin, query: {full: "yes"}}, GET /keys]}
session: {bearer: "{{token}}"}
`

func TestWhatIsWrittenReadsTheSame(t *testing.T) {
	t.Parallel()
	made := draft(t, described)
	text, err := made.Over("new.yml", nil)
	if err != nil {
		t.Fatal(err)
	}
	back, err := recipe.Parse("new.yml", text, func(string) (string, bool) { return "x", true })
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	plain := cmp.Options{cmpopts.IgnoreTypes(recipe.Pos{}), cmp.Comparer(func(a, b secret.Text) bool { return a == b }), cmpopts.IgnoreFields(recipe.Capture{}, "Pattern")}
	if diff := cmp.Diff(made.Steps, back.Steps, plain); diff != "" {
		t.Errorf("%s\n%s", diff, text)
	}
	if diff := cmp.Diff(made.Session, back.Session, plain); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(string(text), "${ALICE_PASSWORD}") {
		t.Errorf("the password is not taken from the environment:\n%s", text)
	}
}

func TestHandMadePartsStay(t *testing.T) {
	t.Parallel()
	const mine = `# mine
version: 1
target: {url: "http://127.0.0.1:9"}   # my own
steps:
    # keep me
    identity: {request: GET /whoami}

policy: {idle-timeout: 30m}
`
	made := draft(t, described)
	text, err := made.Over("mine.yml", []byte(mine))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(mine) {
		if !strings.Contains(string(text), line) {
			t.Errorf("the line %q is gone:\n%s", line, text)
		}
	}
	if strings.Contains(string(text), "GET /me") || strings.Contains(string(text), ":8000") {
		t.Errorf("what stood there was written again:\n%s", text)
	}
	if !strings.Contains(string(text), "    logout:") {
		t.Errorf("the logout was not added to the steps:\n%s", text)
	}
	again, err := made.Over("mine.yml", text)
	if err != nil || string(again) != string(text) {
		t.Errorf("written again it differs: %v\n%s", err, again)
	}
}
