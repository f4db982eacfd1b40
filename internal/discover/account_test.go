package discover_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/discover"
	"github.com/sessiongate/sessiongate/internal/recipe"
)

const (
	sudoPath     = "  /v1/sudo: {post: {operationId: stepUp, requestBody: {content: {application/json: {schema: {required: [password], properties: {password: {type: string}}}}}}}}\n"
	adminPath    = "  /v1/admin: {get: {operationId: adminPanel, security: [{s: []}]}}\n"
	vaultPath    = "  /v1/user/me/vault: {get: {operationId: vault, security: [{s: []}]}}\n"
	settingsPath = "  /v1/settings: {get: {operationId: settings, security: [{s: []}]}}\n"
	registerPath = "  /v1/register: {post: {operationId: register, requestBody: {content: {application/json: {schema: {required: [username, password], properties: {username: {type: string}, password: {type: string}}}}}}}}\n"
	changePath   = "  /v1/password: {put: {operationId: changePassword, requestBody: {content: {application/json: {schema: {required: [current_password, password, password_confirmation], properties: {current_password: {type: string}, password: {type: string}, password_confirmation: {type: string}}}}}}}}\n"
)

// elevating has a step up that opens every page of its own.
func elevating(a *api, description string) *api {
	described(a)
	a.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, description) })
	up := map[string]bool{}
	a.HandleFunc("POST /v1/sudo", func(w http.ResponseWriter, r *http.Request) {
		var body map[string]string
		user := a.who(r)
		a.mu.Lock()
		defer a.mu.Unlock()
		if json.NewDecoder(r.Body).Decode(&body) != nil || user == "" || a.users[user] != body["password"] {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		held, _ := r.Cookie("sid")
		up[held.Value] = true
	})
	privileged := func(w http.ResponseWriter, r *http.Request) {
		held, err := r.Cookie("sid")
		a.mu.Lock()
		defer a.mu.Unlock()
		if err != nil || !up[held.Value] {
			http.Error(w, "step up", http.StatusForbidden)
		}
	}
	a.HandleFunc("GET /v1/admin", privileged)
	a.HandleFunc("GET /v1/user/me/vault", privileged)
	a.HandleFunc("GET /v1/settings", a.identity)
	a.HandleFunc("GET /v1/settings/{n}", a.identity)
	return a
}

// others are pages that a step up might open, by their names.
func others(n int) string {
	var page strings.Builder
	for i := range n {
		fmt.Fprintf(&page, "  /v1/settings/%d: {get: {operationId: settings%d, security: [{s: []}]}}\n", i, i)
	}
	return page.String()
}

func note(result discover.Result, step string) string {
	at := slices.IndexFunc(result.Found, func(f discover.Found) bool { return f.Step == step })
	if at < 0 {
		return ""
	}
	return result.Found[at].Note
}

