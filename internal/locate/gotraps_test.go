package locate_test

import "testing"

// trap is a workspace in which something looks like what it is not.
type trap struct {
	sources map[string]string
	asked   []asked
}

func checkTraps(t *testing.T, traps map[string]trap) {
	t.Helper()
	for name, one := range traps {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, one.sources, one.asked)
		})
	}
}

const (
	goHead = "package main\nimport (\n\"net/http\"\n\"github.com/go-chi/chi/v5\"\n)\n"
	answer = "(w http.ResponseWriter, r *http.Request) {}\n"
)

func TestGoTraps(t *testing.T) {
	t.Parallel()
	checkTraps(t, map[string]trap{
		"two structs with a field of one name": {map[string]string{"a.go": goHead + `
type public struct { router chi.Router }
type admin struct { router chi.Router }
func main() {
	p, a := &public{router: chi.NewRouter()}, &admin{chi.NewRouter()}
	p.routes()
	a.routes()
	root := chi.NewRouter()
	root.Mount("/admin", a.router)
	root.Mount("/", p.router)
}
func (p *public) routes() { p.router.Post("/login", login); p.router.Get("/users/{id}", user) }
func (a *admin) routes() { a.router.Post("/login", adminLogin); a.router.Get("/users/me", me) }
func login` + answer + "func adminLogin" + answer + "func user" + answer + "func me" + answer}, []asked{
			{"POST", "/login", "func login(", "", ""},
			{"POST", "/admin/login", "func adminLogin(", "", ""},
			{"GET", "/users/me", "func user(", "", ""},
			{"GET", "/admin/users/me", "func me(", "", ""},
		}},
		"a field of a field, and one that is embedded": {map[string]string{"a.go": goHead + `
type web struct { router *http.ServeMux }
type base struct { router *http.ServeMux }
type app struct { *base; web *web; other struct{ router *http.ServeMux } }
func main() {
	a := &app{base: &base{router: http.NewServeMux()}, web: newWeb()}
	a.web.router.Handle("/api/", http.StripPrefix("/api", a.router))
	a.router.HandleFunc("/login", inner)
	a.web.router.HandleFunc("/login", outer)
}
func newWeb() *web { w := &web{}; w.router = http.NewServeMux(); return w }
func inner` + answer + "func outer" + answer}, []asked{
			{"POST", "/api/login", "func inner(", "", ""},
			{"POST", "/login", "func outer(", "", ""},
		}},
		"a router that is embedded": {map[string]string{"a.go": goHead + `
type server struct { *chi.Mux; name string }
func main() {
	s := &server{Mux: chi.NewRouter()}
	root := http.NewServeMux()
	root.Handle("/v1/", http.StripPrefix("/v1", s))
	s.routes()
}
func (s *server) routes() { s.Post("/login", s.login) }
func (s *server) login` + answer}, []asked{{"POST", "/v1/login", ") login(", "", ""}, {"POST", "/login", "", "", ""}}},
		"ServeHTTP that hands on": {map[string]string{"a.go": goHead + `
type server struct { router chi.Router }
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.router.ServeHTTP(w, r) }
func main() {
	s := &server{router: chi.NewRouter()}
	s.router.Post("/login", login)
	http.Handle("/", s)
}
func login` + answer}, []asked{{"POST", "/login", "func login(", "", ""}, {"POST", "/other", "", "", ""}}},
		"a shadowed router": {map[string]string{"a.go": goHead + `
func main() {
	r := chi.NewRouter()
	root := chi.NewRouter()
	if true {
		r := chi.NewRouter()
		r.Get("/a", a)
		root.Mount("/in", r)
	}
	r.Get("/b", b)
	root.Mount("/out", r)
}
func a` + answer + "func b" + answer}, []asked{
			{"GET", "/in/a", "func a(", "", ""}, {"GET", "/out/b", "func b(", "", ""}, {"GET", "/out/a", "", "", ""}, {"GET", "/in/b", "", "", ""},
		}},
		"a router that may be another": {map[string]string{"a.go": goHead + `
func main() {
	root := chi.NewRouter()
	r := chi.Router(root)
	r = root
	if prefixed() { r = root.With(); r = chi.NewRouter(); root.Mount("/v2", r) }
	r.Post("/login", login)
}
func login` + answer}, []asked{{"POST", "/login", "func login(", "", ""}, {"POST", "/v2/login", "func login(", "", ""}}},
		"a handler that may be another": {map[string]string{"a.go": goHead + `
var kept = login
func init() { kept = second }
func main() {
	h := login
	if fresh() { h = second }
	http.HandleFunc("/login", h)
	http.HandleFunc("/kept", kept)
	p := "/a"
	if fresh() { p = "/b" }
	http.HandleFunc(p + "/c", third)
	q := "/q"
	q += "/r"
	http.HandleFunc(q, third)
	q = "/s"
	http.HandleFunc(q, third)
	for path, third := range map[string]http.HandlerFunc{"/table": login} { http.HandleFunc(path, third); http.HandleFunc("/fixed", third) }
}
func login` + answer + "func second" + answer + "func third" + answer}, []asked{
			{"POST", "/login", "", "", ""}, {"POST", "/kept", "", "", ""}, {"GET", "/a/c", "func third(", "", ""}, {"GET", "/q", "", "", ""},
			{"GET", "/r", "", "", ""}, {"GET", "/s", "func third(", "", ""}, {"GET", "/table", "", "", ""}, {"GET", "/fixed", "", "", ""},
		}},
		"what is added under a condition": {map[string]string{"a.go": goHead + `
func main() {
	r := chi.NewRouter()
	r.Get("/users/{id}", user)
	if debug() { r.Get("/users/me", me); extra(r) }
	switch mode() { case 1: r.Post("/login", login); default: r.Post("/login", other) }
}
func extra(r chi.Router) { r.Get("/users/you", you) }
func user` + answer + "func me" + answer + "func login" + answer + "func other" + answer + "func you" + answer}, []asked{
			{"GET", "/users/7", "func user(", "", ""}, {"GET", "/users/me", "", "", ""}, {"GET", "/users/you", "", "", ""}, {"POST", "/login", "", "", ""},
		}},
		"a method of a type that is not known": {map[string]string{"a.go": goHead + `
type table struct { path string; handler http.HandlerFunc }
type outside struct { auth *boss.Auth; own accounts }
type other struct{}
type accounts interface { login(); logout() }
func (other) handler` + answer + "func (other) Login" + answer + `
func (other) login` + answer + `
func main(o *outside) {
	for _, one := range []table{{"/a", nil}} { http.HandleFunc(one.path, one.handler); http.HandleFunc("/fixed", one.handler) }
	http.HandleFunc("/login", o.auth.Login)
	http.HandleFunc("/inner", o.own.login)
	ab := boss.New()
	http.HandleFunc("/ab", ab.Login)
	http.HandleFunc("/unnamed", unnamed.Login)
}`}, []asked{{"GET", "/fixed", "", "", ""}, {"POST", "/login", "", "", ""}, {"POST", "/inner", "", "", ""}, {"POST", "/ab", "", "", ""}, {"POST", "/unnamed", "", "", ""}}},
		"wrappers and what they are given": {map[string]string{"a.go": goHead + `
func main(h http.HandlerFunc, s *store) {
	http.HandleFunc("/given", limited(h))
	http.HandleFunc("/made", makeLogin(checkPassword, newStore()))
	http.Handle("/page", newPage(newStore()))
	http.HandleFunc("/both", limited(login, s.find))
}
func limited(h http.HandlerFunc, more ...any) http.HandlerFunc { return h }
func makeLogin(check func(string) error, s *store) http.HandlerFunc { return nil }
func makePlain(s *store) http.HandlerFunc { return nil }
func checkPassword(name string) error { return nil }
func newStore() *store { return nil }
func newPage(s *store) *page { return nil }
type page struct{}
type store struct{}
func (s *store) find(name string) (string, error) { return "", nil }
func (p *page) ServeHTTP` + answer + "func login" + answer + `
func init() { http.HandleFunc("/plain", makePlain(newStore())) }`}, []asked{
			{"GET", "/given", "", "", ""}, {"GET", "/made", "", "", ""}, {"GET", "/page", ") ServeHTTP(", "", ""},
			{"GET", "/both", "func login(", "", ""}, {"GET", "/plain", "func makePlain(", "", ""},
		}},
		"functions of one name in two packages": {map[string]string{
			"go.mod":    "module example.com/a\n",
			"a/a.go":    "package users\nimport \"net/http\"\nfunc Routes(m *http.ServeMux) { m.HandleFunc(\"/login\", login) }\nfunc login" + answer,
			"b/b.go":    "package b\nimport \"net/http\"\nfunc Routes(m *http.ServeMux) { m.HandleFunc(\"/login\", loginOfB) }\nfunc loginOfB" + answer,
			"main.go":   goHead + "import (\n\"example.com/a/a\"\n\"example.com/a/b\"\n)\nfunc main() { one, two := http.NewServeMux(), http.NewServeMux()\nusers.Routes(one)\nb.Routes(two)\nroot := http.NewServeMux()\nroot.Handle(\"/one/\", http.StripPrefix(\"/one\", one))\nroot.Handle(\"/two/\", http.StripPrefix(\"/two\", two)) }\n",
			"c/main.go": "package main\nimport \"net/http\"\nfunc main() { Routes(http.NewServeMux()) }\nfunc Routes(m *http.ServeMux) { m.HandleFunc(\"/three\", loginOfC) }\nfunc loginOfC" + answer,
		}, []asked{
			{"GET", "/one/login", "func login(", "", ""}, {"GET", "/two/login", "func loginOfB", "", ""}, {"GET", "/three", "func loginOfC", "", ""},
			{"GET", "/login", "", "", ""},
		}},
		"what does not let all through": {map[string]string{"a.go": goHead + `
func main() {
	inner := http.NewServeMux()
	inner.HandleFunc("/health", health)
	inner.HandleFunc("/api/me", me)
	http.Handle("/api/", inner)
	http.HandleFunc("/", page)
}
func health` + answer + "func me" + answer + "func page" + answer}, []asked{{"GET", "/health", "func page(", "", ""}, {"GET", "/api/me", "func me(", "", ""}}},
		"groups in a loop": {map[string]string{"a.go": "package main\nimport \"github.com/gin-gonic/gin\"\n" + `
func main() {
	r := gin.New()
	for _, version := range []string{"v1", "v2"} {
		g := r.Group("/" + version)
		g.POST("/login", login)
	}
	r.POST("/other", other)
}
func login(c *gin.Context) {}
func other(c *gin.Context) {}`}, []asked{{"POST", "/v1/login", "func login(", "", ""}, {"POST", "/other", "func other(", "", ""}}},
		"sources that Go leaves out": {map[string]string{
			"a.go":          goHead + "func main() { http.HandleFunc(\"/login\", login) }\nfunc login" + answer,
			"gen.go":        "//go:build ignore\n\npackage main\nimport \"net/http\"\nfunc main() { http.HandleFunc(\"/login\", generated); http.HandleFunc(\"/gen\", generated) }\nfunc generated" + answer,
			"_old/a.go":     goHead + "func main() { http.HandleFunc(\"/login\", old); http.HandleFunc(\"/old\", old) }\nfunc old" + answer,
			"vendor/x/a.go": goHead + "func main() { http.HandleFunc(\"/login\", vendored) }\nfunc vendored" + answer,
			"a_test.go":     goHead + "func f() { http.HandleFunc(\"/login\", tested) }\nfunc tested" + answer,
		}, []asked{{"POST", "/login", "func login(", "", ""}, {"GET", "/gen", "", "", ""}, {"GET", "/old", "", "", ""}}},
		"two builds": {map[string]string{
			"a.go":   goHead + "func main() { routes() }\n",
			"dev.go": "//go:build dev\n\n" + goHead + "const prefix = \"/dev\"\nfunc routes() { http.HandleFunc(prefix + \"/x\", x); http.HandleFunc(\"/login\", devLogin) }\nfunc devLogin" + answer,
			"rel.go": "//go:build !dev\n\n" + goHead + "const prefix = \"/rel\"\nfunc routes() { http.HandleFunc(\"/login\", login) }\nfunc login" + answer + "func x" + answer,
		}, []asked{{"POST", "/login", "", "", ""}, {"GET", "/other/x", "func x(", "", ""}}},
		"copies of a module": {map[string]string{
			"go.mod": "module example.com/a\n", "copy/go.mod": "module example.com/a\n",
			"main.go":       goHead + "import \"example.com/a/web\"\nfunc main() { http.HandleFunc(\"/login\", web.Login) }\n",
			"web/a.go":      "package web\nimport \"net/http\"\nfunc Login" + answer,
			"copy/main.go":  goHead + "import \"example.com/a/web\"\nfunc main() { http.HandleFunc(\"/copy\", web.Login) }\n",
			"copy/web/a.go": "package web\nimport \"net/http\"\n// the copy\nfunc  Login" + answer,
		}, []asked{{"POST", "/login", "func Login(", "", ""}, {"POST", "/copy", "func  Login(", "", ""}}},
		"one maker of several routers": {map[string]string{"a.go": goHead + `
func router() chi.Router { r := chi.NewRouter(); r.Use(nil); return r }
func main() {
	api, admin, root := router(), router(), chi.NewRouter()
	api.Get("/users/{id}", user)
	admin.Get("/users/me", me)
	root.Mount("/api", api)
	root.Mount("/admin", admin)
}
func user` + answer + "func me" + answer}, []asked{{"GET", "/api/users/me", "", "", ""}, {"GET", "/api/users/7", "func user(", "", ""}}},
		"a mux beside another framework": {map[string]string{"a.go": goHead + `
func register(mux *http.ServeMux) { mux.HandleFunc("POST /login", login) }
func login(w http.ResponseWriter, r *http.Request) { chi.URLParam(r, "id") }`}, []asked{{"POST", "/login", "func login(", "", ""}, {"GET", "/login", "", "", ""}}},
		"clients are no routers": {map[string]string{"a.go": goHead + `
type cache struct { client *redis.Client }
func (c *cache) warm() {
	c.client.Get("/login", load)
	http.Post("/login", load, nil)
	client := &http.Client{}
	client.Get("/login", load)
}
func load` + answer}, []asked{{"GET", "/login", "", "", ""}, {"POST", "/login", "", "", ""}}},
		"applications beside each other": {map[string]string{
			"a/a.go": goHead + "func main() { http.HandleFunc(\"/users/me\", me) }\nfunc me" + answer,
			"b/b.go": goHead + "func main() { r := chi.NewRouter()\nr.Get(\"/users/{id}\", user) }\nfunc user" + answer,
		}, []asked{{"GET", "/users/me", "", "", ""}, {"GET", "/users/7", "func user(", "", ""}}},
		"a result that has a name": {map[string]string{"a.go": goHead + `
func routes() (r chi.Router) { r = chi.NewRouter(); r.Post("/login", login); return }
func main() { root := chi.NewRouter(); root.Mount("/api", routes()) }
func login` + answer}, []asked{{"POST", "/api/login", "func login(", "", ""}, {"POST", "/login", "", "", ""}}},
	})
}
