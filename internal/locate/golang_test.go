package locate_test

import (
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/locate"
)

// asked is a request, and the texts at whose lines its handler and its cookie's
// line stand; "" for none.
type asked struct{ method, path, handler, cookie, setter string }

// check asks for handlers and cookie lines. A text stands once in the sources.
func check(t *testing.T, sources map[string]string, all []asked) {
	t.Helper()
	source := workspace(t, sources, locate.Start{})
	for _, one := range all {
		place, reason := source.Handler(one.method, one.path, "")
		if want := standing(t, sources, one.handler); place != want {
			t.Errorf("%s %s: %s %s, want %s", one.method, one.path, place, reason, want)
			continue
		}
		if one.handler == "" && reason.Code == locate.Found {
			t.Errorf("%s %s: no place and no reason", one.method, one.path)
		}
		if one.cookie == "" {
			continue
		}
		line, found := source.Cookie(place, one.cookie)
		if want := standing(t, sources, one.setter); line != want || found != (one.setter != "") {
			t.Errorf("cookie %s of %s %s: %s, want %s", one.cookie, one.method, one.path, line, want)
		}
	}
}

func standing(t *testing.T, sources map[string]string, text string) locate.Place {
	t.Helper()
	var found []locate.Place
	for name, source := range sources {
		if before, _, stands := strings.Cut(source, text); stands && text != "" {
			found = append(found, locate.Place{File: name, Line: strings.Count(before, "\n") + 1})
		}
	}
	if text == "" {
		return locate.Place{}
	}
	if len(found) != 1 {
		t.Fatalf("%q stands in %d files", text, len(found))
	}
	return found[0]
}

// severally are paths that several handlers fit.
func severally(t *testing.T, sources map[string]string, method, path string) {
	t.Helper()
	place, reason := workspace(t, sources, locate.Start{}).Handler(method, path, "")
	if reason.Code != locate.SeveralFit || place != (locate.Place{}) {
		t.Errorf("%s %s: %s %q, want several", method, path, place, reason)
	}
}

func TestGoStandardLibrary(t *testing.T) {
	t.Parallel()
	sources := map[string]string{
		"go.mod": "module example.com/shop\n\ngo 1.25\n",
		"main.go": `package main

import (
	"net/http"

	"example.com/shop/internal/auth"
)

type server struct {
	mux *http.ServeMux
	auth *auth.Handler
}

func main() {
	s := &server{mux: http.NewServeMux(), auth: auth.New()}
	s.routes()
	http.ListenAndServe(":8080", logged(s.mux))
}

func logged(next http.Handler) http.Handler { return next }

func (s *server) routes() {
	s.mux.HandleFunc("POST /login", s.login)
	s.mux.HandleFunc("GET /users/{id}", s.user)
	s.mux.Handle("/logout", logged(http.HandlerFunc(s.auth.Logout)))
	s.mux.HandleFunc("/me", func(w http.ResponseWriter, r *http.Request) { _ = "the literal" })
	api := http.NewServeMux()
	s.mux.Handle("/api/", http.StripPrefix("/api", logged(api)))
	s.auth.Register(api)
	s.mux.Handle("GET /made", s.handleMade())
	s.mux.Handle("/served", &page{})
}

func (s *server) login(w http.ResponseWriter, r *http.Request) { s.keep(w, "x") }

func (s *server) keep(w http.ResponseWriter, value string) {
	setCookie(w, auth.CookieName, value)
	setCookie(w, "flash", "hello")
}

func setCookie(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value})
}

func (s *server) user(w http.ResponseWriter, r *http.Request) {}

func (s *server) handleMade() http.HandlerFunc { return func(http.ResponseWriter, *http.Request) {} }

type page struct{}

func (*page) ServeHTTP(w http.ResponseWriter, r *http.Request) {}
`,
		"internal/auth/auth.go": `package auth

import "net/http"

const CookieName = prefix + "sid"
const prefix = "__Host-"

type Handler struct{}

func New() *Handler { return &Handler{} }

func (h *Handler) Register(mux *http.ServeMux) {
	mux.HandleFunc("POST /token", h.token)
	http.HandleFunc("/health", health)
}

func (h *Handler) token(w http.ResponseWriter, r *http.Request) {
	cookie := http.Cookie{Value: "x"}
	cookie.Name = "token"
	http.SetCookie(w, &cookie)
	w.Header().Add("Set-Cookie", "raw="+r.Host) // the raw one
}

func (h *Handler) Logout(w http.ResponseWriter, r *http.Request) {}

func health(http.ResponseWriter, *http.Request) {}
`,
		"main_test.go": "package main\nimport \"net/http\"\nfunc f() { http.HandleFunc(\"POST /login\", other); http.HandleFunc(\"/tested\", other) }\nfunc other(w http.ResponseWriter, r *http.Request) {}\n",
	}
	all := []asked{
		{"POST", "/login", ") login(", "__Host-sid", "http.SetCookie(w, &http.Cookie{Name: name"},
		{"GET", "/login", "", "", ""},
		{"GET", "/users/7", ") user(", "sid", ""},
		{"POST", "/logout", ") Logout(", "", ""},
		{"GET", "/me", "the literal", "", ""},
		{"POST", "/api/token", ") token(", "token", "http.SetCookie(w, &cookie)"},
		{"POST", "/api/token", ") token(", "raw", "// the raw one"},
		{"POST", "/token", "", "", ""},
		{"GET", "/health", "func health(", "", ""},
		{"GET", "/made", ") handleMade(", "", ""},
		{"GET", "/served", ") ServeHTTP(", "", ""},
		{"GET", "/tested", "", "", ""},
	}
	check(t, sources, all)
	for name, text := range sources {
		sources[name] = strings.ReplaceAll(text, "\n", "\r\n")
	}
	check(t, sources, all)
}

