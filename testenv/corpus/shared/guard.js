// Accounts, and what every app in front of a browser needs beside sessions: no answer is cached, and no other site may
// post a form.
const crypto = require('node:crypto');

const accounts = { alice: 'alice-correct-horse', bob: 'bob-battery-staple' };

function authenticate(username, password) {
  const known = Object.hasOwn(accounts, username) ? accounts[username] : '';
  const digest = (text) => crypto.createHash('sha256').update(String(text)).digest();
  return known && crypto.timingSafeEqual(digest(known), digest(password)) ? username : null;
}

function crossSite(method, headers) {
  const { 'sec-fetch-site': site = 'none', origin, host } = headers;
  const own = origin === undefined || origin.split('://')[1] === host;
  return !['GET', 'HEAD', 'OPTIONS'].includes(method) && (!['none', 'same-origin'].includes(site) || !own);
}

function guard(request, response, next) {
  response.setHeader('Cache-Control', 'no-store');
  if (crossSite(request.method, request.headers)) return response.status(403).send('cross-site request');
  next();
}

module.exports = { accounts, authenticate, crossSite, guard };
