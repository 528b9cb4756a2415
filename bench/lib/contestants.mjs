import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { BROWSER_HEADERS, CLIENT_ORIGIN, JSON_HEADERS, PASSWORD, signUpAll } from './accounts.mjs';
import { freePort, startModule, startProgram, untilReady } from './processes.mjs';

const OPPONENTS = path.join(import.meta.dirname, '../opponents');
const DIST = path.join(import.meta.dirname, '../../dist');

/** What `npm start` gives to node. */
const NODE_OPTIONS =
  JSON.parse(
    fs.readFileSync(path.join(import.meta.dirname, '../../package.json'), 'utf8'),
  ).scripts.start.match(/--\S+/g) ?? [];

/**
 * @typedef {object} Contestant
 * @property {string} title
 * @property {'subject' | 'floor' | 'peer'} kind
 * @property {(bench: import('./workbench.mjs').Workbench) => Promise<Running>} start
 * @property {Partial<Record<Work, (running: Running, count: number, taken?: number) => Promise<LoadClient[]>>>} works
 * makes the clients of each work it takes part in; `taken`: so many users are there already
 *
 * @typedef {object} Running
 * @property {import('node:child_process').ChildProcess} child
 * @property {string} [origin]
 * @property {boolean} [isWorker] it does the job itself: there is no server to send requests to
 *
 * @typedef {'self' | 'refresh' | 'login' | 'jwks'} Work
 * @typedef {import('./load.mjs').LoadClient} LoadClient
 */

/** @param {import('pg').ClientConfig} database */
const serviceEnvironment = (bench, database, port) => ({
  PATH: process.env.PATH,
  NODE_ENV: 'prod',
  PORT: String(port),
  DB_HOST: database.host,
  DB_PORT: String(database.port),
  DB_USERNAME: database.user,
  DB_PASSWORD: database.password,
  DB_NAME: database.database,
  CERTS_DIR: bench.folder,
  REFRESH_JWT_SECRET: bench.secret,
  CLIENT_UI_DOMAIN: CLIENT_ORIGIN,
  JWT_ISSUER: 'http://localhost',
  RATE_LIMIT_ENABLED: 'false',
});

/**
 * Migrates a database for the built service.
 * @param {import('./workbench.mjs').Workbench} bench
 * @param {string} [dist]
 */
export async function prepareService(bench, dist = DIST) {
  if (!fs.existsSync(path.join(dist, 'server.js')))
    throw new Error(`there is no build in ${dist}: run "npm run build" first`);
  const database = await bench.createDatabase();
  const env = serviceEnvironment(bench, database, 3000);
  const migration = spawnSync(process.execPath, [path.join(dist, 'commands/migrate.js')], { env });
  if (migration.status !== 0) throw new Error(`migration failed: ${migration.stderr}`);
  return database;
}

/**
 * Starts the built service in production mode with its default settings, but for the limits on
 * attempts: all requests come from one address here.
 * @param {import('./workbench.mjs').Workbench} bench
 * @param {object} [options]
 * @param {string} [options.dist] another build
 * @param {import('pg').ClientConfig} [options.database] one that is migrated
 * @param {Record<string, string>} [options.settings]
 * @param {string[]} [options.nodeOptions]
 * @returns {Promise<Running & { database: import('pg').ClientConfig }>}
 */
export async function startService(bench, options = {}) {
  const { dist = DIST, settings = {}, nodeOptions = [] } = options;
  const database = options.database ?? (await prepareService(bench, dist));
  const port = await freePort();
  const logFile = bench.logFile('service');
  const child = startProgram({
    program: path.join(dist, 'server.js'),
    env: { ...serviceEnvironment(bench, database, port), ...settings },
    logFile,
    nodeOptions: [...NODE_OPTIONS, ...nodeOptions],
  });
  const origin = `http://127.0.0.1:${port}`;
  await untilReady(child, `${origin}/health/ready`, logFile, (status) => status === 200);
  return { child, origin, database };
}

/** Starts a program of opponents/ on a database of its own. */
const startOpponent = (name) => async (/** @type {Parameters<Contestant['start']>[0]} */ bench) => {
  const { host, port: databasePort, user, password, database } = await bench.createDatabase();
  const port = await freePort();
  const logFile = bench.logFile(name);
  const child = startModule({
    program: path.join(OPPONENTS, `${name}.mjs`),
    logFile,
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'production',
      PORT: String(port),
      DATABASE_URL: `postgres://${user}:${encodeURIComponent(password)}@${host}:${databasePort}/${database}`,
      CERTS_DIR: bench.folder,
      SECRET: bench.secret,
      CLIENT_ORIGIN,
    },
  });
  const origin = `http://127.0.0.1:${port}`;
  await untilReady(child, origin, logFile);
  return { child, origin };
};

/** Clients that need no session; `{n}` in the path is the client's number. */
const anonymous = (method, requestPath) => async (_running, count) =>
  Array.from({ length: count }, (_value, i) => ({
    method,
    path: requestPath.replace('{n}', String(i + 1)),
    headers: BROWSER_HEADERS,
    cookies: {},
  }));

/** Clients of which each has signed up, and has a session of its own. */
const signedUp = (signUpPath, method, requestPath) => async (running, count, taken) => {
  const accounts = await signUpAll(`${running.origin}${signUpPath}`, count, taken);
  return accounts.map(({ cookies }) => ({
    method,
    path: requestPath,
    headers: BROWSER_HEADERS,
    cookies,
  }));
};

/** A client that signs in again and again. */
export const signingInAs = (path, email) => ({
  method: 'POST',
  path,
  headers: JSON_HEADERS,
  cookies: {},
  body: JSON.stringify({ email, password: PASSWORD }),
});

/** Clients that have an account, and sign in again and again. */
const signingIn = (signUpPath, requestPath) => async (running, count, taken) => {
  const accounts = await signUpAll(`${running.origin}${signUpPath}`, count, taken);
  return accounts.map(({ email }) => signingInAs(requestPath, email));
};

const REGISTER = '/auth/register';

/** @returns {Contestant} */
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

/** @type {Contestant} */
export const service = serviceOf('auth-service', DIST);

/**
 * Another build of the service, to see what a change is worth.
 * @param {string} dist
 */
export const otherBuild = (dist) => serviceOf('auth-service, other build', path.resolve(dist));

/** Those that stand beside the service: first the floors, which do the bare work only, then the peers. */
export const opponents = /** @type {Record<string, Contestant>} */ ({
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
      child: startModule({
        program: path.join(OPPONENTS, 'rawBcrypt.mjs'),
        logFile: bench.logFile('rawBcrypt'),
      }),
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
});