func TestGoRouters(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]string{
		"chi": `import "github.com/go-chi/chi/v5"
func main() {
	r := chi.NewRouter()
	r.Use(logged)
	r.Route("/api", func(r chi.Router) {
		r.With(logged).Post("/login", login)
		r.Mount("/users", users())
	})
	r.Group(func(r chi.Router) { r.Get("/open", open) })
}
func users() chi.Router {
	r := chi.NewRouter()
	r.Get("/{id:[0-9]+}", user)
	return r
}`,
		"gorilla": `import "github.com/gorilla/mux"
func main() {
	r := mux.NewRouter()
	api := r.PathPrefix("/api").Subrouter()
	api.HandleFunc("/login", login).Methods("POST").Name("login")
	api.Methods("GET").Path("/users/{id}").HandlerFunc(user)
	r.HandleFunc("/open", open).Methods(http.MethodGet)
}`,
		"gin": `import "github.com/gin-gonic/gin"
func main() {
	r := gin.Default()
	r.GET("/open", open)
	api := r.Group("/api", logged)
	{
		api.POST("/login", limited(), login)
	}
	register(api.Group("/users"))
}
func register(group *gin.RouterGroup) { group.Handle("GET", "/:id", user) }`,
		"echo": `import "github.com/labstack/echo/v4"
func main() {
	e := echo.New()
	e.GET("/open", open, logged)
	api := e.Group("/api")
	api.POST("/login", login, limited())
	api.Add(http.MethodGet, "/users/:id", user)
}`,
		"fiber": `import "github.com/gofiber/fiber/v2"
type app struct { router *fiber.App }
func main() {
	a := &app{router: fiber.New()}
	a.routes()
}
func (a *app) routes() {
	a.router.Get("/open", open)
	api := a.router.Group("/api")
	api.Post("/login", limited(), login)
	users := fiber.New()
	users.Get("/:id", user)
	api.Mount("/users", users)
}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, map[string]string{
				"cmd/main.go": "package main\n" + source + "\n",
				"cmd/handlers.go": "package main\nfunc logged() {}\nfunc limited() {}\nfunc login(c *gin.Context) {\n\tc.SetCookie(\"sid\", v, 0, \"/\", \"\", true, true)\n}\n" +
					"func user() {}\nfunc open(c echo.Context) { c.SetCookie(&http.Cookie{Name: \"seen\"}) }\n",
			}, []asked{
				{"POST", "/api/login", "func login(", "sid", "c.SetCookie(\"sid\""},
				{"GET", "/api/login", "", "", ""},
				{"GET", "/api/users/7", "func user(", "", ""},
				{"GET", "/open", "func open(", "seen", "Name: \"seen\""},
				{"POST", "/login", "", "", ""},
			})
		})
	}
}

func TestGoTellsWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	head := "package a\nimport \"net/http\"\n"
	severally(t, map[string]string{
		"a/a.go": head + "func f() { http.HandleFunc(\"/login\", login) }\nfunc login() {}\n",
		"b/b.go": head + "func f() { http.HandleFunc(\"POST /login\", login) }\nfunc login() {}\n",
	}, "POST", "/login")
	severally(t, map[string]string{ // whose login it is depends on what is given
		"a/a.go": head + "func f(h interface{ login() }) { http.HandleFunc(\"/login\", h.login) }\ntype a struct{}\nfunc (a) login() {}\ntype b struct{}\nfunc (b) login() {}\n",
	}, "POST", "/login")
	check(t, map[string]string{
		"a/broken.go": head + "func login() {}\nfunc f() { http.HandleFunc(\"/login\", login)\n http.HandleFunc(\"/a\" \n}\n",
		"a/odd.go":    head + "func g() { http.HandleFunc(\"/odd\", odd) } // \xff\xfe\nfunc odd() {}\n",
		"a/large.go":  head + "func h() { http.HandleFunc(\"/large\", odd) }\n//" + strings.Repeat(" ", 1<<20),
		"a/deep.go":   head + "func i() { http.HandleFunc(" + strings.Repeat("(", 5000) + "\"/deep\"" + strings.Repeat(")", 5000) + ", odd) }\n",
		"a/self.go":   head + "func j() { h := wrap; h = wrap(h); http.HandleFunc(\"/self\", h) }\nfunc wrap() {}\n",
		"a/unknown.go": head + "func k(mux *http.ServeMux) { mux.HandleFunc(\"/somewhere\", somewhere) }\nfunc somewhere() { http.SetCookie(w, &http.Cookie{Name: \"a\"})\n" +
			"http.SetCookie(w, &http.Cookie{Name: \"a\"}) }\n",
	}, []asked{
		{"POST", "/login", "func login(", "", ""},
		{"POST", "/odd", "func odd(", "", ""},
		{"POST", "/large", "", "", ""},
		{"POST", "/deep", "", "", ""},
		{"POST", "/self", "func wrap(", "", ""},
		{"POST", "/v1/somewhere", "func somewhere(", "a", ""},
	})
}
