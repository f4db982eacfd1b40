// Hono with its csrf middleware in front of a JSON login.
const crypto = require('node:crypto');
const { Hono } = require('hono');
const { csrf } = require('hono/csrf');
const { getCookie, setCookie, deleteCookie } = require('hono/cookie');
const { serve } = require('@hono/node-server');
const { authenticate } = require('../shared/guard');

const sessions = new Map();
const attributes = { path: '/', secure: true, httpOnly: true, sameSite: 'Lax' };
const app = new Hono();

app.use(async (c, next) => {
  await next();
  c.header('Cache-Control', 'no-store');
});
app.use(csrf());

// getCookie throws at a broken percent escape in this version.
function sessionID(c) {
  try {
    return getCookie(c, '__Host-session');
  } catch {
    return undefined;
  }
}

app.get('/', (c) => c.json({ ok: true }));

app.post('/login', async (c) => {
  const body = await c.req.json().catch(() => ({}));
  const user = authenticate(body.username, body.password);
  if (!user) return c.json({ error: 'wrong username or password' }, 401);
  sessions.delete(sessionID(c));
  const id = crypto.randomBytes(32).toString('base64url');
  sessions.set(id, user);
  setCookie(c, '__Host-session', id, attributes);
  return c.json({ ok: true });
});

app.get('/me', (c) => {
  const user = sessions.get(sessionID(c));
  return user ? c.json({ username: user }) : c.json({ error: 'sign in first' }, 401);
});

app.post('/logout', (c) => {
  sessions.delete(sessionID(c));
  deleteCookie(c, '__Host-session', attributes);
  return c.json({ ok: true });
});

serve({ fetch: app.fetch, port: Number(process.env.PORT), hostname: '127.0.0.1' });
