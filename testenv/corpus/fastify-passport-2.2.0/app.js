// @fastify/passport with @fastify/session, and @fastify/csrf-protection for what changes state.
const crypto = require('node:crypto');
const fastify = require('fastify')({ trustProxy: true });
const { Authenticator } = require('@fastify/passport');
const { Strategy: LocalStrategy } = require('passport-local');
const { authenticate, crossSite } = require('../shared/guard');

const passport = new Authenticator();
passport.use('local', new LocalStrategy((username, password, done) => {
  const user = authenticate(username, password);
  return user ? done(null, { id: user }) : done(null, false);
}));
passport.registerUserSerializer(async (user) => user.id);
passport.registerUserDeserializer(async (id) => ({ id }));

fastify.addHook('onRequest', async (request, reply) => {
  reply.header('Cache-Control', 'no-store');
  if (crossSite(request.method, request.headers)) return reply.code(403).send('cross-site request');
});
fastify.register(require('@fastify/cookie'));
fastify.register(require('@fastify/session'), {
  cookieName: '__Host-session',
  secret: crypto.randomBytes(32).toString('hex'),
  saveUninitialized: false,
  cookie: { secure: true, httpOnly: true, sameSite: 'lax', path: '/' },
});
fastify.register(require('@fastify/csrf-protection'), { sessionPlugin: '@fastify/session' });
fastify.register(passport.initialize());
fastify.register(passport.secureSession());

fastify.after(() => {
  fastify.get('/', async (request) => {
    request.session.set('visited', true);
    return { ok: true };
  });
  fastify.post('/login', { preValidation: passport.authenticate('local') }, async () => ({ ok: true }));
  fastify.get('/me', async (request, reply) => {
    if (!request.isAuthenticated()) return reply.code(401).send({ error: 'sign in first' });
    return { username: request.user.id };
  });
  fastify.get('/csrf', async (request, reply) => ({ token: reply.generateCsrf() }));
  fastify.post('/transfer', { onRequest: fastify.csrfProtection }, async (request, reply) => {
    if (!request.isAuthenticated()) return reply.code(401).send({ error: 'sign in first' });
    return { ok: true };
  });
  fastify.post('/logout', async (request) => {
    await request.session.destroy();
    return { ok: true };
  });
});

fastify.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
