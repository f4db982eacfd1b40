package locate_test

import (
	"strings"
	"testing"
)

func TestExpress(t *testing.T) {
	t.Parallel()
	sources := map[string]string{
		"src/server.js": `const express = require('express');
const { connect } = require('./db');
const app = express();
app.use(express.json());
app.use('/api/v1', require('./routes'));
require('./routes/admin')(app);
app.get('/health', (req, res) => res.send('the literal'));
app.get('/setting');
app.listen(3000);
`,
		"src/routes/index.js": `const { Router } = require('express');
const auth = require('../controllers/auth');
const { limited, asyncHandler } = require('../middleware');
const router = Router();
const users = Router();
router.route('/login').all(limited(3)).get(auth.form).post(limited(5), auth.login);
router.post('/logout', asyncHandler(async (req, res) => { res.clearCookie('sid'); /* logs out */ }));
router.use('/users', limited, users);
users.get('/me', auth.me).get('/:id', [limited, asyncHandler(auth.user)]);
module.exports = router;
`,
		"src/routes/admin.js": `module.exports = (app) => {
  app.post('/admin/login', adminLogin);
  function adminLogin(req, res) {
    res.setHeader('Set-Cookie', ` + "`admin=${req.id}; Path=/`" + `);
  }
};
`,
		"src/controllers/auth.js": `const { COOKIES, keep } = require('./cookies');
exports.form = (req, res) => {};
exports.login = async (req, res) => {
  keep(res, COOKIES.session, 'x');
  keep(res, 'flash', 'y');
};
exports.me = function me(req, res) {};
const user = (req, res) => { res.cookie('seen', 1); };
Object.assign(exports, {}); exports.user = user;
`,
		"src/controllers/cookies.js": `const COOKIES = { session: 'sid' };
function keep(res, name, value) {
  res.cookie(name, value, { httpOnly: true });
}
module.exports = { COOKIES, keep };
`,
		"src/middleware.js":       "exports.limited = (n) => (req, res, next) => next();\nexports.asyncHandler = (f) => (req, res, next) => f(req, res).catch(next);\n",
		"src/routes/a.test.js":    "const app = require('express')(); app.post('/api/v1/login', (req, res) => {}); app.post('/tested', (req, res) => {});",
		"tests/other.spec.ts":     "const app = require('express')(); app.post('/tested', (req, res) => {});",
		"public/client.js":        "axios.post('/api/v1/login', { name: 1 });\n",
		"src/db.js":               "exports.connect = (client) => { client.get('/health', (key) => key); };\n",
		"node_modules/x/inner.js": "const app = require('express')(); app.post('/tested', (req, res) => {});",
	}
	all := []asked{
		{"POST", "/api/v1/login", "exports.login =", "sid", "res.cookie(name"},
		{"GET", "/api/v1/login", "", "", ""}, // what stands before it takes all methods
		{"POST", "/login", "", "", ""},
		{"POST", "/api/v1/logout", "/* logs out */", "sid", ""},
		{"GET", "/api/v1/users/7", "const user =", "seen", "res.cookie('seen'"},
		{"GET", "/api/v1/users/me", "exports.me =", "", ""},
		{"POST", "/admin/login", "function adminLogin", "admin", "res.setHeader("},
		{"GET", "/health", "the literal", "", ""},
		{"POST", "/tested", "", "", ""},
	}
	all[0].handler, sources["src/routes/index.js"] = "exports.login =", strings.Replace(sources["src/routes/index.js"], ".all(limited(3))", "", 1)
	all[1].handler = "exports.form ="
	check(t, sources, all)
	for name, text := range sources {
		sources[name] = strings.ReplaceAll(text, "\n", "\r\n")
	}
	check(t, sources, all)
}

func TestExpressInTypeScript(t *testing.T) {
	t.Parallel()
	check(t, map[string]string{
		"src/app.ts": `import express, { Express } from 'express';
import { AuthRoutes } from './auth/routes.js';
import * as users from './users';
export function createApp(): Express {
  const app: Express = express();
  app.use('/auth', new AuthRoutes().router);
  app.use(` + "`${PREFIX}/users`" + `, users.default);
  return app;
}
const PREFIX = '/api';
`,
		"src/auth/routes.ts": `import { Router } from 'express';
import { AuthController } from './controller';
export class AuthRoutes {
  public readonly router: Router = Router();
  private readonly controller = new AuthController();
  constructor() {
    this.router.post('/login', this.controller.login.bind(this.controller));
    this.router.post('/logout', this.logout as never);
  }
  private logout = async (req: Request, res: Response): Promise<void> => { this.clear(res); };
  private clear(res: Response) { res.append('Set-Cookie', cookie.serialize('sid', '')); }
}
`,
		"src/auth/controller.ts": `export const NAME = 'sid' as const;
export class AuthController {
  async login(req: Request, res: Response) { res.cookie(NAME, 'x'); }
}
`,
		"src/users.ts": `import { Router } from 'express';
const router = Router();
export default router;
router.get<Params>(['/', '/all'], list);
export async function list(req: Request, res: Response) {}
`,
	}, []asked{
		{"POST", "/auth/login", "async login(", "sid", "async login("},
		{"POST", "/auth/logout", "private logout", "sid", "private clear"},
		{"GET", "/api/users/all", "function list", "", ""},
		{"GET", "/api/users", "function list", "", ""},
	})
}

func TestExpressTellsWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	head := "const app = require('express')();\n"
	severally(t, map[string]string{"a.js": head + "app.post('/login', (req, res, next) => next());\napp.post('/login', (req, res) => {});\n"}, "POST", "/login")
	severally(t, map[string]string{
		"a.js": head + "app.post('/login', (req, res) => {});\n", "b.js": head + "\napp.all('/:page', (req, res) => {});\n",
	}, "POST", "/login")
	check(t, map[string]string{
		"a.js":     head + "app.post('/login', (req, res) => { /* first */ });\napp.all('/:page', (req, res) => {});\napp.get('/x' (req, res) => {});\n",
		"deep.js":  head + "app.post('/deep', " + strings.Repeat("(", 3000) + "x" + strings.Repeat(")", 3000) + ");",
		"odd.js":   head + "// \xff\xfe\napp.post('/odd/odd', (req, res) => { /* odd */ });\n",
		"large.js": head + "app.post('/large/large', (req, res) => {});\n//" + strings.Repeat(" ", 1<<20),
		"self.js":  head + "let a = a; const { b } = b; a.post('/a', b); app.use(app); app.post('/self/self', self(self)); function self(x) { return self(x); }\n",
		"name.js":  head + "app.post('/name/' + NAME + '/x', (req, res) => { /* name */ res.cookie(NAME, 1); });\n",
	}, []asked{
		{"POST", "/login", "/* first */", "", ""},
		{"POST", "/odd/odd", "/* odd */", "", ""},
		{"POST", "/large/large", "", "", ""},
		{"POST", "/self/self", "function self", "", ""},
		{"POST", "/name/a/x", "/* name */", "a", ""},
	})
}
