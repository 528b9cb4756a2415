/**
 * `npm run dev`: the whole service on a machine with nothing but Node.
 *
 * PostgreSQL (embedded, unless DB_HOST is set), keys, secret, database, migrations, and then the
 * service under ts-node-dev, which restarts it at each change of a source file; the database stays
 * up meanwhile. Whatever ends this process, nothing that it started outlives it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepareDatabase } from './command.mjs';
import {
  dataFolder,
  ensureDatabase,
  ensureSecrets,
  explain,
  loadEnvironment,
  PROJECT_ROOT,
  ScriptError,
} from './project-env.mjs';

const require = createRequire(import.meta.url);
const WINDOWS = process.platform === 'win32';
/** The service drains for up to 9 s; then it is ended by force. */
const GRACE_SECONDS = 11;

/**
 * Waits for its word on fd 3 before it becomes ts-node-dev: if we die first, nothing starts.
 */
const GATE = 'read -r _ <&3 || exit 1; exec "$@" 3<&-';

/**
 * The leash. fd 3 ends with this process, even by kill -9. Then ts-node-dev is told to stop, which
 * passes it on to the service; only the leader is told, since a service told twice might take the
 * second for impatience. What is left of the group after the grace is ended by force.
 */
const LEASH = `
read -r _ <&3
kill -TERM "$1" 2>/dev/null
left=$(( $2 * 10 ))
while kill -0 "-$1" 2>/dev/null; do
  [ $left -le 0 ] && kill -KILL "-$1" 2>/dev/null
  left=$(( left - 1 ))
  sleep 0.1
done
`;

// ---------------------------------------------------------------- one at a time

/**
 * A process is known by its number and its start: numbers come round again.
 * @param {number} pid
 */
function startOf(pid) {
  if (process.platform === 'linux') {
    try {
      const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
      const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return state === 'Z' ? '' : fields[18];
    } catch {
      return ''; // no such process
    }
  }
  if (WINDOWS) {
    try {
      return process.kill(pid, 0) ? 'up' : '';
    } catch (error) {
      return error.code === 'EPERM' ? 'up' : '';
    }
  }
  const run = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
  return run.stdout.trim();
}

/**
 * Takes the tree's lock. A crash leaves no stale one: a lock counts only while its process is up.
 * @returns {{ release: () => void, afterCrash: boolean }}
 */
function takeLock() {
  fs.mkdirSync(dataFolder(), { recursive: true });
  const file = path.join(dataFolder(), 'dev.lock');
  const mine = `${file}.${process.pid}-${randomBytes(4).toString('hex')}`;
  const content = JSON.stringify({ pid: process.pid, start: startOf(process.pid) });
  fs.writeFileSync(mine, content, { flag: 'wx' });
  try {
    for (let afterCrash = false; ; afterCrash = true) {
      try {
        fs.linkSync(mine, file);
        const release = () => {
          if (readLock(file)?.text === content) fs.rmSync(file, { force: true });
        };
        return { release, afterCrash };
      } catch (error) {
        if (error.code !== 'EEXIST') throw error;
      }
      const holder = readLock(file);
      if (holder?.up) {
        throw new ScriptError(`npm run dev is already running in this tree (pid ${holder.pid})`);
      }
      if (holder) breakLock(file, mine, holder.text);
    }
  } finally {
    fs.rmSync(mine, { force: true });
  }
}

/** @param {string} file */
function readLock(file) {
  let text;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { pid, start } = JSON.parse(text);
    return { text, pid, up: start !== '' && startOf(pid) === start };
  } catch {
    return { text, pid: 0, up: false }; // not written by us: no lock
  }
}

/**
 * Two that find the same stale lock must not both remove one: the second would hit the first's new
 * lock. So it is moved, looked at, and put back if it is not the stale one.
 */
function breakLock(file, mine, stale) {
  const moved = `${mine}.stale`;
  try {
    fs.renameSync(file, moved);
  } catch (error) {
    if (error.code === 'ENOENT') return;
    throw error;
  }
  if (fs.readFileSync(moved, 'utf8') !== stale) fs.linkSync(moved, file);
  fs.rmSync(moved, { force: true });
}

// ---------------------------------------------------------------- the port

function portOf() {
  const port = Number(process.env.PORT || 5501);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new ScriptError('PORT must be a whole number from 1 to 65535');
  }
  return port;
}

