package locate_test

import (
	"testing"

	"github.com/sessiongate/sessiongate/internal/locate"
)

// A route whose path the source does not tell may be the one that answers: what
// has holes is not taken for it, what is written out is.
func TestWhatHasNoToldPathMayAnswer(t *testing.T) {
	t.Parallel()
	const (
		script = "const express = require('express'); const app = express(); const cfg = require('./config.json');\n"
		java   = "import org.springframework.web.bind.annotation.*;\n@RestController class A {\n"
		goMain = "package main\nimport (\n\"net/http\"\n\"github.com/gin-gonic/gin\"\n\"github.com/go-chi/chi/v5\"\n)\n"
		goEnd  = "func any" + answer + "func login" + answer + "func me" + answer
		ginEnd = "func any(c *gin.Context) {}\nfunc login(c *gin.Context) {}\nfunc me(c *gin.Context) {}\n"
	)
	app := func(name, text string, asked ...asked) trap { return trap{map[string]string{name: text}, asked} }
	checkTraps(t, map[string]trap{
		"Express": app("app.js", script+"app.post('/early/:x', early); app.post(cfg.loginPath, login); app.post('/me', me); app.post('/:resource', any);\nfunction early(q, r) {}\nfunction login(q, r) {}\nfunction me(q, r) {}\nfunction any(q, r) {}\n",
			asked{"POST", "/login", "", "", ""}, asked{"POST", "/me", "function me(", "", ""}, asked{"POST", "/early/x", "function early(", "", ""}, asked{"GET", "/login", "", "", ""}),
		"Express, of another method": app("app.js", script+"app.get(cfg.metrics, login); app.post('/:resource', any);\nfunction login(q, r) {}\nfunction any(q, r) {}\n",
			asked{"POST", "/login", "function any(", "", ""}),
		"Express, below a prefix": app("app.js", script+"app.post('/auth/' + cfg.loginPath, login); app.post('/auth/:x', below); app.post('/:a/:b', any);\nfunction login(q, r) {}\nfunction below(q, r) {}\nfunction any(q, r) {}\n",
			asked{"POST", "/auth/login", "", "", ""}, asked{"POST", "/x/login", "function any(", "", ""}),
		"Express, of a library": app("app.js", script+"const { ExpressAuth } = require('@auth/express');\napp.use('/auth/*', ExpressAuth({})); app.post('/:a/:b', any);\nfunction any(q, r) {}\n",
			asked{"POST", "/auth/signin", "", "", ""}, asked{"POST", "/x/signin", "function any(", "", ""}),
		"Express, handler and path": app("app.js", script+"app.post(cfg.loginPath, passport.authenticate('local')); app.post('/:resource', any); app.post('/me', me);\nfunction any(q, r) {}\nfunction me(q, r) {}\n",
			asked{"POST", "/login", "", "", ""}),
		"Express, a library's route below a prefix": app("app.js", script+"const api = express.Router(); api.post('/login', passport.authenticate('local')); app.use(cfg.prefix, api); app.post('/:a/:b', any);\nfunction any(q, r) {}\n",
			asked{"POST", "/api/login", "", "", ""}, asked{"POST", "/api/other", "function any(", "", ""}),
		"gin": app("main.go", goMain+"func main() { r := gin.New(); r.POST(\"/:x\", any); r.POST(cfg.LoginPath, login); r.POST(\"/me\", me) }\n"+ginEnd,
			asked{"POST", "/login", "", "", ""}, asked{"POST", "/me", "func me(", "", ""}),
		"chi": app("main.go", goMain+"func main() { r := chi.NewRouter(); r.Post(cfg.LoginPath, login); r.Post(\"/{x}\", any); r.Post(\"/me\", me) }\n"+goEnd,
			asked{"POST", "/login", "", "", ""}, asked{"POST", "/me", "func me(", "", ""}),
		"net/http": app("main.go", goMain+"func main() { m := http.NewServeMux(); m.HandleFunc(\"POST \"+cfg.LoginPath, login); m.HandleFunc(\"/\", any); m.HandleFunc(\"/me\", me) }\n"+goEnd,
			asked{"POST", "/login", "", "", ""}, asked{"POST", "/me", "func me(", "", ""}, asked{"GET", "/login", "func any(", "", ""}),
		"net/http, handler and path": app("main.go", goMain+"func main() { m := http.NewServeMux(); m.Handle(cfg.LoginPath, oidc.Login()); m.HandleFunc(\"/\", any); m.HandleFunc(\"/me\", me) }\n"+goEnd,
			asked{"POST", "/login", "", "", ""}, asked{"POST", "/me", "func me(", "", ""}),
		"Spring": app("A.java", java+" @PostMapping(\"/{x}\") void any() {}\n @PostMapping(\"${login.path}\") void login() {}\n @PostMapping(\"/me\") void me() {}\n}\n",
			asked{"POST", "/login", "", "", ""}, asked{"POST", "/me", "void me(", "", ""}),
		"FastAPI": app("app.py", "from fastapi import FastAPI\nimport os\napp = FastAPI()\n@app.post(os.environ['LOGIN'])\ndef login(): pass\n@app.post('/{x}')\ndef any(x): pass\n@app.post('/me')\ndef me(): pass\n@app.get('/{x}')\ndef read(x): pass\n",
			asked{"POST", "/login", "", "", ""}, asked{"GET", "/login", "def read(", "", ""}),
		"Flask": app("app.py", "from flask import Flask\nimport os\napp = Flask(__name__)\n@app.post(os.environ['LOGIN'])\ndef login(): pass\n@app.post('/<x>')\ndef any(x): pass\n@app.post('/me')\ndef me(): pass\n",
			asked{"POST", "/login", "", "", ""}, asked{"POST", "/me", "def me(", "", ""}),
		"Django": {map[string]string{
			"manage.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 's')\n", "s.py": "ROOT_URLCONF = 'urls'\n",
			"urls.py": "from django.urls import path\nfrom django.conf import settings\nimport v\nurlpatterns = [path(settings.LOGIN, v.login), path('me', v.me), path('<str:x>', v.any)]\n",
			"v.py":    "def login(r): pass\ndef me(r): pass\ndef any(r, x): pass\n",
		}, []asked{{"POST", "/login", "", "", ""}, {"POST", "/me", "def me(", "", ""}}},
	})
}

