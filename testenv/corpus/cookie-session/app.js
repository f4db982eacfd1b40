// cookie-session: the whole session is in a signed cookie, so logout has nothing to end.
const crypto = require('node:crypto');
const express = require('express');
const cookieSession = require('cookie-session');
const { authenticate, guard } = require('../shared/guard');

const app = express();
app.set('trust proxy', 1);
app.disable('x-powered-by');
app.use(guard, express.json());
app.use(cookieSession({
  name: '__Host-session',
  keys: [crypto.randomBytes(32).toString('hex')],
  maxAge: 60 * 60 * 1000,
  secure: true,
  sameSite: 'lax',
}));

app.get('/', (req, res) => {
  req.session.visited = true;
  res.json({ ok: true });
});

app.post('/login', (req, res) => {
  const user = authenticate(req.body.username, req.body.password);
  if (!user) return res.status(401).json({ error: 'wrong username or password' });
  req.session.user = user;
  res.json({ ok: true });
});

app.get('/me', (req, res) => {
  if (!req.session.user) return res.status(401).json({ error: 'sign in first' });
  res.json({ username: req.session.user });
});

app.post('/logout', (req, res) => {
  req.session = null;
  res.json({ ok: true });
});

app.listen(process.env.PORT, '127.0.0.1');
