import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { errorCode } from '../errorCode.mjs';
import { ScriptError } from '../ScriptError.mjs';
import { failureLine } from './failureLine.mjs';

/** @typedef {import('./startEmbeddedPostgres.mjs').Site} Site */

const PASSWORD_FILE = 'superuser-password';
/** initdb takes about a second. */
const LEFT_OVER_MS = 60_000;

/**
 * Makes the data folder if there is none.
 *
 * @param {Site} site
 * @param {{ fsync: boolean, log: (line: string) => void }} options
 * @returns {Promise<string>} the superuser's password
 * @throws {ScriptError} if it holds data that cannot be served
 */
export async function prepareDataFolder(site, { fsync, log }) {
  const { dataDir, binaries } = site;
  const passwordFile = path.join(dataDir, PASSWORD_FILE);
  if (!fs.existsSync(passwordFile)) {
    removeEmpty(dataDir);
    removeLeftOver(dataDir);
    log(`initialising PostgreSQL ${binaries.version} in ${dataDir}`);
    await initialise(site, fsync);
  }
  const version = fs.readFileSync(path.join(dataDir, 'PG_VERSION'), 'utf8').trim();
  if (version !== binaries.version)
    throw new ScriptError(
      `${dataDir} was made by PostgreSQL ${version}, ${binaries.postgres} is ${binaries.version}: set PG_BIN_DIR to a ${version}, or move the folder away`,
    );
  return fs.readFileSync(passwordFile, 'utf8').trim();
}

/** @param {string} dataDir */
function removeEmpty(dataDir) {
  try {
    fs.rmdirSync(dataDir);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw new ScriptError(
      `${dataDir} holds files without its ${PASSWORD_FILE} file: put that back, or move the folder away`,
    );
  }
}

/**
 * Removes what a killed process left under a temporary name.
 * @param {string} dataDir
 */
function removeLeftOver(dataDir) {
  const parent = path.dirname(dataDir);
  for (const name of fs.readdirSync(parent)) {
    if (!name.startsWith(`${path.basename(dataDir)}.init-`)) continue;
    const file = path.join(parent, name);
    const { mtimeMs = Infinity } = fs.statSync(file, { throwIfNoEntry: false }) ?? {};
    if (Date.now() - mtimeMs > LEFT_OVER_MS) fs.rmSync(file, { recursive: true, force: true });
  }
}

/**
 * Runs initdb under a temporary name, then renames: half a cluster never has the real name.
 * @param {Site} site
 * @param {boolean} fsync
 */
async function initialise({ dataDir, user, binaries }, fsync) {
  const unfinished = `${dataDir}.init-${randomBytes(6).toString('hex')}`;
  const password = `${unfinished}.pw`;
  const locale =
    Number(binaries.version) >= 17
      ? ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
      : ['--no-locale'];
  const args = [
    ...['-D', unfinished, '-U', 'postgres', `--pwfile=${password}`],
    ...['--auth=scram-sha-256', '--encoding=UTF8', ...locale, ...(fsync ? [] : ['--no-sync'])],
  ];
  try {
    fs.mkdirSync(unfinished, { mode: 0o700 });
    fs.writeFileSync(password, randomBytes(24).toString('base64url'), { mode: 0o600, flag: 'wx' });
    if (user) for (const one of [unfinished, password]) fs.chownSync(one, user.uid, user.gid);
    const initdb = spawn(binaries.initdb, args, {
      ...user,
      cwd: path.parse(dataDir).root,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [output, [code]] = await Promise.all([text(initdb.stderr), once(initdb, 'close')]);
    if (code !== 0) throw new ScriptError(`initdb failed: ${failureLine(output)}`);
    fs.renameSync(password, path.join(unfinished, PASSWORD_FILE));
    fs.renameSync(unfinished, dataDir);
  } catch (error) {
    // If another process was faster, its folder is used.
    if (!fs.existsSync(path.join(dataDir, PASSWORD_FILE))) throw error;
  } finally {
    fs.rmSync(unfinished, { recursive: true, force: true });
    fs.rmSync(password, { force: true });
  }
}
