package discover_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// A login that refuses whoever lacks a CSRF token is found with the place that
// hands it out, and with the header that takes it back.
func TestWhereCSRFTokensComeFrom(t *testing.T) {
	t.Parallel()
	const token = "a-token-of-the-page"
	for name, one := range map[string]struct {
		path, header string // where the token comes from, and goes
		give         func(http.ResponseWriter)
		capture      string // as the recipe has it
		from         string
		described    string // a parameter of the login
	}{
		"a meta element": {path: "GET /{$}", header: "X-CSRF-Token", capture: `html meta[name="csrf-token"]`, from: "the meta element csrf-token of GET /", give: func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, `<head><meta name="viewport" content="x"><meta name="csrf-token" content="%s"></head>`, token)
		}},
		"a header": {path: "GET /csrf", header: "X-XSRF-Token", capture: "header X-Csrf-Token", from: "the header X-Csrf-Token of GET /csrf", give: func(w http.ResponseWriter) {
			w.Header().Set("X-CSRF-Token", token)
		}},
		"a cookie": {path: "GET /{$}", header: "X-XSRF-TOKEN", capture: "cookie XSRF-TOKEN", from: "the cookie XSRF-TOKEN of GET /", give: func(w http.ResponseWriter) {
			http.SetCookie(w, &http.Cookie{Name: "XSRF-TOKEN", Value: token, Path: "/"})
		}},
		"a member of JSON": {path: "GET /csrf-token", header: "X-CSRF-Token", capture: "json $.data.csrfToken", from: "$.data.csrfToken in GET /csrf-token", give: func(w http.ResponseWriter) {
			fmt.Fprintf(w, `{"data": {"csrfToken": %q}}`, token)
		}},
		"a header of the description": {path: "GET /csrf", header: "X-Shop-Csrf", capture: "json $.csrf", from: "$.csrf in GET /csrf", described: ", parameters: [{in: header, name: X-Shop-Csrf, required: true, schema: {type: string}}]", give: func(w http.ResponseWriter) {
			fmt.Fprintf(w, `{"csrf": %q}`, token)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI()
			guard := func(next http.HandlerFunc) http.HandlerFunc {
				return func(w http.ResponseWriter, r *http.Request) {
					if r.Header.Get(one.header) != token {
						http.Error(w, "no CSRF token", http.StatusForbidden)
						return
					}
					next(w, r)
				}
			}
			a.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, strings.Replace(spec, "operationId: signIn", "operationId: signIn"+one.described, 1))
			})
			a.HandleFunc(one.path, func(w http.ResponseWriter, _ *http.Request) { one.give(w) })
			a.HandleFunc("POST /v1/enter", guard(jsonLogin(a, cookie, "username")))
			a.HandleFunc("GET /v1/whoami", a.identity)
			a.HandleFunc("POST /v1/signout", guard(a.leave))
			result := run(t, a)
			expect(t, result, "POST /v1/enter", "GET /v1/whoami", "POST /v1/signout")
			login := result.Steps["login"]
			if len(login.Requests) != 2 || len(login.Requests[0].Capture) != 1 {
				t.Fatalf("the login is %+v; %v", login, result.Missing)
			}
			capture := login.Requests[0].Capture[0]
			got := ""
			for kind, value := range map[string]string{"html": capture.HTML, "header": capture.Header, "cookie": capture.Cookie, "json": capture.JSON} {
				if value != "" {
					got += kind + " " + value
				}
			}
			sent := ""
			for _, pair := range login.Requests[1].Headers {
				sent += pair.Name + "=" + pair.Value.String()
			}
			if got != one.capture || !strings.EqualFold(sent, one.header+"={{csrf}}") || !strings.Contains(note(result, "login"), one.from) {
				t.Errorf("captured from %s, sent as %s; %q", got, sent, note(result, "login"))
			}
			if logout := result.Steps["logout"]; len(logout.Requests) != 2 {
				t.Errorf("the logout sends no token: %+v", logout)
			}
		})
	}
}

// A page without a token is no source, and an endless one costs no more than
// the budget.
func TestALoginThatWantsATokenFromNowhere(t *testing.T) {
	t.Parallel()
	a := newAPI()
	a.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, spec) })
	a.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<meta name="csrf-token" content=""><meta name='csrf"]' content="x">`)
	})
	a.HandleFunc("POST /v1/enter", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no CSRF token", http.StatusForbidden) })
	result := run(t, a)
	if request(result, "login") != "" || !strings.Contains(fmt.Sprint(result.Missing), "POST /v1/enter answered 403") {
		t.Errorf("%v %v", result.Found, result.Missing)
	}
}
