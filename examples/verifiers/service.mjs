/** auth-service as it is deployed: built, in prod mode, on a PostgreSQL of its own. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startEmbeddedPostgres } from '../../scripts/embedded-postgres/startEmbeddedPostgres.mjs';
import { generateKeys } from '../../scripts/generateKeys.mjs';

export const ROOT = path.resolve(import.meta.dirname, '../..');

export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Waits until `condition` holds, and resolves to its value; one that throws does not hold yet. */
export async function until(condition, what, limit = 30_000) {
  const deadline = Date.now() + limit;
  let last = '';
  for (;;) {
    try {
      const value = await condition();
      if (value) return value;
    } catch (error) {
      last = `: ${error.message}`;
    }
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}${last}`);
    await sleep(20);
  }
}

/** Starts a script with this environment and nothing else but PATH. */
export function startProcess(script, environment) {
  const child = spawn(process.execPath, [script], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const ended = once(child, 'exit');
  return {
    ended,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
    signal: (name) => child.kill(name),
  };
}

/** Starts PostgreSQL, makes keys, migrates, and starts the service. */
export async function startAuthService() {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'auth-service-examples-'));
  // Where root starts PostgreSQL, it runs as another user, who has to get in.
  fs.chmodSync(scratch, 0o755);
  const postgres = await startEmbeddedPostgres({ dataDir: path.join(scratch, 'pg'), fsync: false });
  const certs = path.join(scratch, 'certs');
  await generateKeys({ dir: certs });

  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const issuer = `http://${address}`;
  const environment = {
    NODE_ENV: 'prod',
    PORT: String(port),
    DB_HOST: postgres.host,
    DB_PORT: String(postgres.port),
    DB_USERNAME: postgres.username,
    DB_PASSWORD: postgres.password,
    DB_NAME: 'postgres',
    CERTS_DIR: certs,
    REFRESH_JWT_SECRET: randomBytes(48).toString('base64url'),
    CLIENT_UI_DOMAIN: 'https://app.example.com',
    JWT_ISSUER: issuer,
    JWT_AUDIENCE: 'auth-service',
  };
  const migration = startProcess('dist/commands/migrate.js', environment);
  const [code] = await migration.ended;
  if (code !== 0) throw new Error('the migrations failed');

  const service = {
    issuer,
    address,
    audience: environment.JWT_AUDIENCE,
    jwksUri: `${issuer}/.well-known/jwks.json`,
    certs,
    postgres,
    process: undefined,
    start: async () => {
      service.process = startProcess('dist/server.js', environment);
      await until(async () => (await fetch(`${issuer}/health/ready`)).ok, 'auth-service is ready');
    },
    stop: async () => {
      await service.process.stop();
      await postgres.stop();
      fs.rmSync(scratch, { recursive: true, force: true });
    },
  };
  await service.start();
  return service;
}

/** Both tokens of an answer's cookies. */
export function tokensOf(response) {
  const cookies = response.headers.getSetCookie().map((cookie) => cookie.split(';')[0].split('='));
  const { access_token: access, refresh_token: refresh } = Object.fromEntries(cookies);
  return { access, refresh };
}

/** Registers somebody, or logs him in. */
export async function enter({ issuer }, route, email) {
  const response = await fetch(`${issuer}/auth/${route}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      firstName: 'Ada',
      lastName: 'Lovelace',
      email,
      password: 'correct horse battery',
    }),
  });
  if (!response.ok) throw new Error(`${route}: ${response.status} ${await response.text()}`);
  const { userId } = await response.json();
  return { userId, ...tokensOf(response) };
}
