// Package demoapi is an HTTP API to try sessiongate on: what a session goes
// through from the first visit to the end of its account, over sessions in
// memory. Without switches its session handling is
// hardened; each switch opens the one flaw that the rule of that name is about.
// It listens nowhere itself, and knows nothing of the probes.
package demoapi

import (
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The users. Their passwords are public on purpose.
const (
	Alice         = "alice"
	AlicePassword = "alice-demo-password"
	Bob           = "bob"
	BobPassword   = "bob-demo-password"
)

// maxBody bounds what is read of a login, in bytes.
const maxBody = 64 << 10

const tooLong = "the body is longer than 64 KiB"

// API is the handler. Make it with New. Safe for concurrent use.
type API struct {
	// Latency is waited before each answer, to stand in for a slow API in
	// benchmarks; 0 is no wait. Set it before the first request.
	Latency time.Duration
	// MaxSessions is how many sessions a user may have; one more login ends the
	// oldest. 0 is no limit. Set it before the first request.
	MaxSessions int
	// Slowness is what GET /slow takes; a visit with the flaw of a race takes a
	// half of it. New sets 150 ms. Set it before the first request.
	Slowness time.Duration

	flaw     set
	sessions *sessions
	accounts *accounts
	origins  *http.CrossOriginProtection
	routes   *http.ServeMux
}

// New makes an API with the named flaws and an empty store. A name that is not
// one of Flaws is an error that says which are near to it.
func New(flaws ...string) (*API, error) {
	flaw, err := newSet(flaws)
	if err != nil {
		return nil, err
	}
	a := &API{Slowness: slowness, flaw: flaw, sessions: newSessions(flaw), accounts: newAccounts(), origins: http.NewCrossOriginProtection(), routes: http.NewServeMux()}
	a.routes.HandleFunc("GET /{$}", a.visit)
	a.routes.HandleFunc("POST /login", a.login)
	a.routes.HandleFunc("GET /me", a.me)
	a.routes.HandleFunc("POST /logout", a.logout)
	if flaw[loginByGET] {
		a.routes.HandleFunc("GET /login", a.login)
	}
	a.journeys()
	a.records()
	if flaw[acceptedInPath] {
		a.routes.HandleFunc("POST /{segment}", a.loginWithParameters)
	}
	return a, nil
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !pause(r.Context(), a.Latency) {
		return
	}
	// Nearly every answer sets a cookie or depends on one (RFC 9111 §7.3).
	w.Header().Set("Cache-Control", "no-store")
	// SameSite does not keep another site from logging a victim in as somebody
	// else, and one of the flaws takes forms.
	a.allowOrigin(w, r)
	if a.flaw[failsOnLong] && slices.ContainsFunc(r.Cookies(), func(c *http.Cookie) bool { return len(c.Value) > maxID }) {
		refuse(w, http.StatusInternalServerError, "value too long for type character varying(1024)")
		return
	}
	if a.origins.Check(r) != nil && !(a.flaw[foreignLogin] && r.URL.Path == "/login") {
		refuse(w, http.StatusForbidden, "cross-origin requests are refused")
		return
	}
	a.routes.ServeHTTP(w, r)
}

// allowOrigin lets scripts of other origins read the answer, by a flaw.
func (a *API) allowOrigin(w http.ResponseWriter, r *http.Request) {
	origin := r.Header.Get("Origin")
	every := a.flaw[anyOrigin] || a.flaw[anyOriginLax]
	if origin == "" || !every && !(a.flaw[nullOrigin] && origin == "null") {
		return
	}
	w.Header().Set("Access-Control-Allow-Origin", origin)
	w.Header().Set("Access-Control-Allow-Credentials", "true")
	w.Header().Set("Vary", "Origin")
}

func pause(ctx context.Context, wait time.Duration) bool {
	if wait <= 0 {
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (a *API) visit(w http.ResponseWriter, r *http.Request) {
	if a.flaw[race] {
		save := a.sessions.load(a.callerOf(r))
		pause(r.Context(), a.Slowness/2)
		save()
	}
	issued, visits, err := a.sessions.visit(a.callerOf(r))
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	if issued != "" {
		http.SetCookie(w, a.cookie(r, a.value(issued)))
	}
	if language := r.URL.Query().Get("lang"); a.flaw[attributeInput] && language != "" {
		w.Header().Add("Set-Cookie", "lang="+language+"; Path=/; Secure; HttpOnly; SameSite=Lax")
	}
	reply(w, http.StatusOK, map[string]any{"service": "demo", "visits": visits})
}

func (a *API) login(w http.ResponseWriter, r *http.Request) {
	fields, status, problem := a.loginFields(w, r)
	if problem != "" {
		refuse(w, status, problem)
		return
	}
	user := fields["username"]
	if !a.accounts.authentic(user, fields["password"]) {
		refuse(w, http.StatusUnauthorized, "wrong username or password")
		return
	}
	ids, err := a.sessions.login(user, a.callerOf(r), a.chosenID(r, fields), a.MaxSessions)
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	for i := range ids {
		ids[i] = a.value(ids[i])
		http.SetCookie(w, a.cookie(r, ids[i]))
	}
	a.welcome(w, ids[len(ids)-1])
}

// welcome answers a login.
func (a *API) welcome(w http.ResponseWriter, id string) {
	status, answer := http.StatusOK, map[string]any{"ok": true}
	if a.flaw[shownInBody] {
		answer["session"] = id
	}
	if a.flaw[shownInURL] {
		status = http.StatusSeeOther
		w.Header().Set("Location", "/?sid="+url.QueryEscape(id))
	}
	reply(w, status, answer)
}

// loginFields reads the body of a login. If it cannot be taken, problem says
// why, and status is the answer to it.
func (a *API) loginFields(w http.ResponseWriter, r *http.Request) (fields map[string]string, status int, problem string) {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if a.flaw[loginByGET] && r.Method == http.MethodGet {
		return formFields([]byte(r.URL.RawQuery)), 0, ""
	}
	isForm := a.flaw[acceptedInForm] && mediaType == "application/x-www-form-urlencoded"
	isText := a.flaw[foreignLogin] && mediaType == "text/plain"
	if !isForm && !isText && mediaType != "application/json" {
		return nil, http.StatusUnsupportedMediaType, "the body must be application/json"
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, http.StatusRequestEntityTooLarge, tooLong
	}
	if isForm {
		fields = formFields(body)
	} else if fields, problem = a.jsonFields(body); problem != "" {
		return nil, http.StatusBadRequest, problem
	}
	if fields["username"] == "" || fields["password"] == "" {
		return nil, http.StatusBadRequest, "username and password are required"
	}
	return fields, 0, ""
}

func (a *API) jsonFields(body []byte) (fields map[string]string, problem string) {
	if err := json.Unmarshal(body, &fields); err != nil {
		return nil, "the body must be a JSON object of strings"
	}
	for name := range fields {
		known := name == "username" || name == "password" || name == "session_id" && a.flaw[acceptedInJSON]
		if !known {
			return nil, "the body has an unknown member"
		}
	}
	return fields, ""
}

func formFields(body []byte) map[string]string {
	form, _ := url.ParseQuery(string(body)) // what cannot be read is ignored like unknown fields
	fields := map[string]string{}
	for name := range form {
		fields[name] = form.Get(name)
	}
	return fields
}

// loginWithParameters is the login with matrix parameters in its path, which
// no literal pattern can match.
func (a *API) loginWithParameters(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.PathValue("segment"), "login;") {
		http.NotFound(w, r)
		return
	}
	a.login(w, r)
}

// chosenID is the id that the client asks for anywhere but in its cookie. The
// body has a session_id only if a flaw let it pass.
func (a *API) chosenID(r *http.Request, fields map[string]string) string {
	candidates := []string{fields["session_id"]}
	if a.flaw[acceptedInQuery] {
		candidates = append(candidates, r.URL.Query().Get("session_id"))
	}
	if a.flaw[acceptedInHead] {
		candidates = append(candidates, r.Header.Get("X-Session-ID"))
	}
	if a.flaw[acceptedInPath] {
		candidates = append(candidates, matrixParameter(r.PathValue("segment"), "jsessionid"))
	}
	for _, id := range candidates {
		if usable(id) {
			return id
		}
	}
	return ""
}

func matrixParameter(segment, name string) string {
	for part := range strings.SplitSeq(segment, ";") {
		if value, found := strings.CutPrefix(part, name+"="); found {
			return value
		}
	}
	return ""
}

func (a *API) me(w http.ResponseWriter, r *http.Request) {
	from := a.callerOf(r)
	user := a.sessions.user(from)
	if user == "" && a.flaw[echoed] && from.id != "" {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "<p>there is no session "+from.id+"</p>")
		return
	}
	if user == "" {
		refuse(w, http.StatusUnauthorized, "not signed in")
		return
	}
	switch {
	case a.flaw[cacheable]:
		w.Header().Set("Cache-Control", "public, max-age=60")
	case a.flaw[noStoreMissing]:
		w.Header().Del("Cache-Control")
	}
	reply(w, http.StatusOK, map[string]any{"username": user, "email": user + "@demo.invalid"})
}

func (a *API) logout(w http.ResponseWriter, r *http.Request) {
	a.sessions.logout(a.callerOf(r))
	a.forget(w, r)
	w.WriteHeader(http.StatusNoContent)
}

func refuse(w http.ResponseWriter, status int, detail string) {
	reply(w, status, map[string]any{"detail": detail})
}

func reply(w http.ResponseWriter, status int, answer map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // a client that has gone away needs no answer
}
