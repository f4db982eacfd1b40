package locate

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sessiongate/sessiongate/internal/locate/syntax"
)

// fuzzed reads two files that may hold anything, over and over in one folder and
// with one set of parsers, whose making takes most of the time.
type fuzzed struct {
	folder  string
	names   [2]string
	parsers *syntax.Parsers
	read    func(context.Context, *files) *Source
}

func fuzzReader(f *testing.F, names [2]string, read func(context.Context, *files) []route) {
	f.Helper()
	fuzzSource(f, names, func(ctx context.Context, files *files) *Source {
		return &Source{ctx: ctx, routes: read(ctx, files)}
	})
}

func fuzzSource(f *testing.F, names [2]string, read func(context.Context, *files) *Source) {
	f.Helper()
	parsers, err := syntax.New(f.Context())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = parsers.Close() })
	one := fuzzed{f.TempDir(), names, parsers, read}
	for _, name := range names {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(one.folder, name)), 0o755); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, first, second string) {
		texts := [2]string{first, second}
		for i, name := range names {
			if err := os.WriteFile(filepath.Join(one.folder, name), []byte(texts[i]), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		source := one.source(t)
		one.check(t, source, texts)
		if before, again := told(source), told(one.source(t)); before != again {
			t.Errorf("read once: %s\nread again: %s", before, again)
		}
	})
}

