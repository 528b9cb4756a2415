import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { ScriptError } from '../ScriptError.mjs';

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
  const files = fs.existsSync(dataDir) ? fs.readdirSync(dataDir) : [];
  if (files.length === 0) {
    log(`initialising PostgreSQL ${binaries.version} in ${dataDir}`);
    removeLeftOver(dataDir);
    await initialise(site, fsync);
  } else if (!files.includes(PASSWORD_FILE)) {
    throw new ScriptError(
      `${dataDir} holds files without its ${PASSWORD_FILE} file: put that back, or move the folder away`,
    );
  }
  const version = fs.readFileSync(path.join(dataDir, 'PG_VERSION'), 'utf8').trim();
  if (version !== binaries.version) {
    throw new ScriptError(
      `${dataDir} was made by PostgreSQL ${version}, ${binaries.postgres} is ${binaries.version}: set PG_BIN_DIR to a ${version}, or move the folder away`,
    );
  }
  return fs.readFileSync(path.join(dataDir, PASSWORD_FILE), 'utf8');
}

/**
 * Runs initdb in a temporary folder, then renames: half a cluster never has the real name.
 * @param {Site} site
 * @param {boolean} fsync
 */
async function initialise({ dataDir, user, binaries }, fsync) {
  const folder = fs.mkdtempSync(`${dataDir}.init-`);
  const cluster = path.join(folder, 'cluster');
  const password = path.join(folder, PASSWORD_FILE);
  const locale =
    Number(binaries.version) >= 17
      ? ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
      : ['--no-locale'];
  const args = [
    ...['-D', cluster, '-U', 'postgres', `--pwfile=${password}`],
    ...['--auth=scram-sha-256', '--encoding=UTF8', ...locale, ...(fsync ? [] : ['--no-sync'])],
  ];
  try {
    fs.writeFileSync(password, randomBytes(24).toString('base64url'), { mode: 0o600 });
    if (user) for (const one of [folder, password]) fs.chownSync(one, user.uid, user.gid);
    const initdb = spawn(binaries.initdb, args, {
      ...user,
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [output, [code]] = await Promise.all([text(initdb.stderr), once(initdb, 'close')]);
    if (code !== 0) throw new ScriptError(`initdb failed: ${output.trim()}`);
    fs.renameSync(password, path.join(cluster, PASSWORD_FILE));
    fs.renameSync(cluster, dataDir);
  } catch (error) {
    // If another process was faster, its folder is used.
    if (!fs.existsSync(path.join(dataDir, PASSWORD_FILE))) throw error;
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Removes what a killed process left.
 * @param {string} dataDir
 */
function removeLeftOver(dataDir) {
  const { dir, base } = path.parse(dataDir);
  for (const name of fs.readdirSync(dir).filter((one) => one.startsWith(`${base}.init-`))) {
    const folder = path.join(dir, name);
    const { mtimeMs = Infinity } = fs.statSync(folder, { throwIfNoEntry: false }) ?? {};
    if (Date.now() - mtimeMs > LEFT_OVER_MS) fs.rmSync(folder, { recursive: true, force: true });
  }
}
