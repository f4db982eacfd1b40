package demoapi

import (
	"io"
	"net/http"
	"slices"
)

// records are the routes that show what is kept of others: the customers, to who is
// signed in, and by a flaw the sessions.
func (a *API) records() {
	a.routes.HandleFunc("GET /customers", a.customers)
	if a.flaw[idsShown] {
		a.routes.HandleFunc("GET /debug/sessions", a.debugSessions)
	}
	if a.flaw[personalOpen] {
		a.routes.HandleFunc("GET /openapi.json", describe)
	}
}

// customers are made up; the numbers are those that Ofcom keeps for drama.
func (a *API) customers(w http.ResponseWriter, r *http.Request) {
	if !a.flaw[personalOpen] {
		if _, ok := a.signedIn(w, r); !ok {
			return
		}
	}
	reply(w, http.StatusOK, map[string]any{"customers": []map[string]any{
		{"id": 1, "full_name": "Carol Kestrel", "phone": "+44 20 7946 0358", "birth_date": "1987-04-12"},
		{"id": 2, "full_name": "Dave Linnet", "phone": "+44 20 7946 0461", "birth_date": "1979-11-03"},
	}})
}

func (a *API) debugSessions(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{"live": a.sessions.list()})
}

// describe is the part of a description that names the customers.
func describe(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"openapi":"3.1.0","info":{"title":"demo","version":"1"},
"components":{"securitySchemes":{"cookie":{"type":"apiKey","in":"cookie","name":"__Host-sid"}}},
"paths":{"/customers":{"get":{"operationId":"list_customers","security":[{"cookie":[]}],"responses":{"200":{"description":"the customers"}}}}}}`)
}

// mostListed is how many sessions the list holds, the newest ones.
const mostListed = 100

// list are the ids of the live sessions, which only that flaw keeps.
func (s *sessions) list() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown = slices.DeleteFunc(s.shown, func(id string) bool { return s.find(id) == nil })
	return append([]string{}, s.shown[max(0, len(s.shown)-mostListed):]...)
}