/** @param {number} port */
function whyNotFree(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', (error) => resolve(error.code));
    server.listen({ port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/**
 * @param {number} port
 * @param {number} patience in milliseconds: the service of a killed predecessor may be draining
 */
async function requireFree(port, patience) {
  const deadline = Date.now() + patience;
  for (;;) {
    const reason = await whyNotFree(port);
    if (!reason) return;
    if (reason !== 'EADDRINUSE') throw new ScriptError(`port ${port} cannot be used (${reason})`);
    if (Date.now() >= deadline) {
      throw new ScriptError(`port ${port} is taken: end what listens there, or set another PORT`);
    }
    await sleep(200);
  }
}

// ---------------------------------------------------------------- the service

function startService() {
  const command = [
    process.execPath,
    require.resolve('ts-node-dev/lib/bin.js'),
    ...['--respawn', '--transpile-only', '--quiet', '--no-rs', 'src/server.ts'],
  ];
  const [file, ...args] = WINDOWS ? command : ['/bin/sh', '-c', GATE, 'sh', ...command];
  const child = spawn(file, args, {
    cwd: PROJECT_ROOT,
    // A group of its own: Ctrl-C comes to us, and we end the service first and the database last.
    detached: !WINDOWS,
    stdio: ['ignore', 'inherit', 'inherit', WINDOWS ? 'ignore' : 'pipe'],
  });
  const ended = new Promise((resolve) => {
    child.once('error', resolve);
    child.once('exit', resolve);
  });
  if (WINDOWS) {
    return { ended, gone: ended, stop: () => child.kill(), kill: () => child.kill('SIGKILL') };
  }
  const leash = spawn('/bin/sh', ['-c', LEASH, 'sh', String(child.pid), String(GRACE_SECONDS)], {
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const gone = new Promise((resolve) => {
    leash.once('error', resolve);
    leash.once('exit', resolve);
  });
  child.stdio[3].on('error', () => undefined);
  leash.stdio[3].on('error', () => undefined);
  child.stdio[3].end('go\n');
  return {
    /** ts-node-dev itself is no more */
    ended,
    /** nothing of its group is left */
    gone,
    stop: () => leash.stdio[3].destroy(),
    kill: () => {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch (error) {
        if (error.code !== 'ESRCH') throw error;
      }
    },
  };
}

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function isLive(port) {
  return new Promise((resolve) => {
    const request = http.get(
      { host: 'localhost', port, path: '/health/live', timeout: 1_000, agent: false },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}

/**
 * @param {number} port
 * @param {import('./embedded-postgres.mjs').EmbeddedPostgres | undefined} database
 */
function greeting(port, database) {
  const url = `http://localhost:${port}`;
  const where = `${process.env.DB_HOST}:${process.env.DB_PORT}`;
  const whose = database ? `, data in ${path.relative(PROJECT_ROOT, database.dataDir)}` : '';
  const user =
    '{"firstName":"Ada","lastName":"Lovelace","email":"ada@example.com","password":"correct horse"}';
  return [
    '',
    `auth-service listens on ${url} (PostgreSQL on ${where}${whose}). Ctrl-C ends it.`,
    `try: curl -i -c cookies.txt -H 'Content-Type: application/json' -d '${user}' ${url}/auth/register`,
    '',
  ].join('\n');
}

// ---------------------------------------------------------------- the whole

async function main() {
  loadEnvironment('dev');
  let stopping = '';
  let stoppedAt = 0;
  let service;
  /** @type {(reason: string) => void} */
  let wake = () => undefined;
  const told = new Promise((resolve) => (wake = resolve));
  const stop = (/** @type {string} */ reason) => {
    if (!stopping) {
      stopping = reason;
      stoppedAt = Date.now();
      wake(reason);
    } else if (reason === 'SIGINT' && Date.now() - stoppedAt > 1_000) {
      // npm passes a Ctrl-C on although the terminal has sent it already: only a later one is meant.
      service?.kill();
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop(signal));
  watchNpm(() => stop('npm is gone'));

  const lock = takeLock();
  let database;
  let watchman;
  try {
    const port = portOf();
    await requireFree(port, lock.afterCrash ? GRACE_SECONDS * 1_000 : 0);
    await ensureSecrets();
    database = await ensureDatabase({ log: console.log });
    if (!stopping) await prepareDatabase();
    if (stopping) return;

    service = startService();
    watchman = keepUp(database, (next) => (database = next));
    const live = waitUntilLive(port, () => Boolean(stopping));
    void live.then((yes) => yes && console.log(greeting(port, database)));
    await Promise.race([told, service.ended]);
    if (!stopping) {
      console.error('ts-node-dev ended by itself');
      process.exitCode = 1;
      stop('ts-node-dev ended');
    }
    service.stop();
    await service.gone;
  } catch (error) {
    // Ctrl-C also ends initdb or the migration that is under way; that is no news then.
    if (!stopping) throw error;
  } finally {
    clearInterval(watchman);
    await database?.stop();
    lock.release();
  }
}

/**
 * @param {number} port
 * @param {() => boolean} isOver
 */
async function waitUntilLive(port, isOver) {
  while (!isOver()) {
    if (await isLive(port)) return true;
    await sleep(150);
  }
  return false;
}

/**
 * Starts the embedded PostgreSQL again, on the same port, when it was killed, or when it was adopted
 * and its owner has ended.
 */
function keepUp(database, replace) {
  if (!database) return undefined;
  let current = database;
  let busy = false;
  const look = async () => {
    if (busy || current.alive()) return;
    busy = true;
    try {
      // Forgotten, so that the embedded server is what is asked for again.
      delete process.env.DB_HOST;
      const before = current.port;
      current = await ensureDatabase({ log: console.log });
      replace(current);
      console.log('PostgreSQL was gone and is up again');
      if (current.port !== before) console.error('its port changed: restart npm run dev');
    } catch (error) {
      console.error(explain(error));
    } finally {
      busy = false;
    }
  };
  return setInterval(() => void look(), 500);
}

/**
 * A killed npm tells its script nothing, nor does the shell that it puts in between: both are
 * noticed by who the parents are.
 * @param {() => void} gone
 */
function watchNpm(gone) {
  if (process.env.npm_lifecycle_event !== 'dev') return;
  const shell = process.ppid;
  const npm = parentOf(shell);
  const look = () => (process.ppid !== shell || parentOf(shell) !== npm) && gone();
  setInterval(look, process.platform === 'linux' ? 500 : 2_000).unref();
}

/** @param {number} pid */
function parentOf(pid) {
  if (WINDOWS) return 0;
  if (process.platform === 'linux') {
    try {
      const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    } catch {
      return 0; // no such process
    }
  }
  const run = spawnSync('ps', ['-o', 'ppid=', '-p', String(pid)], { encoding: 'utf8' });
  return Number(run.stdout);
}

try {
  await main();
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}
// Sockets of a health check in flight must not hold the prompt back.
process.exit();
