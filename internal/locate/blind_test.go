package locate_test

import "testing"

// What answers a request may be somebody else's: what has holes and fits, too,
// is not taken for it.
func TestWhatIsNotKnownAnswersBefore(t *testing.T) {
	t.Parallel()
	checkTraps(t, map[string]trap{
		"Go": {map[string]string{"a.go": goHead + `
func main() {
	r := chi.NewRouter()
	r.Get("/{page}", page)
	r.Post("/login", oidc.Login)
	r.Post("/{page}", page)
	r.Mount("/auth", authboss.Router())
	r.Handle("/*", files())
	r.HandleFunc("/{a}/{b}", two)
}
func page` + answer + "func two" + answer}, []asked{{"GET", "/login", "func page(", "", ""}, {"POST", "/login", "", "", ""}, {"POST", "/auth/login", "", "", ""}, {"POST", "/a/b", "func two(", "", ""}}},
		"Express": {map[string]string{"a.js": "const express = require('express'); const app = express();\n" + `
app.use('/api', cors()); app.use('/auth', authRouter); app.post('/login', passport.authenticate('local'));
app.post('/out', limited, out); app.all('/api/:any', any); app.all('*', all);
function out(req, res) {}
function any(req, res) {}
function all(req, res) {}`}, []asked{{"POST", "/login", "", "", ""}, {"POST", "/auth/login", "", "", ""}, {"POST", "/out", "function out(", "", ""}, {"POST", "/api/x", "", "", ""}, {"GET", "/login", "function all(", "", ""}}},
		"FastAPI": {map[string]string{"a.py": "from fastapi import FastAPI\nfrom other import login\napp = FastAPI()\napp.add_api_route('/login', login, methods=['POST'])\n@app.post('/{page}')\ndef page(page): pass\n"},
			[]asked{{"POST", "/login", "", "", ""}, {"POST", "/x", "def page(", "", ""}}},
		"FastAPI, a library's kind of router": {map[string]string{"a.py": "from fastapi import FastAPI\nfrom other import OwnRouter\napp = FastAPI()\nrouter = OwnRouter(prefix='/auth')\n@router.post('/login')\ndef login(): pass\napp.include_router(router)\n@app.post('/{a}')\ndef one(a): pass\n"},
			[]asked{{"POST", "/auth/login", "def login(", "", ""}}},
		"FastAPI, a router": {map[string]string{"a.py": "from fastapi import FastAPI\nfrom other import users\napp = FastAPI()\napp.include_router(users.auth_router(), prefix='/auth')\n@app.post('/{a}/{b}')\ndef two(a, b): pass\n@app.post('/auth/me')\ndef me(): pass\n"},
			[]asked{{"POST", "/auth/login", "", "", ""}, {"POST", "/x/login", "def two(", "", ""}}},
	})
}
