// express-openid-connect with a store of its own. The provider lives in the same process and asks for name and password.
const crypto = require('node:crypto');
const express = require('express');
const { MemoryStore } = require('express-session');
const { auth } = require('express-openid-connect');
const { authenticate } = require('../shared/guard');

const issuer = `http://127.0.0.1:${process.env.PORT}`;
const { publicKey, privateKey } = crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });

const app = express();
app.set('trust proxy', 1);
app.disable('x-powered-by');
app.use((req, res, next) => {
  res.setHeader('Cache-Control', 'no-store');
  next();
});

app.get('/.well-known/openid-configuration', (req, res) => res.json({
  issuer,
  authorization_endpoint: `${issuer}/provider/authorize`,
  jwks_uri: `${issuer}/provider/keys`,
  response_types_supported: ['id_token'],
  response_modes_supported: ['form_post'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['RS256'],
}));
app.get('/provider/keys', (req, res) => res.json({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: '1', use: 'sig', alg: 'RS256' }] }));
app.post('/provider/id-token', express.json(), (req, res) => {
  const sub = authenticate(req.body.username, req.body.password);
  if (!sub) return res.status(401).json({ error: 'wrong username or password' });
  const now = Math.floor(Date.now() / 1000);
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: issuer, aud: 'app', sub, nonce: req.body.nonce, iat: now, exp: now + 3600 };
  const signed = `${part({ alg: 'RS256', typ: 'JWT', kid: '1' })}.${part(claims)}`;
  res.json({ id_token: `${signed}.${crypto.sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}` });
});

app.use(auth({
  issuerBaseURL: issuer,
  baseURL: 'https://app.test',
  clientID: 'app',
  secret: crypto.randomBytes(32).toString('hex'),
  authRequired: false,
  session: { name: 'session', store: new MemoryStore(), cookie: { sameSite: 'Lax' } },
}));

app.get('/', (req, res) => {
  req.session.visited = true;
  res.json({ ok: true });
});

app.get('/me', (req, res) => {
  if (!req.oidc.isAuthenticated()) return res.status(401).json({ error: 'sign in first' });
  res.json({ username: req.oidc.user.sub });
});

app.use((err, req, res, next) => res.status(err.status ?? 400).json({ error: 'this login was not begun here' }));

app.listen(process.env.PORT, '127.0.0.1');
