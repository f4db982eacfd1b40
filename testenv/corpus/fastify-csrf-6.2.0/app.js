// @fastify/csrf-protection with a secret in a cookie. With CSRF_HMAC_KEY it is set up as its advisory asks: tokens belong to
// a user and are signed.
const crypto = require('node:crypto');
const fastify = require('fastify')();
const { authenticate, crossSite } = require('../shared/guard');

const sessions = new Map();
const attributes = { path: '/', secure: true, httpOnly: true, sameSite: 'lax' };
const hmacKey = process.env.CSRF_HMAC_KEY;
const userOf = (request) => sessions.get(request.cookies['__Host-session']);
const userInfo = (request) => userOf(request) ?? 'nobody';

fastify.addHook('onRequest', async (request, reply) => {
  reply.header('Cache-Control', 'no-store');
  if (crossSite(request.method, request.headers)) return reply.code(403).send('cross-site request');
});
fastify.register(require('@fastify/cookie'));
fastify.register(require('@fastify/csrf-protection'), {
  cookieKey: '__Host-csrf',
  cookieOpts: attributes,
  ...(hmacKey && { csrfOpts: { hmacKey, userInfo: true }, getUserInfo: userInfo }),
});

fastify.after(() => {
  fastify.get('/', async () => ({ ok: true }));
  fastify.get('/csrf', async (request, reply) => {
    const token = reply.generateCsrf(hmacKey && { ...attributes, userInfo: userInfo(request) });
    return { token };
  });
  fastify.post('/login', async (request, reply) => {
    const user = authenticate(request.body.username, request.body.password);
    if (!user) return reply.code(401).send({ error: 'wrong username or password' });
    sessions.delete(request.cookies['__Host-session']);
    const id = crypto.randomBytes(32).toString('base64url');
    sessions.set(id, user);
    reply.setCookie('__Host-session', id, attributes);
    return { ok: true };
  });
  fastify.get('/me', async (request, reply) => {
    const user = userOf(request);
    return user ? { username: user } : reply.code(401).send({ error: 'sign in first' });
  });
  fastify.post('/transfer', { onRequest: fastify.csrfProtection }, async (request, reply) => {
    return userOf(request) ? { ok: true } : reply.code(401).send({ error: 'sign in first' });
  });
  fastify.post('/logout', async (request, reply) => {
    sessions.delete(request.cookies['__Host-session']);
    reply.clearCookie('__Host-session', attributes);
    return { ok: true };
  });
});

fastify.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
