// passport with passport-local and express-session, as its README shows it. The logout is the session's own.
const crypto = require('node:crypto');
const express = require('express');
const session = require('express-session');
const passport = require('passport');
const { Strategy: LocalStrategy } = require('passport-local');
const { authenticate, guard } = require('../shared/guard');

passport.use(new LocalStrategy((username, password, done) => {
  const user = authenticate(username, password);
  return user ? done(null, { id: user }) : done(null, false);
}));
passport.serializeUser((user, done) => done(null, user.id));
passport.deserializeUser((id, done) => done(null, { id }));

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
app.use(passport.initialize());
app.use(passport.session());

app.get('/', (req, res) => {
  req.session.visited = true;
  res.json({ ok: true });
});

app.post('/login', passport.authenticate('local'), (req, res) => res.json({ ok: true }));

app.get('/me', (req, res) => {
  if (!req.isAuthenticated()) return res.status(401).json({ error: 'sign in first' });
  res.json({ username: req.user.id });
});

app.post('/logout', (req, res, next) => {
  req.session.destroy((err) => (err ? next(err) : res.json({ ok: true })));
});

app.listen(process.env.PORT, '127.0.0.1');