func TestAStepUpIsProvedByAPageThatItOpens(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		description string
		sudo        string // another path of the step up's description
		then, why   string // "": it is proved, or not found
		tried       bool
	}{
		"a page of that name":    {description: spec + sudoPath + settingsPath + adminPath, then: "/v1/admin", tried: true},
		"one that refused her":   {description: spec + sudoPath + vaultPath + others(4), then: "/v1/user/me/vault", tried: true},
		"none that is closed":    {description: spec + sudoPath + settingsPath, why: "no page was found that is closed"},
		"none that opens":        {description: strings.ReplaceAll(spec+sudoPath+adminPath, "/v1/admin", "/v1/admin-of-others"), why: "no page was found that is closed before it and open after it", tried: true},
		"it wants a code, too":   {description: strings.Replace(spec+sudoPath+adminPath, "properties: {password: {type: string}}}}}}}}\n  /v1/admin", "properties: {password: {type: string}, otp: {type: string}}}}}}}}\n  /v1/admin", 1), then: "/v1/admin", tried: true},
		"it demands a code, too": {description: strings.Replace(spec+sudoPath+adminPath, "[password], properties: {password: {type: string}}", "[password, otp], properties: {password: {type: string}, otp: {type: string}}", 1), why: "it wants more than a password"},
		"it pays":                {description: strings.Replace(spec+sudoPath+adminPath, "stepUp", "confirmPayment", 1)},
		"it deletes":             {description: strings.Replace(spec+sudoPath+adminPath, "stepUp", "confirmDelete", 1)},
		"it is not there":        {description: strings.Replace(spec+sudoPath+adminPath, "/v1/sudo", "/v1/reauth", 1), why: "answered 404"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := elevating(newAPI(), one.description)
			a.HandleFunc("GET /v1/admin-of-others", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
			result := run(t, a)
			expect(t, result, "POST /v1/enter", "GET /v1/whoami", "POST /v1/signout")
			step, proved := result.Steps["elevate"]
			_, unproven := result.Unproven["elevate"]
			if proved != (one.then != "") || unproven != (one.why != "") || !strings.Contains(note(result, "elevate"), one.why) {
				t.Errorf("%+v; %+v; %q", step, result.Unproven, note(result, "elevate"))
			}
			if proved && (len(step.Then) != 1 || step.Then[0].Path.String() != one.then) {
				t.Errorf("then %+v", step.Then)
			}
			if tried := slices.Contains(a.asked, "POST /v1/sudo"); tried != one.tried {
				t.Errorf("tried: %t", tried)
			}
			if result.Requests != len(a.asked) {
				t.Errorf("%d requests are told of, %d were sent", result.Requests, len(a.asked))
			}
		})
	}
}

// What confirms a closure or a purchase with a password is no step up: nothing of
// the kind is sent for a user who was given.
func TestWhatCannotBeTakenBackIsNoStepUp(t *testing.T) {
	t.Parallel()
	for path, operation := range map[string]string{
		"/v1/account/deletion/confirm": "confirmAccountDeletion", "/v1/account/deactivation": "confirmPassword", "/v1/account/closure/confirm": "confirmPasswordOfOwner",
		"/v1/account/termination/confirm": "sudo", "/v1/withdrawals/confirm": "confirmPassword", "/v1/purchases/confirm": "reauth", "/v1/transactions/confirm": "elevate",
		"/v1/sessions/revocation": "confirmPassword", "/v1/me/keys/rotation": "confirmPassword", "/v1/unregister": "confirmPassword", "/v1/users/erasure": "confirmPassword",
		"/v1/anything/confirm": "confirmIt",
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			a := elevating(newAPI(), strings.NewReplacer("/v1/sudo", path, "stepUp", operation).Replace(spec+sudoPath+adminPath))
			a.HandleFunc("POST "+path, func(http.ResponseWriter, *http.Request) {})
			result := run(t, a)
			if slices.Contains(a.asked, "POST "+path) || len(result.Steps["elevate"].Requests) > 0 {
				t.Errorf("it was sent: %v", a.asked)
			}
		})
	}
	for _, path := range []string{"/v1/password/confirm", "/v1/user/confirm-password", "/v1/confirmAccess"} {
		a := elevating(newAPI(), strings.NewReplacer("/v1/sudo", path, "stepUp", "x").Replace(spec+sudoPath+adminPath))
		if run(t, a); !slices.Contains(a.asked, "POST "+path) {
			t.Errorf("%s is no step up: %v", path, a.asked)
		}
	}
}

// changing has a registration and a change of passwords; keeps says that the old one stays.
func changing(a *api, keeps bool) *api {
	described(a)
	a.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, spec+registerPath+changePath) })
	a.HandleFunc("POST /v1/register", func(_ http.ResponseWriter, r *http.Request) {
		var body map[string]string
		_ = json.NewDecoder(r.Body).Decode(&body)
		a.mu.Lock()
		defer a.mu.Unlock()
		a.users[body["username"]] = body["password"]
	})
	a.HandleFunc("PUT /v1/password", func(w http.ResponseWriter, r *http.Request) {
		var body map[string]string
		user := a.who(r)
		a.mu.Lock()
		defer a.mu.Unlock()
		if json.NewDecoder(r.Body).Decode(&body) != nil || user == "" || a.users[user] != body["current_password"] || body["password"] != body["password_confirmation"] {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		if !keeps {
			a.users[user] = body["password"]
		}
	})
	return a
}

