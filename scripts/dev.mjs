/**
 * `npm run dev`: runs the whole service on a machine that has only Node.
 *
 * Starts PostgreSQL (embedded, unless DB_HOST or DATABASE_URL is set), makes what is missing of keys,
 * secret, database and tables, then runs the service under ts-node-dev. The database stays up while the
 * service restarts. However this process ends, everything it started ends with it.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
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
  fail,
  loadEnvironment,
  PROJECT_ROOT,
} from './project-env.mjs';
import { ScriptError } from './ScriptError.mjs';

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
  // A killed npm passes no signal on. It runs this process in a shell, which would stay.
  const [shell, npm] = ancestors();
  setInterval(() => (process.ppid === shell && ancestors()[1] === npm) || end(), 1_000).unref();

  const lock = await takeLock();
  let database;
  try {
    const port = Number(process.env.PORT || 5501);
    await requireFree(port, lock.afterCrash ? GRACE_SECONDS * 1_000 : 0);
    await ensureSecrets();
    database = await ensureDatabase(console.log);
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

/** The pids of the parent and its parent; of the parent alone where there is no ps, as on Windows. */
function ancestors() {
  const { stdout } = spawnSync('ps', ['-o', 'ppid=', '-p', String(process.ppid)]);
  return [process.ppid, Number(stdout)];
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
      if (code !== 'EADDRINUSE') throw new ScriptError(`PORT ${port} cannot be used (${code})`);
      if (Date.now() >= deadline)
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
    current = await startEmbeddedPostgres({ dataDir, port, log: console.log });
    console.log('PostgreSQL was gone and is up again');
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
  const isLive = () =>
    fetch(`${url}/health/live`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isLive())) await sleep(150);
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

await main().catch(fail);
// Connections of the health check must not delay the end.
process.exit();
