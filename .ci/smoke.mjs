/**
 * The built service as an operator runs it: a real PostgreSQL, keys, migrations by the built
 * service, `npm start` in prod mode, and requests over HTTP. Ends with "N passed, N failed".
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { certsDir } from '../tests/harness/certsDir.js';
import { cookieHeader } from '../tests/harness/cookieHeader.js';
import { createDatabase } from '../tests/harness/createDatabase.js';
import { familyOf } from '../tests/harness/familyOf.js';
import { freePort } from '../tests/harness/freePort.js';
import { migrate } from '../tests/harness/migrate.js';
import { Program } from '../tests/harness/Program.js';
import { serviceEnvironment } from '../tests/harness/serviceEnvironment.js';
import { startPostgres } from '../tests/harness/startPostgres.js';
import { tokensOf } from '../tests/harness/tokensOf.js';

const ORIGIN = 'https://app.example.com';
const ISSUER = 'https://auth.example.com';
const PASSWORD = `smoke ${randomBytes(9).toString('base64url')}`;

let passed = 0;
let failed = 0;

/** @param {string} line */
const print = (line) => process.stdout.write(`${line}\n`);

/**
 * Runs and counts one check. Returns its result for later checks, or undefined if it failed.
 *
 * @template T
 * @param {string} name
 * @param {() => T | Promise<T>} body
 * @returns {Promise<T | undefined>}
 */
