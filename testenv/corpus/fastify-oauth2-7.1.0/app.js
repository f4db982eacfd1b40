// @fastify/oauth2 beside a password login. The provider lives in the same process, and its code is the user's name.
const fastify = require('fastify')();
const oauth = require('@fastify/oauth2');
const crypto = require('node:crypto');
const { authenticate, crossSite } = require('../shared/guard');

const own = `http://127.0.0.1:${process.env.PORT}`;
const sessions = new Map();
const attributes = { path: '/', secure: true, httpOnly: true, sameSite: 'lax' };

fastify.addHook('onRequest', async (request, reply) => {
  reply.header('Cache-Control', 'no-store');
  if (crossSite(request.method, request.headers)) return reply.code(403).send('cross-site request');
});
fastify.register(require('@fastify/cookie'));
fastify.register(require('@fastify/formbody'));
fastify.register(oauth, {
  name: 'provider',
  scope: ['profile'],
  credentials: {
    client: { id: 'app', secret: 'app-secret' },
    auth: { authorizeHost: own, authorizePath: '/provider/authorize', tokenHost: own, tokenPath: '/provider/token' },
  },
  startRedirectPath: '/login/provider',
  callbackUri: `${own}/login/provider/callback`,
});

fastify.post('/provider/token', async (request) => ({ access_token: request.body.code, token_type: 'bearer', expires_in: 60 }));

function begin(request, reply, user) {
  sessions.delete(request.cookies['__Host-session']);
  const id = crypto.randomBytes(32).toString('base64url');
  sessions.set(id, user);
  reply.setCookie('__Host-session', id, attributes);
  return { ok: true };
}

fastify.get('/', async () => ({ ok: true }));

fastify.get('/login/provider/callback', async (request, reply) => {
  const { token } = await fastify.provider.getAccessTokenFromAuthorizationCodeFlow(request);
  return begin(request, reply, token.access_token);
});

fastify.post('/login', async (request, reply) => {
  const user = authenticate(request.body.username, request.body.password);
  if (!user) return reply.code(401).send({ error: 'wrong username or password' });
  return begin(request, reply, user);
});

fastify.get('/me', async (request, reply) => {
  const user = sessions.get(request.cookies['__Host-session']);
  if (!user) return reply.code(401).send({ error: 'sign in first' });
  return { username: user };
});

fastify.post('/logout', async (request, reply) => {
  sessions.delete(request.cookies['__Host-session']);
  reply.clearCookie('__Host-session', attributes);
  return { ok: true };
});

fastify.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
