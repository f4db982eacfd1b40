// gorilla/sessions with its cookie store: the whole session is signed and encrypted in the cookie.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"
)

var accounts = map[string]string{"alice": "alice-correct-horse", "bob": "bob-battery-staple"}

var store = sessions.NewCookieStore(securecookie.GenerateRandomKey(64), securecookie.GenerateRandomKey(32))

func index(w http.ResponseWriter, r *http.Request) {
	session, _ := store.Get(r, "__Host-session")
	session.Values["visited"] = true
	if err := session.Save(r, w); err != nil {
		answer(w, http.StatusInternalServerError, map[string]any{"error": "session"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"ok": true})
}

func login(w http.ResponseWriter, r *http.Request) {
	var given struct{ Username, Password string }
	if r.Header.Get("Content-Type") != "application/json" || json.NewDecoder(r.Body).Decode(&given) != nil {
		answer(w, http.StatusBadRequest, map[string]any{"error": "JSON wanted"})
		return
	}
	if known, found := accounts[given.Username]; !found || known != given.Password {
		answer(w, http.StatusUnauthorized, map[string]any{"error": "wrong username or password"})
		return
	}
	session, _ := store.Get(r, "__Host-session")
	session.Values["user"] = given.Username
	if err := session.Save(r, w); err != nil {
		answer(w, http.StatusInternalServerError, map[string]any{"error": "session"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"ok": true})
}

func me(w http.ResponseWriter, r *http.Request) {
	session, _ := store.Get(r, "__Host-session")
	user, _ := session.Values["user"].(string)
	if user == "" {
		answer(w, http.StatusUnauthorized, map[string]any{"error": "sign in first"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"username": user})
}

func logout(w http.ResponseWriter, r *http.Request) {
	session, _ := store.Get(r, "__Host-session")
	session.Options.MaxAge = -1
	if err := session.Save(r, w); err != nil {
		answer(w, http.StatusInternalServerError, map[string]any{"error": "session"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"ok": true})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		log.Print(err)
	}
}

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", index)
	mux.HandleFunc("POST /login", login)
	mux.HandleFunc("GET /me", me)
	mux.HandleFunc("POST /logout", logout)
	store.Options = &sessions.Options{Path: "/", MaxAge: 3600, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	store.MaxAge(3600)
	guard := http.NewCrossOriginProtection()
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), guard.Handler(mux)))
}
