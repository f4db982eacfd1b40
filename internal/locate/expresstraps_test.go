package locate_test

import "testing"

func TestExpressTraps(t *testing.T) {
	t.Parallel()
	head := "const express = require('express'); const { Router } = express;\n"
	checkTraps(t, map[string]trap{
		"routers of one name in two files and in two blocks": {map[string]string{
			"app.js":   head + "const app = express(); app.use('/a', require('./a')); app.use('/b', require('./b'));\n{ const router = Router(); router.get('/x', (req, res) => { /* in the block */ }); app.use('/c', router); }\nconst router = Router(); router.get('/x', (req, res) => { /* outside */ }); app.use('/d', router);\n",
			"a.js":     head + "const router = Router(); router.post('/login', (req, res) => { /* of a */ }); module.exports = router;\n",
			"b.js":     head + "const router = Router(); router.post('/login', (req, res) => { /* of b */ }); module.exports = { router }; module.exports = router;\n",
			"stray.js": head + "const router = Router(); router.post('/stray/login', (req, res) => { /* a stray */ });\n",
		}, []asked{
			{"POST", "/a/login", "/* of a */", "", ""}, {"POST", "/b/login", "/* of b */", "", ""}, {"POST", "/login", "", "", ""},
			{"GET", "/c/x", "/* in the block */", "", ""}, {"GET", "/d/x", "/* outside */", "", ""}, {"POST", "/v1/stray/login", "/* a stray */", "", ""},
		}},
		"a router that is made later": {map[string]string{
			"app.js":    head + "const app = express(); app.use('/api', require('./routes'));\n",
			"routes.js": head + "let router; let h = null; function init() { router = Router(); router.post('/login', login); h = one; h = two; router.post('/h', h); }\ninit(); function login(req, res) {}\nfunction one(req, res) {} function two(req, res) {} module.exports = router;\n",
		}, []asked{{"POST", "/api/login", "function login(", "", ""}, {"POST", "/login", "", "", ""}, {"POST", "/api/h", "", "", ""}}},
		"modules whose names are not in the source": {map[string]string{
			"app.js":      head + "const app = express(); for (const name of fs.readdirSync('routes')) { app.use('/' + name, require('./routes/' + name)); }\napp.all('/admin/*', (req, res) => { /* the guard */ });\n",
			"routes/a.js": head + "const r = Router(); r.post('/login', (req, res) => { /* of a */ }); module.exports = r;\n",
			"routes/b.js": head + "const r = Router(); r.post('/me', (req, res) => { /* of b */ }); module.exports = r;\n",
		}, []asked{{"POST", "/a/login", "/* of a */", "", ""}, {"POST", "/admin/login", "", "", ""}}},
		"lists": {map[string]string{
			"app.js": head + `const app = express(), one = Router(), two = Router(), auth = (req, res, next) => next();
app.use(['/v1', '/v2'], [auth, one]); app.use([auth, express.json()], two);
one.post('/login', [auth, login]); two.post(['/in', '/signin'], auth, login2, failed);
app.route('/users').get(auth, list).post(create);
app.use('/old', (req, res) => { /* gone */ });
function login(req, res) {} function login2(req, res) {} function list(req, res) {} function create(req, res) {}
function failed(err, req, res, next) {}
`,
		}, []asked{
			{"POST", "/v2/login", "function login(", "", ""}, {"POST", "/signin", "function login2(", "", ""}, {"POST", "/login", "", "", ""},
			{"GET", "/users", "function list(", "", ""}, {"POST", "/users", "function create(", "", ""}, {"PUT", "/users", "", "", ""},
			{"POST", "/old/login", "/* gone */", "", ""},
		}},
		"two applications": {map[string]string{
			"a/app.js": head + "const app = express(); app.get('/', (req, res) => 1); app.get('/users/:id', (req, res) => { /* of a */ });\n",
			"b/app.js": head + "const app = express(); app.get('/users/me', (req, res) => { /* of b */ });\n",
		}, []asked{{"GET", "/users/me", "", "", ""}, {"GET", "/users/7", "/* of a */", "", ""}}},
		"an application that two files add to": {map[string]string{
			"app.js":   head + "exports.app = express();\n",
			"a.js":     "const { app } = require('./app'); app.get('/users/me', (req, res) => { /* of a */ });\n",
			"b.js":     "const { app } = require('./app'); app.get('/users/:id', (req, res) => { /* of b */ });\n",
			"index.js": "require('./b'); require('./a');\n",
		}, []asked{{"GET", "/users/me", "", "", ""}, {"GET", "/users/7", "/* of b */", "", ""}}},
		"what is compiled beside its source": {map[string]string{
			"src/app.ts":    "import express from 'express';\nimport { routes } from '@/routes';\nconst app = express();\napp.use('/api', routes);\n",
			"src/routes.ts": "import { Router } from 'express';\nexport const routes = Router();\nroutes.post('/login', login);\nfunction login(req: Request, res: Response) {}\n",
			"lib/app.js":    "\"use strict\"; Object.defineProperty(exports, '__esModule', { value: true });\nconst express_1 = require('express'); const routes_1 = require('./routes');\nconst app = express_1.default(); app.use('/api', routes_1.routes);\n",
			"lib/routes.js": "\"use strict\"; Object.defineProperty(exports, '__esModule', { value: true });\nconst express_1 = require('express'); exports.routes = express_1.Router();\nexports.routes.post('/login', login);\nfunction  login(req, res) {}\n//# sourceMappingURL=routes.js.map\n",
			"dist/app.js":   head + "const app = express(); app.post('/api/login', (req, res) => {});\n",
		}, []asked{{"POST", "/api/login", "function login(", "", ""}, {"POST", "/login", "", "", ""}}},
		"names of parameters and loops": {map[string]string{
			"app.js": head + `const app = express();
function handler(req, res) {} function login(req, res) {}
function register({ login, ...more }) { app.post('/login', login); }
for (const [path, handler] of Object.entries(table)) { app.get('/fixed', handler); app.get(path, handler); }
table.forEach((handler) => app.get('/each', handler));
try { x() } catch (handler) { app.get('/caught', handler); }
const [first, second] = pair(); app.get('/pair', second); function second(req, res) {}
`,
		}, []asked{{"POST", "/login", "", "", ""}, {"GET", "/fixed", "", "", ""}, {"GET", "/each", "", "", ""}, {"GET", "/caught", "", "", ""}}},
		"wrappers and what they are given": {map[string]string{
			"app.js": head + `const app = express();
module.exports = (outer) => { app.post('/given', wrap(outer.login)); app.post('/own', wrap(login)); };
app.post('/made', makeLogin(hash, store)); app.post('/plain', makePlain(store));
function wrap(f) { return (req, res, next) => f(req, res).catch(next); }
function makeLogin(hash, store) { return (req, res) => { hash(req.body); }; }
function makePlain(store) { return (req, res) => { store.find(); }; }
function hash(text) {} function login(req, res) {}
`,
		}, []asked{{"POST", "/given", "", "", ""}, {"POST", "/own", "function login(", "", ""}, {"POST", "/made", "", "", ""}, {"POST", "/plain", "function makePlain(", "", ""}}},
		"what is added under a condition": {map[string]string{
			"app.js": head + `const app = express();
if (process.env.DEBUG) { app.get('/users/me', me); require('./debug')(app); }
app.get('/users/:id', user);
process.env.DEBUG && app.get('/posts/mine', mine); app.get('/posts/:id', post);
function me(req, res) {}
function user(req, res) {}
function mine(req, res) {}
function post(req, res) {}
`,
			"debug.js": "module.exports = (app) => { app.get('/users/you', (req, res) => {}); };\n",
		}, []asked{{"GET", "/users/me", "", "", ""}, {"GET", "/users/you", "", "", ""}, {"GET", "/users/7", "function user(", "", ""}, {"GET", "/posts/mine", "", "", ""}}},
		"classes that have no names": {map[string]string{
			"app.js": head + `const app = express();
const A = class { constructor() { this.router = Router(); this.router.post('/login', this.login); } login(req, res) { /* of A */ } };
const B = class { constructor() { this.router = Router(); this.router.post('/login', this.login); } login(req, res) { /* of B */ } };
app.use('/a', new A().router); app.use('/b', new B().router);
`,
		}, []asked{{"POST", "/b/login", "/* of B */", "", ""}, {"POST", "/a/login", "/* of A */", "", ""}}},
		"a function that makes several routers": {map[string]string{
			"app.js": head + `const app = express();
function make() { return Router(); }
const a = make(), b = make(); app.use('/a', a); app.use('/b', b);
a.get('/users/me', (req, res) => { /* of a */ });
b.get('/users/:id', (req, res) => { /* of b */ });
`,
		}, []asked{{"GET", "/b/users/me", "", "", ""}, {"GET", "/b/users/7", "/* of b */", "", ""}}},
	})
}
