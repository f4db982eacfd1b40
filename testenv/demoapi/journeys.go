package demoapi

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"
)

// slowness is what a slow request takes.
const slowness = 150 * time.Millisecond

// journeys are the routes beside visit, login, identity and logout.
func (a *API) journeys() {
	for pattern, handler := range map[string]http.HandlerFunc{
		"POST /sudo": a.sudo, "GET /admin": a.admin,
		"POST /password": a.changePassword, "POST /logout-all": a.logoutAll,
		"POST /register": a.register, "DELETE /account": a.deleteAccount,
		"GET /csrf": a.csrf, "POST /email": a.changeEmail,
		"POST /forgot": a.forgot, "GET /slow": a.slow,
		"POST /oauth/start": a.oauthStart, "GET /oauth/callback": a.oauthCallback,
	} {
		a.routes.HandleFunc(pattern, handler)
	}
}

// fields reads a JSON object of strings, and answers by itself if it cannot.
func fields(w http.ResponseWriter, r *http.Request) (given map[string]string, ok bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, tooLong)
		return nil, false
	}
	if json.Unmarshal(body, &given) != nil {
		refuse(w, http.StatusBadRequest, "the body must be a JSON object of strings")
		return nil, false
	}
	return given, true
}

// signedIn is the user of the request; without one it answers by itself.
func (a *API) signedIn(w http.ResponseWriter, r *http.Request) (user string, ok bool) {
	user = a.sessions.user(a.callerOf(r))
	if user == "" {
		refuse(w, http.StatusUnauthorized, "not signed in")
	}
	return user, user != ""
}

// issue hands an id to the client, if there is a new one.
func (a *API) issue(w http.ResponseWriter, r *http.Request, id string) {
	if id != "" {
		http.SetCookie(w, a.cookie(r, a.value(id)))
	}
}

// sudo asks for the password once more, before what only admin shows.
func (a *API) sudo(w http.ResponseWriter, r *http.Request) {
	user, ok := a.signedIn(w, r)
	if !ok {
		return
	}
	given, ok := fields(w, r)
	if !ok {
		return
	}
	if !a.accounts.authentic(user, given["password"]) {
		refuse(w, http.StatusForbidden, "wrong password")
		return
	}
	a.issue(w, r, a.sessions.elevate(a.callerOf(r)))
	w.WriteHeader(http.StatusNoContent)
}

func (a *API) admin(w http.ResponseWriter, r *http.Request) {
	if !a.sessions.elevated(a.callerOf(r)) {
		refuse(w, http.StatusForbidden, "give your password at /sudo first")
		return
	}
	reply(w, http.StatusOK, map[string]any{"admin": true})
}

func (a *API) changePassword(w http.ResponseWriter, r *http.Request) {
	user, ok := a.signedIn(w, r)
	if !ok {
		return
	}
	given, ok := fields(w, r)
	if !ok {
		return
	}
	if !a.accounts.authentic(user, given["old"]) || given["new"] == "" {
		refuse(w, http.StatusForbidden, "wrong password, or no new one")
		return
	}
	a.accounts.change(user, given["new"])
	a.issue(w, r, a.sessions.passwordChanged(a.callerOf(r)))
	w.WriteHeader(http.StatusNoContent)
}

func (a *API) logoutAll(w http.ResponseWriter, r *http.Request) {
	user, ok := a.signedIn(w, r)
	if !ok {
		return
	}
	if a.flaw[everywhereKept] {
		a.sessions.logout(a.callerOf(r))
	} else {
		a.sessions.endAll(user)
	}
	a.forget(w, r)
	w.WriteHeader(http.StatusNoContent)
}

func (a *API) register(w http.ResponseWriter, r *http.Request) {
	given, ok := fields(w, r)
	if !ok {
		return
	}
	if given["username"] == "" || given["password"] == "" {
		refuse(w, http.StatusBadRequest, "username and password are required")
		return
	}
	err := a.accounts.register(given["username"], given["password"])
	switch {
	case errors.Is(err, errTaken):
		refuse(w, http.StatusConflict, err.Error())
	case err != nil:
		refuse(w, http.StatusServiceUnavailable, err.Error())
	default:
		w.WriteHeader(http.StatusCreated)
	}
}

func (a *API) deleteAccount(w http.ResponseWriter, r *http.Request) {
	user, ok := a.signedIn(w, r)
	if !ok {
		return
	}
	a.accounts.remove(user)
	if !a.flaw[deletedKept] {
		a.sessions.endAll(user)
	}
	a.forget(w, r)
	w.WriteHeader(http.StatusNoContent)
}

// csrf gives the token of the session, which begins if there is none.
func (a *API) csrf(w http.ResponseWriter, r *http.Request) {
	issued, token, err := a.sessions.token(a.callerOf(r))
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	a.issue(w, r, issued)
	reply(w, http.StatusOK, map[string]any{"csrf": token})
}

func (a *API) changeEmail(w http.ResponseWriter, r *http.Request) {
	if _, ok := a.signedIn(w, r); !ok {
		return
	}
	given, ok := fields(w, r)
	if !ok {
		return
	}
	if !a.sessions.accepts(a.callerOf(r), given["csrf"]) {
		refuse(w, http.StatusForbidden, "the CSRF token is not that of the session")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// forgot begins a password reset. What it answers does not depend on whether
// there is such a user.
func (a *API) forgot(w http.ResponseWriter, r *http.Request) {
	given, ok := fields(w, r)
	if !ok {
		return
	}
	if a.flaw[puzzling] {
		issued, err := a.sessions.remember(a.callerOf(r), given["username"])
		if err != nil {
			refuse(w, http.StatusServiceUnavailable, err.Error())
			return
		}
		a.issue(w, r, issued)
	}
	w.WriteHeader(http.StatusAccepted)
}

// slow works for a while on what it knows of the session.
func (a *API) slow(w http.ResponseWriter, r *http.Request) {
	if _, ok := a.signedIn(w, r); !ok {
		return
	}
	save := a.sessions.load(a.callerOf(r))
	if pause(r.Context(), a.Slowness) {
		save()
		w.WriteHeader(http.StatusNoContent)
	}
}

// oauthStart begins a login at an identity provider and, for want of one, ends
// it there at once: whoever gives the password is vouched for.
func (a *API) oauthStart(w http.ResponseWriter, r *http.Request) {
	given, ok := fields(w, r)
	if !ok {
		return
	}
	user := given["username"]
	if !a.accounts.authentic(user, given["password"]) {
		refuse(w, http.StatusUnauthorized, "wrong username or password")
		return
	}
	state, code := rand.Text(), rand.Text()
	issued, err := a.sessions.startOAuth(a.callerOf(r), state, code, user)
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	a.issue(w, r, issued)
	reply(w, http.StatusOK, map[string]any{"state": state, "code": code})
}

func (a *API) oauthCallback(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	user, ok := a.sessions.endOAuth(a.callerOf(r), query.Get("state"), query.Get("code"))
	if !ok {
		refuse(w, http.StatusForbidden, "this browser did not begin that login")
		return
	}
	ids, err := a.sessions.login(user, a.callerOf(r), "", a.MaxSessions)
	if err != nil {
		refuse(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	for _, id := range ids {
		a.issue(w, r, id)
	}
	w.WriteHeader(http.StatusNoContent)
}

// forget tells the browser to drop the cookie.
func (a *API) forget(w http.ResponseWriter, r *http.Request) {
	if !a.flaw[clientKept] {
		http.SetCookie(w, a.deletion(r))
	}
}