async function check(name, body) {
  try {
    const result = await body();
    passed += 1;
    print(`ok      ${name}`);
    return result;
  } catch (error) {
    failed += 1;
    print(`FAILED  ${name}: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

/**
 * The body of a response, which must have this status.
 *
 * @param {number} status
 * @param {Response} response
 */
async function bodyOf(status, response) {
  const text = await response.text();
  assert.equal(response.status, status, `${response.status} ${text}`);
  return text === '' ? {} : JSON.parse(text);
}

/** @param {import('../tests/harness/query.js').Database} database */
async function smoke(database) {
  const port = await freePort();
  const env = serviceEnvironment(database, {
    // `npm start` means prod by itself.
    NODE_ENV: undefined,
    PORT: String(port),
    CERTS_DIR: certsDir(),
    REFRESH_JWT_SECRET: randomBytes(48).toString('base64url'),
    CLIENT_UI_DOMAIN: ORIGIN,
    JWT_ISSUER: ISSUER,
  });

  await check('the built service migrates, and a second time finds nothing to do', () => {
    migrate(env);
    assert.match(migrate(env), /^0 migrations run/);
  });

  const npm = new Program('npm', ['start'], { env, group: true });
  const base = `http://127.0.0.1:${port}`;

  /**
   * @param {'GET' | 'POST'} method
   * @param {string} route
   * @param {{ tokens?: Parameters<typeof cookieHeader>[0], body?: object, origin?: string }} [options]
   */
  const call = (method, route, { tokens = {}, body, origin } = {}) =>
    fetch(base + route, {
      method,
      headers: {
        Cookie: cookieHeader(tokens),
        ...(body && { 'Content-Type': 'application/json' }),
        ...(origin !== undefined && { Origin: origin }),
      },
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(5_000),
    });

  const up = await check('npm start: live and ready', async () => {
    await npm.responds(`${base}/health/live`, 200);
    await bodyOf(200, await call('GET', '/health/ready'));
    return true;
  });
  if (!up) return;

  await check('GET /.well-known/jwks.json: one public RSA key', async () => {
    const response = await call('GET', '/.well-known/jwks.json');
    const { keys } = await bodyOf(200, response);
    assert.equal(response.headers.get('cache-control'), 'public, max-age=300');
    assert.equal(keys.length, 1);
    assert.deepEqual(Object.keys(keys[0]).sort(), ['alg', 'e', 'kid', 'kty', 'n', 'use']);
  });

  const first = await check('POST /auth/register: 201 and two cookies', async () => {
    const name = { firstName: 'Ada', lastName: 'Lovelace' };
    const body = { ...name, email: 'ada@example.com', password: PASSWORD };
    const response = await call('POST', '/auth/register', { body });
    const { userId } = await bodyOf(201, response);
    assert.ok(Number.isInteger(userId));
    const lines = response.headers.getSetCookie();
    assert.deepEqual(lines.map((line) => line.split('=')[0]).sort(), [
      'access_token',
      'refresh_token',
    ]);
    for (const line of lines)
      for (const flag of ['HttpOnly', 'Secure', 'SameSite=Strict'])
        assert.ok(line.includes(flag), `a cookie lacks ${flag}`);
    return { userId, tokens: tokensOf(lines) };
  });
  if (!first) return;

  await check('GET /auth/self: exactly the public fields', async () => {
    const { user } = await bodyOf(200, await call('GET', '/auth/self', first));
    assert.deepEqual(Object.keys(user).sort(), [
      ...['createdAt', 'email', 'firstName', 'id', 'lastName', 'role', 'updatedAt'],
    ]);
    assert.equal(user.id, first.userId);
  });

  await check('another service verifies the access token by the key set', async () => {
    const keySet = createRemoteJWKSet(new URL('/.well-known/jwks.json', base));
    const { payload } = await jwtVerify(first.tokens.access ?? '', keySet, {
      issuer: ISSUER,
      audience: 'auth-service',
      typ: 'at+jwt',
      algorithms: ['RS256'],
    });
    assert.equal(payload.sub, String(first.userId));
  });

  const second = await check('POST /auth/refresh: a new refresh token', async () => {
    const response = await call('POST', '/auth/refresh', first);
    await bodyOf(200, response);
    const tokens = tokensOf(response.headers.getSetCookie());
    assert.ok(tokens.refresh);
    assert.notEqual(tokens.refresh, first.tokens.refresh);
    return { tokens };
  });
  if (!second) return;

  await check('POST /auth/refresh again with the old token: the same response', async () => {
    const response = await call('POST', '/auth/refresh', first);
    await bodyOf(200, response);
    const { refresh } = tokensOf(response.headers.getSetCookie());
    assert.equal(refresh, second.tokens.refresh, 'another refresh token');
  });

  await check('POST /auth/logout from a foreign origin: 403', async () => {
    const response = await call('POST', '/auth/logout', {
      ...second,
      origin: 'https://evil.example',
    });
    const { type } = await bodyOf(403, response);
    assert.equal(type, 'urn:auth-service:problem:foreign-origin');
  });

  await check('POST /auth/logout: 200, and both cookies are cleared', async () => {
    const response = await call('POST', '/auth/logout', { ...second, origin: ORIGIN });
    await bodyOf(200, response);
    const tokens = tokensOf(response.headers.getSetCookie());
    assert.deepEqual(tokens, { access: '', refresh: '' });
  });

  await check('after the logout both tokens are refused: 401', async () => {
    for (const response of [
      await call('GET', '/auth/self', second),
      await call('POST', '/auth/refresh', second),
    ]) {
      assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/);
      await bodyOf(401, response);
    }
  });

  await check('SIGTERM: exit code 0', async () => {
    // To the service itself: the shell that npm starts does not pass signals on.
    process.kill(familyOf(npm.pid).at(-1) ?? 0, 'SIGTERM');
    await npm.until(() => !npm.isUp, 'the end', 10_000);
    assert.equal(await npm.exited, 0);
    await assert.rejects(call('GET', '/health/live'), 'something still listens');
  });

  await check('the log has no password and no token', () => {
    const tokens = [first, second].flatMap((session) => Object.values(session.tokens));
    const secrets = [PASSWORD, env.REFRESH_JWT_SECRET, env.DB_PASSWORD, ...tokens];
    assert.ok(npm.output.includes('sys_startup'), 'there is no log');
    for (const secret of secrets)
      assert.ok(secret && !npm.output.includes(secret), 'a secret is in the log');
  });
}

const postgres = await startPostgres({ fsync: false });
try {
  await smoke(await createDatabase(postgres));
} catch (error) {
  failed += 1;
  print(`FAILED  ${error instanceof Error ? error.message : error}`);
} finally {
  await postgres.stop();
}
print(`\n${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
