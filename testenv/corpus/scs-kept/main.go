// scs with its memory store, where login only writes into the session.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/alexedwards/scs/v2"
)

var accounts = map[string]string{"alice": "alice-correct-horse", "bob": "bob-battery-staple"}

var sessions = scs.New() // in memory

func index(w http.ResponseWriter, r *http.Request) {
	sessions.Put(r.Context(), "visited", true)
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
	sessions.Put(r.Context(), "user", given.Username)
	answer(w, http.StatusOK, map[string]any{"ok": true})
}

func me(w http.ResponseWriter, r *http.Request) {
	user := sessions.GetString(r.Context(), "user")
	if user == "" {
		answer(w, http.StatusUnauthorized, map[string]any{"error": "sign in first"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"username": user})
}

func logout(w http.ResponseWriter, r *http.Request) {
	if err := sessions.Destroy(r.Context()); err != nil {
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
	sessions.Lifetime = time.Hour
	sessions.Cookie.Name = "__Host-session"
	sessions.Cookie.Secure = true
	sessions.Cookie.Persist = false
	guard := http.NewCrossOriginProtection()
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), guard.Handler(sessions.LoadAndSave(mux))))
}
