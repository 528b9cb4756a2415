import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { accessToken, requireRole, userOf } from 'auth-service-client/express';
import express from 'express';
import { portOf } from '../../tests/harness/portOf.js';
import { assertEqual, check } from './checks.mjs';
import { decoded } from './decoded.mjs';
import { enter } from './service.mjs';

/**
 * A service with this guard.
 *
 * @param {import('auth-service-client/express').TrustSettings} settings
 */
async function startBehind(settings) {
  const app = express();
  app.get('/forgotten', (_req, res) => {
    res.json(userOf(res));
  });
  app.use(accessToken(settings));
  app.get('/', (_req, res) => {
    res.json(userOf(res));
  });
  app.get('/admin', requireRole('admin', 'manager'), (_req, res) => {
    res.end();
  });
  // An error that the guard passes on; Express would print it.
  app.use(respondToError);
  const server = app.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  /** @param {Record<string, string>} headers */
  return async (headers, path = '/') => {
    const response = await fetch(`http://127.0.0.1:${portOf(server)}${path}`, { headers });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text };
  };
}

/**
 * @param {unknown} error
 * @param {unknown} _req
 * @param {import('express').Response} res
 * @param {unknown} _next
 */
// eslint-disable-next-line no-unused-vars -- Express knows an error handler by its four arguments
function respondToError(error, _req, res, _next) {
  res.status(500).send(String(error));
}

/**
 * A server that responds to everything with this JSON.
 *
 * @param {object} body
 */
async function startConstant(body) {
  const server = createServer((_req, res) => {
    res.setHeader('Content-Type', 'application/json').end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  return `http://127.0.0.1:${portOf(server)}`;
}

/**
 * The guard of auth-service-client/express beyond good and bad tokens, which orders-service is shown.
 *
 * @param {import('./service.mjs').AuthService} service
 * @param {string} access
 * @param {Record<string, string>} bad tokens
 */
export async function checkGuard(service, access, bad) {
  const { issuer } = service;
  const ask = await startBehind({ issuer });
  const { sub, role, sid } = decoded(access).payload;
  const user = JSON.stringify({ id: Number(sub), role, sessionId: sid });
  const forged = bad['of another key under a known kid'] ?? '';

  await check('the guard finds the keys by the issuer and names the user', async () => {
    assertEqual((await ask({ Cookie: `a=b; access_token=${access}` })).text, user, 'by cookie');
    assertEqual((await ask({ Authorization: `bearer ${access}` })).text, user, 'by bearer');
  });
  await check('the guard refuses in the form of auth-service', async () => {
    /** @type {[string, Record<string, string>, string, number, string][]} */
    const refusals = [
      ['missing-token', {}, '/', 401, 'Bearer'],
      [
        'invalid-token',
        { Cookie: `access_token=${forged}` },
        '/',
        401,
        'Bearer error="invalid_token"',
      ],
      [
        'forbidden',
        { Cookie: `access_token=${access}` },
        '/admin',
        403,
        'Bearer error="insufficient_scope"',
      ],
    ];
    for (const [code, headers, path, status, challenge] of refusals) {
      const refusal = await ask(headers, path);
      const body = JSON.parse(refusal.text);
      assertEqual(refusal.status, status, code);
      assertEqual(refusal.headers.get('www-authenticate'), challenge, code);
      assertEqual(
        refusal.headers.get('content-type')?.split(';')[0],
        'application/problem+json',
        code,
      );
      assertEqual(body.type, `urn:auth-service:problem:${code}`, code);
      assertEqual(body.errors[0].code, code, code);
    }
  });
  await check('the guard ignores a second cookie unless it is of another session', async () => {
    const both = (/** @type {string} */ other) => [
      { Cookie: `access_token=${access}; access_token=${other}` },
      { Cookie: `access_token=${other}; access_token=${access}` },
    ];
    for (const headers of both(forged)) assertEqual((await ask(headers)).text, user, 'forged');
    for (const headers of both(access)) assertEqual((await ask(headers)).text, user, 'the same');
    const other = await enter(service, 'register', 'mallory@example.com');
    for (const headers of both(other.access)) {
      const { status, text } = await ask(headers);
      assertEqual(status, 401, 'of another session');
      assertEqual(JSON.parse(text).errors[0].code, 'ambiguous-cookies', 'of another session');
    }
    const many = Array.from({ length: 9 }, (_, i) => `access_token=${access}${i}`).join('; ');
    const refusal = JSON.parse((await ask({ Cookie: many })).text);
    assertEqual(refusal.errors[0].code, 'ambiguous-cookies', 'nine');
  });
  await check('the guard reads the cookie that it is told to, and no other', async () => {
    const prefixed = await startBehind({ issuer, cookie: '__Host-access_token' });
    assertEqual((await prefixed({ Cookie: `__Host-access_token=${access}` })).status, 200, 'own');
    assertEqual((await prefixed({ Cookie: `access_token=${access}` })).status, 401, 'other');
    assertEqual((await ask({ Cookie: `__Host-access_token=${access}` })).status, 401, 'longer');
  });
  await check(
    'the guard takes the keys from another address, but not tokens of another issuer',
    async () => {
      const inside = await startBehind({ issuer, jwksUri: service.jwksUri });
      assertEqual((await inside({ Authorization: `Bearer ${access}` })).status, 200, 'issuer');
      const stranger = await startBehind({
        issuer: 'https://auth.example.org',
        jwksUri: service.jwksUri,
      });
      assertEqual((await stranger({ Authorization: `Bearer ${access}` })).status, 401, 'stranger');
    },
  );
  await check('the guard reports metadata of another issuer as a wrong setting', async () => {
    const impostor = await startConstant({ issuer, jwks_uri: service.jwksUri });
    const { status, text } = await (
      await startBehind({ issuer: impostor })
    )({
      Authorization: `Bearer ${access}`,
    });
    assertEqual(status, 500, 'status');
    if (!text.includes(impostor)) throw new Error(`the error does not name it: ${text}`);
  });
  await check('userOf() fails on a route that forgot the guard', async () => {
    assertEqual((await ask({ Authorization: `Bearer ${access}` }, '/forgotten')).status, 500, '');
  });
  await check('the guard also works for CommonJS', () => {
    const { accessToken } = createRequire(import.meta.url)('auth-service-client/express');
    assertEqual(accessToken({ issuer }).length, 3, 'arguments of a handler');
  });
}
