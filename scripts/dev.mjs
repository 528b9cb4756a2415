/**
 * `npm run dev`: runs the whole service on a machine that has only Node.
 *
 * Starts PostgreSQL (embedded, unless DB_HOST or DATABASE_URL is set), makes what is missing of keys,
 * secret, database and tables, then runs the service under ts-node-dev. The database stays up while the
 * service restarts. However this process ends, everything it started ends with it.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bindPort } from './bindPort.mjs';
import { prepareDatabase } from './command/prepareDatabase.mjs';
import { startService } from './dev/startService.mjs';
import { takeLock } from './dev/takeLock.mjs';
import { startEmbeddedPostgres } from './embedded-postgres/startEmbeddedPostgres.mjs';
import { ensureDatabase } from './environment/ensureDatabase.mjs';
import { ensureSecrets } from './environment/ensureSecrets.mjs';
import { loadEnvironment } from './environment/loadEnvironment.mjs';
import { errorCode } from './errorCode.mjs';
import { PROJECT_ROOT } from './folders.mjs';
import { processExists } from './processExists.mjs';
import { runScript } from './runScript.mjs';
import { ScriptError } from './ScriptError.mjs';

/** Longer than the service drains. */
const DRAIN_MS = 12_000;

const ADA =
  '{"firstName":"Ada","lastName":"Lovelace","email":"ada@example.com","password":"correct horse"}';

async function main() {
  // A killed npm passes no signal on, and the shell between it and this process stays.
  const { stdout } = spawnSync('ps', ['-o', 'ppid=', '-p', `${process.ppid}`], {
    encoding: 'utf8',
  });
  const parents = process.env.npm_lifecycle_event ? [process.ppid, Number(stdout)] : [];
  const ending = new AbortController();
  const { signal } = ending;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => ending.abort());
  loadEnvironment('dev');
  const port = Number(process.env.PORT || 5501);
  const lock = takeLock();
  let database;
  let service;
  try {
    await requireFree(port, lock.afterCrash ? DRAIN_MS : 0);
    await ensureSecrets();
    database = await ensureDatabase(console.log);
    signal.throwIfAborted();
    await prepareDatabase();
    signal.throwIfAborted();
    service = startService();
    void greet(`http://localhost:${port}`, database, signal);
    while (service.isUp()) {
      if (!parents.every(processExists)) return;
      if (database && !database.alive()) {
        // It was killed, or was owned by another script that has ended.
        const { dataDir, port } = database;
        database = await startEmbeddedPostgres({ dataDir, port, log: console.log });
        console.log('PostgreSQL was gone and is up again');
      }
      await sleep(500, undefined, { signal });
    }
    throw new ScriptError('ts-node-dev ended unexpectedly');
  } catch (error) {
    // Ctrl-C also ends the initdb or the migration that is running: no failure then.
    if (!signal.aborted) throw error;
  } finally {
    await service?.stop();
    await database?.stop();
    lock.release();
  }
}

/**
 * @param {number} port
 * @param {number} patience in milliseconds
 */
async function requireFree(port, patience) {
  for (const deadline = Date.now() + patience; ; await sleep(200)) {
    const code = await bindPort(port).then(() => '', errorCode);
    if (code === '') return;
    if (code !== 'EADDRINUSE') throw new ScriptError(`PORT ${port} cannot be used (${code})`);
    if (Date.now() >= deadline) {
      throw new ScriptError(`port ${port} is taken: end what listens there, or set another PORT`);
    }
  }
}

/**
 * Says where the service listens, once it does.
 * @param {string} url
 * @param {Awaited<ReturnType<typeof ensureDatabase>>} database
 * @param {AbortSignal} signal
 */
async function greet(url, database, signal) {
  const health = () => fetch(`${url}/health/live`).catch(() => undefined);
  while (!(await health())?.ok) await sleep(150);
  if (signal.aborted) return;
  const data = database
    ? ` (PostgreSQL on ${database.host}:${database.port}, data in ${path.relative(PROJECT_ROOT, database.dataDir)})`
    : '';
  console.log(`
auth-service listens on ${url}${data}. Ctrl-C ends it.
try: curl -i -c cookies.txt -H 'Content-Type: application/json' -d '${ADA}' ${url}/auth/register
`);
}

await runScript(main);
// Connections of the health check must not delay the end.
process.exit();
