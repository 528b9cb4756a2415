import path from 'node:path';
import fs from 'node:fs';
import { migrate } from '../../tests/harness/migrate.js';
import { freePort } from '../../tests/harness/freePort.js';
import { ROOT } from '../../tests/harness/root.js';
import { serviceEnvironment } from '../../tests/harness/serviceEnvironment.js';
import { startService as startBuiltService } from '../../tests/harness/startService.js';
import { BROWSER_HEADERS, CLIENT_ORIGIN, JSON_HEADERS, PASSWORD, signUpAll } from './accounts.mjs';

const DIST = path.join(ROOT, 'dist');

/** The options that `npm start` passes to node. */
const NODE_OPTIONS =
  JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8')).scripts.start.match(
    /--\S+/g,
  ) ?? [];

/**
 * @typedef {object} Contestant
 * @property {string} title
 * @property {'subject' | 'floor' | 'peer'} kind
 * @property {(bench: Workbench) => Promise<Running>} start
 * @property {Partial<Record<Work, MakeClients>>} works
 * makes the clients of each work it takes part in; `taken`: this many users exist already
 *
 * @typedef {object} Running
 * @property {import('../../tests/harness/Program.js').Program} program
 * @property {string} [origin]
 * @property {boolean} [isWorker] it does the job itself, without a server
 *
 * @typedef {import('./workbench.mjs').Workbench} Workbench
 * @typedef {import('../../tests/harness/query.js').Database} Database
 *
 * @typedef {'self' | 'refresh' | 'login' | 'jwks'} Work
 * @typedef {import('./load.mjs').LoadClient} LoadClient
 */

/**
 * @param {Workbench} bench
 * @param {Database} database
 */
export const environmentOf = (bench, database) =>
  serviceEnvironment(database, {
    CERTS_DIR: bench.certs,
    REFRESH_JWT_SECRET: bench.secret,
    CLIENT_UI_DOMAIN: CLIENT_ORIGIN,
    JWT_ISSUER: 'http://localhost',
    RATE_LIMIT_ENABLED: 'false',
  });

/**
 * A database that is migrated for the built service.
 *
 * @param {Workbench} bench
 * @param {string} [dist]
 */
export async function prepareService(bench, dist = DIST) {
  const database = await bench.createDatabase();
  migrate(environmentOf(bench, database), dist);
  return database;
}

/**
 * Starts the built service in production mode with its default settings, but without limits on
 * attempts, because all requests come from one address.
 *
 * @param {Workbench} bench
 * @param {object} [options]
 * @param {string} [options.dist] another build
 * @param {Database} [options.database] one that is migrated
 * @param {Record<string, string>} [options.settings]
 * @returns {Promise<Running & { origin: string }>}
 */
export async function startService(bench, { dist = DIST, database, settings = {} } = {}) {
  const { program, origin } = await startBuiltService({
    env: {
      ...environmentOf(bench, database ?? (await prepareService(bench, dist))),
      ...settings,
    },
    dist,
    logFile: bench.logFile('service'),
    nodeOptions: NODE_OPTIONS,
  });
  bench.keep(program);
  await program.responds(`${origin}/health/ready`, 200);
  return { program, origin };
}

/**
 * Starts a program of opponents/ on a new database.
 *
 * @param {string} name
 * @returns {Contestant['start']}
 */
const startOpponent = (name) => async (bench) => {
  const {
    host,
    port: databasePort,
    username,
    password,
    name: database,
  } = await bench.createDatabase();
  const port = await freePort();
  const program = bench.startModule(`opponents/${name}.mjs`, {
    NODE_ENV: 'production',
    PORT: String(port),
    DATABASE_URL: `postgres://${username}:${encodeURIComponent(password)}@${host}:${databasePort}/${database}`,
    CERTS_DIR: bench.certs,
    SECRET: bench.secret,
    CLIENT_ORIGIN,
  });
  const origin = `http://127.0.0.1:${port}`;
  await program.responds(origin);
  return { program, origin };
};

/** @typedef {(running: Running, count: number, taken?: number) => Promise<LoadClient[]>} MakeClients */

/**
 * Clients that need no session; `{n}` in the path is the client's number.
 *
 * @param {string} method
 * @param {string} requestPath
 * @returns {MakeClients}
 */
const anonymous = (method, requestPath) => async (_running, count) =>
  Array.from({ length: count }, (_value, i) => ({
    method,
    path: requestPath.replace('{n}', String(i + 1)),
    headers: BROWSER_HEADERS,
    cookies: {},
  }));