func TestAPasswordIsChangedForRegisteredUsersOnly(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		given, keeps  bool
		proved, tried bool
		why           string
	}{
		"registered":                {proved: true, tried: true, why: "the old password no longer signs a user in"},
		"given":                     {given: true, why: "it is not tried with users who were given"},
		"one that does not do that": {keeps: true, tried: true, why: "the old password still signs the user in"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := changing(newAPI(), one.keeps)
			result := run(t, a, func(r *recipe.Recipe) {
				if !one.given {
					r.Users = nil
				}
			})
			expect(t, result, "POST /v1/enter", "GET /v1/whoami", "POST /v1/signout")
			_, proved := result.Steps["change-password"]
			written, unproven := result.Unproven["change-password"]
			if proved != one.proved || unproven == proved || !strings.Contains(note(result, "change-password"), one.why) {
				t.Errorf("%+v, %+v, %q", result.Steps, written, note(result, "change-password"))
			}
			if tried := slices.Contains(a.asked, "PUT /v1/password"); tried != one.tried {
				t.Errorf("tried: %t", tried)
			}
			if a.users["alice"] != "pw-a" || a.users["bob"] != "pw-b" {
				t.Error("the password of somebody else was changed")
			}
			if result.Logins > 12 {
				t.Errorf("%d logins", result.Logins)
			}
		})
	}
}

// Every request is answered with the next redirect, or with a page that has
// more of them: whatever the API does, the budget is kept.
func TestNothingIsSentAfterTheBudget(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]func(*api) http.HandlerFunc{
		"redirects": func(*api) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "/again"+r.URL.Path, http.StatusFound)
			}
		},
		"everything is well": func(*api) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"token": "a-token-that-is-long"}`) }
		},
		"everything is a form": func(*api) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				fmt.Fprintf(w, `<a href="/login/%d">Log in</a><form method="post"><input name="username"><input type="password" name="password"><input type="hidden" name="t" value="1"></form>`, len(r.URL.Path))
			}
		},
		"every login is refused": func(*api) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					w.WriteHeader(http.StatusUnprocessableEntity)
					return
				}
				fmt.Fprint(w, `{"csrf": "something"}`)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI()
			a.Handle("/", handler(a))
			result := run(t, a)
			if len(a.asked) > 40 || result.Requests != len(a.asked) {
				t.Errorf("%d requests were sent, %d are told of", len(a.asked), result.Requests)
			}
		})
	}
}

// Accounts are locked by logins that are refused, so that not every way is tried
// of everything that a description calls a login.
func TestLoginsAreBounded(t *testing.T) {
	t.Parallel()
	a := newAPI()
	var page strings.Builder
	page.WriteString("paths:\n")
	for i := range 20 {
		fmt.Fprintf(&page, "  /login/%d: {post: {requestBody: {content: {application/json: {schema: {required: [username, password], properties: {username: {type: string}, password: {type: string}}}}}}}}\n", i)
	}
	a.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, page.String()) })
	a.HandleFunc("POST /login/{n}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	result := run(t, a)
	if result.Logins < 12 || result.Logins > 13 || !strings.Contains(fmt.Sprint(result.Missing), "the 12 logins for it were spent") {
		t.Errorf("%d logins, %v", result.Logins, result.Missing)
	}
}

// Many APIs answer 401 wherever they have nothing: that is no login that was
// refused, and the one that is there is still reached.
func TestALoginAmongNothingButRefusals(t *testing.T) {
	t.Parallel()
	a := newAPI()
	a.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	a.HandleFunc("POST /login", jsonLogin(a, cookie, "username"))
	a.HandleFunc("GET /me", a.identity)
	result := run(t, a)
	if request(result, "login") != "POST /login" || request(result, "identity") != "GET /me" {
		t.Errorf("%v %v %v", result.Found, result.Missing, a.asked)
	}
}