func (f fuzzed) source(t *testing.T) *Source {
	t.Helper()
	files, err := walk(t.Context(), f.folder, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	files.parsers = f.parsers
	defer func() { files.parsers = nil; files.close() }()
	return f.read(t.Context(), files)
}

// check asks that all places are lines of the two files.
func (f fuzzed) check(t *testing.T, source *Source, texts [2]string) {
	t.Helper()
	stands := func(at Place) bool {
		for i, name := range f.names {
			if at.File == name {
				return at.Line >= 1 && at.Line <= strings.Count(texts[i], "\n")+1
			}
		}
		return false
	}
	if len(source.routes) > 2*mostRoutes {
		t.Errorf("%d routes", len(source.routes))
	}
	for _, one := range source.routes {
		if !one.blind && !stands(one.place) {
			t.Errorf("%s is no line of the sources", one.place)
		}
		for _, set := range one.setters {
			if !stands(set.at) {
				t.Errorf("%s is no line of the sources", set.at)
			}
		}
	}
	for _, path := range fuzzedPaths {
		place, reason := source.Handler("POST", path, "")
		if (reason.Code == Found) != stands(place) {
			t.Errorf("%s: %s %s", path, place, reason)
		}
		if line, found := source.Cookie(place, "sid"); reason.Code == Found && found && !stands(line) {
			t.Errorf("%s is no line of the sources", line)
		}
	}
}

var fuzzedPaths = []string{"/", "/login", "/a/b", "/users/{id}", "/api/v1/login/"}

func told(source *Source) string {
	var all strings.Builder
	for _, one := range source.routes[:min(len(source.routes), 100)] {
		fmt.Fprintf(&all, "%s %q %s %v %d %v\n", one.methods, one.path, one.place, one.setters, one.order, one.unsure)
	}
	for _, path := range fuzzedPaths {
		place, reason := source.Handler("POST", path, "")
		fmt.Fprintln(&all, path, place, reason)
	}
	return all.String()
}

func FuzzGo(f *testing.F) {
	const head = "package a\nimport (\n\"net/http\"\n\"github.com/go-chi/chi/v5\"\n)\n"
	f.Add(head+"func f() { r := http.NewServeMux(); r = r; r.HandleFunc(\"/\", g); f(r) }\nfunc g() { g(); http.SetCookie(w, c) }", head+"type h struct{ *h; r chi.Router }\nfunc (x *h) ServeHTTP() { x.r.ServeHTTP(x.h.r) }")
	f.Add("package a\nimport \"github.com/gorilla/mux\"\nvar r = mux.NewRouter()\nfunc f() { r.Path().Methods().HandlerFunc(h).Methods(x...); r.Route(\"/\", func() { r.Group() }) }", "package b\n")
	f.Add(head+"type s struct{ router chi.Router; mux *http.ServeMux }\nfunc main() { a := &s{router: chi.NewRouter()}; a.routes(); http.Handle(\"/v1/\", http.StripPrefix(\"/v1\", a.router)) }\n",
		head+"func (a *s) routes() { a.router.Post(\"/login\", a.login); a.router.Route(\"/x\", func(r chi.Router) { r.With(a).Get(\"/{id:[0-9]+}\", wrap(a.login)) }) }\nfunc (a *s) login(w http.ResponseWriter, r *http.Request) { http.SetCookie(w, &http.Cookie{Name: \"sid\"}) }\nfunc wrap(h http.HandlerFunc) http.HandlerFunc { return h }")
	f.Add(head+"func m() (r chi.Router) { if x { r = chi.NewRouter() } else { r = n() }; for a, b := range c { r.Post(a, b); r = r.Group(a) }; return }\nfunc n() chi.Router { return m() }", "//go:build ignore\npackage a\ntype A = B\ntype B = A\ntype C interface { login() }\nfunc f(c C) { http.HandleFunc(\"/login\", c.login) }")
	fuzzReader(f, [2]string{"a.go", "b/b.go"}, readGo)
}

func FuzzGoPackage(f *testing.F) {
	f.Add("package a\nimport \"github.com/gin-gonic/gin\"\nfunc main() { r := gin.New(); register(r.Group(\"/api\")); r.Any(\"/x\", y{}.z) }", "package a\nfunc register(g *gin.RouterGroup) { g.Handle(\"POST\", \"/login\", login); p += \"/x\"; g.GET(p, k) }\nfunc login(c *gin.Context) { c.SetCookie(\"sid\", v, 0, \"/\", \"\", true, true) }\nvar p, k = \"/p\", login")
	f.Add("package a\nimport \"github.com/gofiber/fiber/v2\"\ntype app struct { *fiber.App }\nfunc (a app) f() { a.Get(\"/\", a.g); a.Mount(\"/m\", a.App) }", "package a\nfunc (a app) g(c *fiber.Ctx) error { return a.g(c) }\nvar h = []app{{nil}, {App: x}}")
	fuzzReader(f, [2]string{"a.go", "b.go"}, readGo)
}

func FuzzExpress(f *testing.F) {
	f.Add("import e, { Router } from 'express'; const r = Router(); export default r; r.route('/').get(a).post((q, s) => s.cookie('sid', r)); e().use(r);", "export * from './a'; import a from './a'; a.post('/login', a)")
	f.Add("const app = require('express')(); class A { r = app; constructor(x) { this.r.post('/login', this.m) } m(a, b) { this.m(a, b) } } new A(app); module.exports = exports = { a, b: app }", "const { a, b: { c }, ...d } = require('./a'); for (const [e, f] of a) { b.get(e, f); let g; g = g(g); }")
	f.Add("const express = require('express'), app = express(); app.use(['/a', x], [m, require('./b')]); if (y) { var r = express.Router(); r.all('*', (req, res) => res.setHeader('Set-Cookie', `sid=${z}`)); app.use('/r', r); }", "const r = require('express').Router(); let h = null; function i({ j }, k = r) { h = w(v); r.post('/login', [h, w(v)]); } function w(f) { return (req, res) => f(req, res) } module.exports = r; module.exports.default = i(r);")
	fuzzReader(f, [2]string{"a.js", "b.ts"}, readExpress)
}

func FuzzSpring(f *testing.F) {
	f.Add("import org.springframework.a; @RestController @RequestMapping(\"/a\") class A implements B { A a; @PostMapping({\"/b\", X}) void b(int c) { a.b(1); new Cookie(\"sid\", c); } public void d(int e) {} }", "import org.springframework.a; interface B extends B { String X = X + B.X; @GetMapping(\"${x}/login\") void d(int e); @PutMapping(path = X, value = \"/{id:[0-9]{1,3}}\") default void f() { ResponseCookie.from(X); } }")
	f.Add("import org.springframework.a; @Controller @Profile(\"x\") class A extends B<A> { @Override void login(String a) {} }", "abstract class B<T> extends A { @RequestMapping(value = \"/login\", method = {POST, RequestMethod.GET}) void login(String b) { login(b); } record C(int d) {} enum E { F } }")
	fuzzReader(f, [2]string{"src/main/java/A.java", "src/main/java/B.java"}, readSpring)
}

func FuzzDjango(f *testing.F) {
	f.Add("from django.urls import path\nfrom . import b\nurlpatterns = [path('login', A.as_view()), path('', include('b')), re_path(r'^(x)$', b(b))]\nclass A(A):\n  def post(self): self.x.set_cookie('sid')\ndef b(): b()", "from a import *\nurlpatterns = [path('login', b), *urlpatterns]")
	f.Add("ROOT_URLCONF = 'b'\n", "from a import *\nrouter = DefaultRouter()\nrouter.register('s', S)\nclass S(a.S):\n    def create(self, r): r.cookies['sid'] = 1\n    @action(detail=True, methods=['post'], url_path='x')\n    def login(self, r): k(r, name='sid')\nurlpatterns = i18n_patterns(path('<a>/', include(router.urls)), path('login', S.as_view({'post': 'login'})))\nif x:\n    urlpatterns += urlpatterns\nelse:\n    urlpatterns.append(path(route='a/b', view=c))\ndef k(r, name): r.set_cookie(name)")
	fuzzReader(f, [2]string{"a.py", "b.py"}, readDjango)
}

func FuzzFastAPI(f *testing.F) {
	f.Add("from fastapi import FastAPI\nfrom b import router\napp = FastAPI()\napp.include_router(router, prefix='/api/v1')\n@app.post('/login')\ndef login(response, sid=Cookie(None)):\n    response.set_cookie('sid', sid)\n", "from fastapi import APIRouter\nrouter = APIRouter()\n@router.post('/login')\nasync def login(r): return await r.f(**r)\nrouter.add_api_route('/{a:path}', login)\n")
	f.Add("from flask import Flask\nimport b\napp = Flask(__name__)\napp.register_blueprint(b.auth, url_prefix='/a')\napp.add_url_rule('/login', view_func=b.f, methods=['POST'])\n", "from flask import Blueprint\nfrom a import app\nauth = Blueprint('a', __name__)\n@auth.route('/b', methods=['POST'])\ndef f(x=1): f(x); return auth\n")
	f.Add("from starlette.applications import Starlette\nfrom starlette.routing import Route, Mount\ndef f(r): return r\napp = Starlette(routes=[Route('/login', f, methods=['POST']), Mount('/a', routes=[Route('/b', f)]), Mount('/', app=app)])\n", "class A:\n  def __init__(self): self.a = A()\n  def b(self): return [self.b() for _ in self.a]\n")
	fuzzSource(f, [2]string{"a.py", "b.py"}, func(ctx context.Context, files *files) *Source {
		made := &Source{ctx: ctx}
		made.python, made.routes = readPython(ctx, files, Start{})
		return made
	})
}

// Whatever the command, it names no file that the workspace has not.
func FuzzStart(f *testing.F) {
	for _, command := range []string{
		"go run -C a ./cmd", "sh -c 'cd a && npm run b'", "npm --prefix a start", "mvn -pl a spring-boot:run", "java -jar a/target/a.jar", "gradle :a:bootRun", "node dist/a.js",
		"DJANGO_SETTINGS_MODULE=a.b python manage.py runserver", "gunicorn a.wsgi:application", "npx tsx ../a",
	} {
		f.Add(command, `{"main": "a.js", "scripts": {"start": "npm run b", "b": "node a/b.js", "c": "cd .. && npm run c; npm start"}}`)
	}
	folder := f.TempDir()
	if err := os.MkdirAll(filepath.Join(folder, "a"), 0o755); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, command, described string) {
		for _, name := range []string{"package.json", "a/package.json", "a/b.js", "a.js", "manage.py"} {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(described), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		files, err := walk(t.Context(), folder, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		defer files.close()
		files.begin(Start{Folder: "a", Command: []string{command}})
		if at := files.start; inside(at.folder) != at.folder || at.isSure && at.language == scriptFile && !files.has(at.entries[0]) {
			t.Errorf("%+v", at)
		}
	})
}
