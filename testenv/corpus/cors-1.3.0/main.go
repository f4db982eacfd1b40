// rs/cors with credentials and any origin.
package main

import (
	"crypto/rand"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"sync"

	"github.com/rs/cors"
)

var accounts = map[string]string{"alice": "alice-correct-horse", "bob": "bob-battery-staple"}

var (
	mu    sync.Mutex
	users = map[string]string{} // by session id
)

const name = "__Host-session"

func id(r *http.Request) string {
	if c, err := r.Cookie(name); err == nil {
		return c.Value
	}
	return ""
}

func put(w http.ResponseWriter, value string, age int) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: age, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func index(w http.ResponseWriter, r *http.Request) {
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
	mu.Lock()
	delete(users, id(r))
	fresh := rand.Text() + rand.Text()
	users[fresh] = given.Username
	mu.Unlock()
	put(w, fresh, 0)
	answer(w, http.StatusOK, map[string]any{"ok": true})
}

func me(w http.ResponseWriter, r *http.Request) {
	mu.Lock()
	user := users[id(r)]
	mu.Unlock()
	if user == "" {
		answer(w, http.StatusUnauthorized, map[string]any{"error": "sign in first"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"username": user})
}

func logout(w http.ResponseWriter, r *http.Request) {
	mu.Lock()
	delete(users, id(r))
	mu.Unlock()
	put(w, "", -1)
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
	policy := cors.New(cors.Options{AllowedOrigins: []string{"*"}, AllowCredentials: true})
	guard := http.NewCrossOriginProtection()
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), policy.Handler(guard.Handler(mux))))
}
