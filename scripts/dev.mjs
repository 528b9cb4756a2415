/**
 * `npm run dev`: runs the whole service on a machine that has only Node.
 *
 * Starts PostgreSQL (embedded, unless DB_HOST or DATABASE_URL is set), makes what is missing of keys,
 * secret, database and tables, then runs the service under ts-node-dev. The database stays up while the
 * service restarts. However this process ends, everything it started ends with it.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bindPort } from './bindPort.mjs';
import { prepareDatabase } from './command.mjs';
import { startService } from './dev/startService.mjs';
import { takeLock } from './dev/takeLock.mjs';
import { startEmbeddedPostgres } from './embedded-postgres/startEmbeddedPostgres.mjs';
import { errorCode } from './errorCode.mjs';
import {
  ensureDatabase,
  ensureSecrets,
  explain,
  loadEnvironment,
  PROJECT_ROOT,
  ScriptError,
} from './project-env.mjs';

/** @typedef {import('./embedded-postgres/startEmbeddedPostgres.mjs').EmbeddedPostgres} EmbeddedPostgres */

/** Longer than the service drains. */
const GRACE_SECONDS = 11;

async function main() {
  loadEnvironment('dev');
  const ending = new AbortController();
  const { signal } = ending;
  const end = () => ending.abort();
  const told = once(signal, 'abort');
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, end);
  onNpmGone(end);

  const lock = await takeLock();
  let database;
  try {
    const port = portOf();
    await requireFree(port, lock.afterCrash ? GRACE_SECONDS * 1_000 : 0);
    await ensureSecrets();
    database = await ensureDatabase({ log: console.log });
    if (!signal.aborted) await prepareDatabase();
    if (signal.aborted) return;

    const service = startService(GRACE_SECONDS);
    void greet(port, database, signal);
    const upkeep = keepUp(database, signal).catch(fail).finally(end);
    await Promise.race([told, service.ended]);
    if (!signal.aborted) fail(new ScriptError('ts-node-dev ended unexpectedly'));
    end();
    await service.stop();
    database = await upkeep;
  } catch (error) {
    // Ctrl-C also ends the initdb or the migration that is running: no failure then.
    if (!signal.aborted) throw error;
  } finally {
    await database?.stop();
    lock.release();
  }
}

/** @param {unknown} error */
function fail(error) {
  console.error(explain(error));
  process.exitCode = 1;
}

/**
 * A killed npm passes no signal on. Its end shows in the parents: of this process, or of the shell
 * that npm puts in between.
 * @param {() => void} act
 */
function onNpmGone(act) {
  if (!process.env.npm_lifecycle_event) return;
  const shell = process.ppid;
  const npm = parentOf(shell);
  setInterval(() => {
    if (process.ppid !== shell || parentOf(shell) !== npm) act();
  }, 1_000).unref();
}

/**
 * @param {number} pid
 * @returns {string | undefined} undefined where it cannot be told, as on Windows
 */
function parentOf(pid) {
  if (process.platform !== 'linux') {
    return spawnSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' }).stdout;
  }
  try {
    return /^PPid:.*/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[0];
  } catch {
    return undefined; // it has ended
  }
}

function portOf() {
  const port = Number(process.env.PORT || 5501);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new ScriptError('PORT must be a whole number from 1 to 65535');
  }
  return port;
}

/**
 * @param {number} port
 * @param {number} patience in milliseconds
 */
async function requireFree(port, patience) {
  const deadline = Date.now() + patience;
  for (;;) {
    try {
      await bindPort(port);
      return;
    } catch (error) {
      const code = errorCode(error);
      if (code !== 'EADDRINUSE') throw new ScriptError(`port ${port} cannot be used (${code})`);
    }
    if (Date.now() >= deadline) {
      throw new ScriptError(`port ${port} is taken: end what listens there, or set another PORT`);
    }
    await sleep(200);
  }
}

/**
 * Starts the embedded PostgreSQL again when it is gone: killed, or owned by another script that ends.
 * @param {EmbeddedPostgres | undefined} database undefined for a server that is not ours
 * @param {AbortSignal} signal
 * @returns {Promise<EmbeddedPostgres | undefined>} the one that is up in the end
 */
async function keepUp(database, signal) {
  let current = database;
  while (!signal.aborted) {
    await sleep(500);
    if (signal.aborted || !current || current.alive()) continue;
    const { dataDir, port } = current;
    current = await startEmbeddedPostgres({ dataDir, log: console.log });
    console.log('PostgreSQL was gone and is up again');
    if (current.port !== port)
      throw new ScriptError('its port has changed: start npm run dev again');
  }
  return current;
}

/**
 * Says where the service listens, once it does.
 * @param {number} port
 * @param {EmbeddedPostgres | undefined} database
 * @param {AbortSignal} signal
 */
async function greet(port, database, signal) {
  const url = `http://localhost:${port}`;
  while (!(await isLive(url))) await sleep(150);
  if (signal.aborted) return;
  const data = database
    ? ` (PostgreSQL on ${database.host}:${database.port}, data in ${path.relative(PROJECT_ROOT, database.dataDir)})`
    : '';
  const user =
    '{"firstName":"Ada","lastName":"Lovelace","email":"ada@example.com","password":"correct horse"}';
  console.log(`
auth-service listens on ${url}${data}. Ctrl-C ends it.
try: curl -i -c cookies.txt -H 'Content-Type: application/json' -d '${user}' ${url}/auth/register
`);
}

/** @param {string} url */
async function isLive(url) {
  try {
    return (await fetch(`${url}/health/live`, { signal: AbortSignal.timeout(1_000) })).ok;
  } catch {
    return false;
  }
}

try {
  await main();
} catch (error) {
  fail(error);
}
// Connections of the health check must not delay the end.
process.exit();
