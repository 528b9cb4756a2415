/**
 * The built service as an operator runs it: a real PostgreSQL, keys, migrations by the built
 * service, `npm start` in prod mode, and requests over HTTP. Ends with "N passed, N failed".
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import pg from 'pg';
import { startEmbeddedPostgres } from '../scripts/embedded-postgres/startEmbeddedPostgres.mjs';

const ROOT = path.resolve(import.meta.dirname, '..');
const ORIGIN = 'https://app.example.com';
const ISSUER = 'https://auth.example.com';
const PASSWORD = `smoke ${randomBytes(9).toString('base64url')}`;
const STARTUP_MS = 15_000;
const SHUTDOWN_MS = 10_000;

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'auth-service-smoke-'));
// Where root starts PostgreSQL it runs as another user, who has to get in.
fs.chmodSync(scratch, 0o755);
/** What ends this run's processes and removes its files; the last one first. */
const cleanups = [() => fs.rmSync(scratch, { recursive: true, force: true })];
let passed = 0;
let failed = 0;

const print = (line) => process.stdout.write(`${line}\n`);

/** One check, counted. A later check may need what an earlier one returned. */
async function check(name, body) {
  try {
    const result = await body();
    passed += 1;
    print(`ok      ${name}`);
    return result;
  } catch (error) {
    failed += 1;
    print(`FAILED  ${name}: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

/** Runs a command to its end, and resolves to what it wrote on both outputs. */
async function run(command, args, env) {
  const child = spawn(command, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (output += part));
  const [code] = await once(child, 'close');
  assert.equal(code, 0, output.trim());
  return output.trim();
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Every process with its parent, as [pid, ppid]. */
function processes() {
  if (process.platform !== 'linux')
    return spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
      .stdout.trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/).map(Number));
  return fs
    .readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = fs.readFileSync(`/proc/${name}/stat`, 'utf8');
        return [[Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])]];
      } catch {
        return []; // it has ended meanwhile
      }
    });
}

/**
 * The service itself below npm and the shell that npm puts in between: the shell does not pass a
 * signal on, but npm ends with the exit code of the service.
 */
function innermost(pid) {
  const child = processes().find(([, parent]) => parent === pid);
  return child ? innermost(child[0]) : pid;
}

/** The cookies that an answer sets: name → value and the header as it stands. */
function cookiesOf(response) {
  return Object.fromEntries(
    response.headers.getSetCookie().map((header) => {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(header);
      return [name, { value, header }];
    }),
  );
}

const cookieHeader = (cookies) =>
  Object.entries(cookies)
    .map(([name, { value }]) => `${name}=${value}`)
    .join('; ');

async function smoke() {
  const dataDir = path.join(scratch, 'postgres');
  const database = await startEmbeddedPostgres({ dataDir, fsync: false });
  cleanups.push(() => database.stop());

  const { host, port: databasePort, username, password } = database;
  const admin = new pg.Client({ host, port: databasePort, user: username, password });
  await admin.connect();
  await admin.query('CREATE DATABASE smoke');
  await admin.end();

  const certs = path.join(scratch, 'certs');
  fs.mkdirSync(certs, { mode: 0o700 });
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  fs.writeFileSync(path.join(certs, 'private.pem'), privateKey, { mode: 0o600 });
  fs.writeFileSync(path.join(certs, 'public.pem'), publicKey);

  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const env = {
    ...process.env,
    PORT: String(port),
    DB_HOST: host,
    DB_PORT: String(databasePort),
    DB_USERNAME: username,
    DB_PASSWORD: password,
    DB_NAME: 'smoke',
    CERTS_DIR: certs,
    REFRESH_JWT_SECRET: randomBytes(48).toString('base64url'),
    CLIENT_UI_DOMAIN: ORIGIN,
    JWT_ISSUER: ISSUER,
  };
  // `npm start` means prod by itself.
  delete env.NODE_ENV;

  await check('the built service migrates, and a second time finds nothing to do', async () => {
    await run(process.execPath, ['dist/commands/migrate.js'], env);
    assert.match(
      await run(process.execPath, ['dist/commands/migrate.js'], env),
      /^0 migrations run/,
    );
  });

  const service = spawn('npm', ['start'], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that all of it can be ended at once.
    detached: true,
  });
  let output = '';
  for (const stream of [service.stdout, service.stderr])
    stream.on('data', (part) => (output += part));
  const exited = once(service, 'exit');
  const isUp = () => service.exitCode === null && service.signalCode === null;
  cleanups.push(async () => {
    try {
      process.kill(-service.pid, 'SIGTERM');
      await Promise.race([exited, sleep(SHUTDOWN_MS, undefined, { ref: false })]);
      process.kill(-service.pid, 'SIGKILL');
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  });

  const call = (method, route, { cookies, body, headers } = {}) =>
    fetch(base + route, {
      method,
      headers: {
        ...(cookies ? { Cookie: cookieHeader(cookies) } : {}),
        ...(body ? { 'Content-Type': 'application/json' } : {}),
        ...headers,
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(5_000),
    });
  const answers = async (status, response) => {
    const text = await response.text();
    assert.equal(response.status, status, `${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };

  const up = await check('npm start: live and ready', async () => {
    for (const end = Date.now() + STARTUP_MS; ;) {
      const live = await call('GET', '/health/live').catch(() => undefined);
      if (live?.ok) break;
      assert.ok(isUp(), `it ended: ${output.trim()}`);
      assert.ok(Date.now() < end, `no answer within ${STARTUP_MS} ms: ${output.trim()}`);
      await sleep(50);
    }
    await answers(200, await call('GET', '/health/ready'));
    return true;
  });
  if (!up) return;

  await check('GET /.well-known/jwks.json: one public RSA key', async () => {
    const response = await call('GET', '/.well-known/jwks.json');
    const { keys } = await answers(200, response);
    assert.equal(response.headers.get('cache-control'), 'public, max-age=300');
    assert.deepEqual(
      keys.map((key) => Object.keys(key).sort()),
      [['alg', 'e', 'kid', 'kty', 'n', 'use']],
    );
  });

  const user = {
    firstName: 'Ada',
    lastName: 'Lovelace',
    email: 'ada@example.com',
    password: PASSWORD,
  };
  const first = await check('POST /auth/register: 201 and two cookies', async () => {
    const response = await call('POST', '/auth/register', { body: user });
    const { userId } = await answers(201, response);
    assert.ok(Number.isInteger(userId));
    const cookies = cookiesOf(response);
    assert.deepEqual(Object.keys(cookies).sort(), ['access_token', 'refresh_token']);
    for (const { header } of Object.values(cookies))
      for (const flag of ['HttpOnly', 'Secure', 'SameSite=Strict'])
        assert.ok(header.includes(flag), `a cookie lacks ${flag}`);
    return { cookies, userId };
  });
  if (!first) return;

  await check('GET /auth/self: exactly the public fields', async () => {
    const body = await answers(200, await call('GET', '/auth/self', { cookies: first.cookies }));
    assert.deepEqual(Object.keys(body.user).sort(), [
      ...['createdAt', 'email', 'firstName', 'id', 'lastName', 'role', 'updatedAt'],
    ]);
    assert.equal(body.user.id, first.userId);
  });

  await check('another service verifies the access token by the key set', async () => {
    const keySet = createRemoteJWKSet(new URL('/.well-known/jwks.json', base));
    const { payload } = await jwtVerify(first.cookies.access_token.value, keySet, {
      issuer: ISSUER,
      audience: 'auth-service',
      typ: 'at+jwt',
      algorithms: ['RS256'],
    });
    assert.equal(payload.sub, String(first.userId));
  });

  const second = await check('POST /auth/refresh: a new refresh token', async () => {
    const response = await call('POST', '/auth/refresh', { cookies: first.cookies });
    await answers(200, response);
    const cookies = cookiesOf(response);
    assert.notEqual(cookies.refresh_token.value, first.cookies.refresh_token.value);
    return { cookies };
  });
  if (!second) return;

  await check('POST /auth/refresh again with the old token: the same answer', async () => {
    const response = await call('POST', '/auth/refresh', { cookies: first.cookies });
    await answers(200, response);
    assert.equal(
      cookiesOf(response).refresh_token.value,
      second.cookies.refresh_token.value,
      'another refresh token',
    );
  });

  await check('POST /auth/logout from a foreign origin: 403', async () => {
    const headers = { Origin: 'https://evil.example' };
    const response = await call('POST', '/auth/logout', { cookies: second.cookies, headers });
    const body = await answers(403, response);
    assert.equal(body.type, 'urn:auth-service:problem:foreign-origin');
  });

  await check('POST /auth/logout: 200, and both cookies are cleared', async () => {
    const headers = { Origin: ORIGIN };
    const response = await call('POST', '/auth/logout', { cookies: second.cookies, headers });
    await answers(200, response);
    const values = Object.values(cookiesOf(response)).map(({ value }) => value);
    assert.deepEqual(values, ['', '']);
  });

  await check('after the logout neither token is worth anything: 401', async () => {
    const { cookies } = second;
    for (const response of [
      await call('GET', '/auth/self', { cookies }),
      await call('POST', '/auth/refresh', { cookies }),
    ]) {
      assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/);
      await answers(401, response);
    }
  });

  await check('SIGTERM: exit code 0', async () => {
    process.kill(innermost(service.pid), 'SIGTERM');
    const end = sleep(SHUTDOWN_MS, ['timeout'], { ref: false });
    const [code, signal] = await Promise.race([exited, end]);
    assert.equal(code, 0, `ended with ${code ?? signal}`);
    await assert.rejects(call('GET', '/health/live'), 'something still listens');
  });

  await check('the log holds no password and no token', () => {
    const secrets = [PASSWORD, env.REFRESH_JWT_SECRET, env.DB_PASSWORD].concat(
      [first, second].flatMap(({ cookies }) => Object.values(cookies).map(({ value }) => value)),
    );
    assert.ok(output.includes('sys_startup'), 'there is no log');
    assert.ok(!secrets.some((secret) => output.includes(secret)), 'a secret is in the log');
  });
}

async function cleanUp() {
  while (cleanups.length > 0) await cleanups.pop()();
}

for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, () => {
    void cleanUp().finally(() => process.exit(1));
  });

try {
  await smoke();
} catch (error) {
  failed += 1;
  print(`FAILED  ${error instanceof Error ? error.message : String(error)}`);
} finally {
  await cleanUp();
}
print(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
