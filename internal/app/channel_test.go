package app_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/sessiongate/sessiongate/internal/catalog"
	"github.com/sessiongate/sessiongate/internal/finding"
)

// baskets is an API whose login has a place for a session id that no dictionary
// knows, and takes one from there, or does not.
func baskets(take func(*http.Request) string, parameters string) http.Handler {
	var mu sync.Mutex
	sessions := map[string]string{}
	passwords := map[string]string{"alice": "alice-demo-password", "bob": "bob-demo-password"}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"openapi": "3.1.0", "paths": {
 "/login": {"post": {"operationId": "login", "parameters": [%s], "requestBody": {"content": {"application/json": {"schema": {"required": ["username", "password"],
  "properties": {"username": {"type": "string"}, "password": {"type": "string"}}}}}}}},
 "/me": {"get": {"operationId": "me", "security": [{"cookie": []}]}},
 "/logout": {"post": {"operationId": "logout"}}}}`, parameters)
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		var body map[string]string
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || passwords[body["username"]] == "" || passwords[body["username"]] != body["password"] {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		id := take(r)
		if id == "" {
			id = rand.Text()
		}
		mu.Lock()
		defer mu.Unlock()
		sessions[id] = body["username"]
		http.SetCookie(w, &http.Cookie{Name: "__Host-auth", Value: id, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	})
	held := func(r *http.Request) (id, user string) {
		if worn, err := r.Cookie("__Host-auth"); err == nil {
			mu.Lock()
			defer mu.Unlock()
			return worn.Value, sessions[worn.Value]
		}
		return "", ""
	}
	mux.HandleFunc("GET /me", func(w http.ResponseWriter, r *http.Request) {
		_, user := held(r)
		if user == "" {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, `{"user": %q}`, user)
	})
	mux.HandleFunc("POST /logout", func(_ http.ResponseWriter, r *http.Request) {
		id, _ := held(r)
		mu.Lock()
		defer mu.Unlock()
		delete(sessions, id)
	})
	return mux
}

// A name that only the API's description has is tried, so that the address and
// users are enough to find the flaw.
func TestADescribedNameIsPlantedUnder(t *testing.T) {
	t.Parallel()
	none := func(*http.Request) string { return "" }
	for name, one := range map[string]struct {
		rule, in, field string
		take            func(*http.Request) string
	}{
		"header": {"session-id-accepted-in-header", "header", "X-Basket-Session", func(r *http.Request) string { return r.Header.Get("X-Basket-Session") }},
		"query":  {"session-id-accepted-in-query", "query", "basket_sid", func(r *http.Request) string { return r.URL.Query().Get("basket_sid") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, known := catalog.Rule(one.rule); !known {
				t.Fatal("there is no such rule")
			}
			parameter := fmt.Sprintf(`{"in": %q, "name": %q, "schema": {"type": "string"}}`, one.in, one.field)
			scanned := func(take func(*http.Request) string, parameters string) (finding.Outcome, string) {
				made := scan(t, strings.ReplaceAll(urlAndUsers, "%s", serve(t, baskets(take, parameters))))
				if parameters != "" {
					if said := discoveredOf(made, "id channel"); said.Request != one.in+" "+one.field || said.From != "openapi.json operationId login" {
						t.Errorf("the report says %+v", said)
					}
				}
				subject := ""
				for _, found := range made.Findings {
					if found.Rule.ID == one.rule {
						subject = found.Subject
					}
				}
				return resultOf(made, one.rule).Outcome, subject
			}
			if outcome, subject := scanned(one.take, parameter); outcome != finding.Fail || !strings.Contains(subject, one.field) {
				t.Errorf("vulnerable: %s, %q", outcome, subject)
			}
			if outcome, _ := scanned(none, parameter); outcome != finding.Pass {
				t.Errorf("hardened: %s", outcome)
			}
			if outcome, _ := scanned(one.take, ""); outcome != finding.Pass {
				t.Errorf("without the description the name is guessed, so that this test shows nothing: %s", outcome)
			}
		})
	}
}