// The schema calls the request after a handler whose path is not told: the one
// whose path fits is not taken for it.
func TestTheSchemaNamesAHandlerWithoutAToldPath(t *testing.T) {
	t.Parallel()
	const script = "const express = require('express'); const app = express();\napp.post(process.env.LOGIN, signIn); app.post('/login', old); app.post('/told', other);\nfunction signIn(q, r) {}\nfunction old(q, r) {}\nfunction other(q, r) {}\n"
	const api = "from fastapi import FastAPI\nimport os\napp = FastAPI()\n@app.post(os.environ['LOGIN'])\ndef sign_in(): pass\n@app.post('/login')\ndef old(): pass\n"
	for _, one := range []struct{ file, text, operation, want string }{
		{"app.js", script, "signIn", ""},
		{"app.js", script, "old", "function old("},
		{"app.js", script, "renamed", "function old("},
		{"app.js", script, "other", "function old("}, // its path is told, and it is another
		{"app.py", api, "sign_in_login_post", ""},
		{"app.py", api, "sign_in", ""},
		{"app.py", api, "old_login_post", "def old("},
	} {
		sources := map[string]string{one.file: one.text}
		place, reason := workspace(t, sources, locate.Start{}).Handler("POST", "/login", one.operation)
		isDoubt := reason.Code == locate.SeveralFit && len(reason.Places) == 2
		if want := standing(t, sources, one.want); place != want || isDoubt != (one.want == "") {
			t.Errorf("%s of %s: %s %q, want %s", one.operation, one.file, place, reason, want)
		}
	}
}
