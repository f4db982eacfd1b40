// Command api is an API for a container that holds nothing else: its sessions
// are in the database of DATABASE_URL. MOOD=hardened gives a new id at login,
// any other keeps the one the client came with; MOOD=chatty prints the ids,
// MOOD=dies prints what it was given and ends, MOOD=leaves ends half-way.
package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log"
	"mime"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

const cookie = "sid"

type api struct{ rows *pgxpool.Pool }

func main() {
	if os.Getenv("MOOD") == "dies" {
		fmt.Println(strings.Join(os.Environ(), " | "))
		fmt.Println("there is no configuration")
		os.Exit(7)
	}
	config, err := pgxpool.ParseConfig(os.Getenv("DATABASE_URL"))
	if err != nil {
		log.Fatal("DATABASE_URL: ", err)
	}
	rows, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		log.Fatal(err)
	}
	a := api{rows}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.visit)
	mux.HandleFunc("POST /login", a.login)
	mux.HandleFunc("GET /me", a.me)
	mux.HandleFunc("POST /logout", a.logout)
	var served atomic.Int32
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if served.Add(1) > 40 && os.Getenv("MOOD") == "leaves" {
			fmt.Println("out of patience, giving up")
			os.Exit(7)
		}
		mux.ServeHTTP(w, r)
	})
	server := &http.Server{Addr: ":" + os.Getenv("PORT"), Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	log.Fatal(server.ListenAndServe())
}

// issue makes a session and gives its id to the client.
func (a api) issue(w http.ResponseWriter, r *http.Request, owner string) error {
	id := rand.Text()
	_, err := a.rows.Exec(r.Context(), "INSERT INTO sessions (session_id, username) VALUES ($1, NULLIF($2, ''))", id, owner)
	hand(w, id)
	return err
}

func hand(w http.ResponseWriter, id string) {
	if os.Getenv("MOOD") == "chatty" {
		fmt.Println("gave", id)
	}
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: id, Path: "/", HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode})
}

// owner is whose session the request carries; known is false for an id that is
// not there.
func (a api) owner(r *http.Request) (id, owner string, known bool) {
	sent, err := r.Cookie(cookie)
	if err != nil {
		return "", "", false
	}
	err = a.rows.QueryRow(r.Context(), "SELECT COALESCE(username, '') FROM sessions WHERE session_id = $1", sent.Value).Scan(&owner)
	return sent.Value, owner, err == nil
}

func (a api) visit(w http.ResponseWriter, r *http.Request) {
	if _, _, known := a.owner(r); !known {
		finish(w, a.issue(w, r, ""))
	}
}

func (a api) login(w http.ResponseWriter, r *http.Request) {
	var given struct{ Username, Password string }
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&given) != nil || given.Password != given.Username+"-demo-password" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	id, _, known := a.owner(r)
	if os.Getenv("MOOD") == "hardened" || !known {
		_, err := a.rows.Exec(r.Context(), "DELETE FROM sessions WHERE session_id = $1", id)
		if err == nil {
			err = a.issue(w, r, given.Username)
		}
		finish(w, err)
		return
	}
	_, err := a.rows.Exec(r.Context(), "UPDATE sessions SET username = $1 WHERE session_id = $2", given.Username, id)
	hand(w, id)
	finish(w, err)
}

func (a api) me(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	_, owner, _ := a.owner(r)
	if owner == "" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	fmt.Fprintf(w, `{"username": %q}`, owner)
}

func (a api) logout(w http.ResponseWriter, r *http.Request) {
	id, _, _ := a.owner(r)
	_, err := a.rows.Exec(r.Context(), "DELETE FROM sessions WHERE session_id = $1", id)
	http.SetCookie(w, &http.Cookie{Name: cookie, Path: "/", MaxAge: -1, HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode})
	finish(w, err)
}

func finish(w http.ResponseWriter, err error) {
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
	}
}