/**
 * Clients that have signed up, each with a session.
 *
 * @param {string} signUpPath
 * @param {string} method
 * @param {string} requestPath
 * @returns {MakeClients}
 */
const signedUp = (signUpPath, method, requestPath) => async (running, count, taken) => {
  const accounts = await signUpAll(`${running.origin}${signUpPath}`, count, taken);
  return accounts.map(({ cookies }) => ({
    method,
    path: requestPath,
    headers: BROWSER_HEADERS,
    cookies,
  }));
};

/**
 * A client that signs in repeatedly.
 *
 * @param {string} path
 * @param {string} email
 */
export const signingInAs = (path, email) => ({
  method: 'POST',
  path,
  headers: JSON_HEADERS,
  cookies: {},
  body: JSON.stringify({ email, password: PASSWORD }),
});

/**
 * Clients that have an account and sign in repeatedly.
 *
 * @param {string} signUpPath
 * @param {string} requestPath
 * @returns {MakeClients}
 */
const signingIn = (signUpPath, requestPath) => async (running, count, taken) => {
  const accounts = await signUpAll(`${running.origin}${signUpPath}`, count, taken);
  return accounts.map(({ email }) => signingInAs(requestPath, email));
};

const REGISTER = '/auth/register';

/**
 * @param {string} title
 * @param {string} dist
 * @returns {Contestant & { works: Record<Work, MakeClients> }}
 */
const serviceOf = (title, dist) => ({
  title,
  kind: 'subject',
  start: (bench) => startService(bench, { dist }),
  works: {
    self: signedUp(REGISTER, 'GET', '/auth/self'),
    refresh: signedUp(REGISTER, 'POST', '/auth/refresh'),
    login: signingIn(REGISTER, '/auth/login'),
    jwks: anonymous('GET', '/.well-known/jwks.json'),
  },
});

export const service = serviceOf('auth-service', DIST);

/**
 * Another build of the service, to measure a change.
 * @param {string} dist
 */
export const otherBuild = (dist) => serviceOf('auth-service, other build', path.resolve(dist));

/** The floors, which do only the bare work, then the peers. */
/** @satisfies {Record<string, Contestant>} */
export const opponents = {
  expressSelect: {
    title: 'Express + pg SELECT',
    kind: 'floor',
    start: startOpponent('expressSelect'),
    works: { self: anonymous('GET', '/users/{n}') },
  },
  signAndUpdate: {
    title: 'Express + UPDATE + 2 signatures',
    kind: 'floor',
    start: startOpponent('signAndUpdate'),
    works: { refresh: anonymous('POST', '/sessions/{n}/refresh') },
  },
  rawBcrypt: {
    title: 'bcrypt alone',
    kind: 'floor',
    start: async (bench) => ({
      program: bench.startModule('opponents/rawBcrypt.mjs'),
      isWorker: true,
    }),
    works: { login: anonymous('', '') },
  },
  expressBcrypt: {
    title: 'Express + bcrypt',
    kind: 'floor',
    start: startOpponent('expressBcrypt'),
    works: {
      login: async (_running, count) =>
        Array.from({ length: count }, (_value, i) =>
          signingInAs('/login', `user${i + 1}@example.com`),
        ),
    },
  },
  expressBare: {
    title: 'Express alone',
    kind: 'floor',
    start: startOpponent('expressBare'),
    works: { self: anonymous('GET', '/'), jwks: anonymous('GET', '/') },
  },
  betterAuth: {
    title: 'Better Auth',
    kind: 'peer',
    start: startOpponent('betterAuth'),
    works: {
      self: signedUp('/api/auth/sign-up/email', 'GET', '/api/auth/get-session'),
      login: signingIn('/api/auth/sign-up/email', '/api/auth/sign-in/email'),
    },
  },
  passport: {
    title: 'Passport + express-session',
    kind: 'peer',
    start: startOpponent('passport'),
    works: { self: signedUp('/register', 'GET', '/me'), login: signingIn('/register', '/login') },
  },
  tutorial: {
    title: 'tutorial service',
    kind: 'peer',
    start: startOpponent('tutorial'),
    works: {
      self: signedUp(REGISTER, 'GET', '/auth/self'),
      refresh: signedUp(REGISTER, 'POST', '/auth/refresh'),
      login: signingIn(REGISTER, '/auth/login'),
    },
  },
};
