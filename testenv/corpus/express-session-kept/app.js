// express-session on its memory store; login only writes into the session.
const crypto = require('node:crypto');
const express = require('express');
const session = require('express-session');
const { authenticate, guard } = require('../shared/guard');

const app = express();
app.set('trust proxy', 1);
app.disable('x-powered-by');
app.use(guard, express.json());
app.use(session({
  name: '__Host-sid',
  secret: crypto.randomBytes(32).toString('hex'),
  resave: false,
  saveUninitialized: false,
  cookie: { secure: true, httpOnly: true, sameSite: 'lax' },
}));

app.get('/', (req, res) => {
  req.session.visited = true;
  res.json({ ok: true });
});

app.post('/login', (req, res, next) => {
  const user = authenticate(req.body.username, req.body.password);
  if (!user) return res.status(401).json({ error: 'wrong username or password' });
  req.session.user = user;
  req.session.save((err) => (err ? next(err) : res.json({ ok: true })));
});

app.get('/me', (req, res) => {
  if (!req.session.user) return res.status(401).json({ error: 'sign in first' });
  res.json({ username: req.session.user });
});

app.post('/logout', (req, res, next) => {
  req.session.destroy((err) => (err ? next(err) : res.clearCookie('__Host-sid', { secure: true, path: '/' }).json({ ok: true })));
});

app.listen(process.env.PORT, '127.0.0.1');
