import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../errorCode.mjs';
import { EmbeddedPostgresError } from './EmbeddedPostgresError.mjs';
import { findBinaries } from './findBinaries.mjs';
import { findRunning } from './findRunning.mjs';
import { launchServer } from './launchServer.mjs';
import { prepareDataFolder } from './prepareDataFolder.mjs';
import { processExists } from './processExists.mjs';
import { serverUser } from './serverUser.mjs';
import { sharedFolder } from './sharedFolder.mjs';

export { EmbeddedPostgresError };

/** How long a start that may succeed later is tried again. */
const RETRY_MS = 3_000;

/**
 * Where and as whom the server runs.
 * @typedef {object} Site
 * @property {string} dataDir without symbolic links
 * @property {import('./serverUser.mjs').ServerUser | undefined} user undefined: our own
 * @property {ReturnType<typeof findBinaries>} binaries
 */

/**
 * @typedef {object} EmbeddedPostgres
 * @property {'127.0.0.1'} host
 * @property {number} port
 * @property {'postgres'} username
 * @property {string} password
 * @property {'postgres'} database the maintenance database
 * @property {string} dataDir where the data are: not the wanted folder if the server's user cannot enter that
 * @property {number} pid the server's process
 * @property {boolean} adopted it ran already; stop() leaves it alone
 * @property {() => boolean} alive
 * @property {() => Promise<void>} stop
 */

/**
 * Starts PostgreSQL on a data folder, which is made if there is none, or adopts the server that runs
 * on it. It needs no installed server, no install script and no root rights. It listens on 127.0.0.1
 * only and asks for a password.
 *
 * @param {object} options
 * @param {string} options.dataDir
 * @param {number} [options.port] default: the one of the last start if it is free, otherwise any
 * @param {boolean} [options.fsync] false for tests: faster, but a power failure may lose the data
 * @param {boolean} [options.leash] true: the server ends with this process, even after kill -9
 * @param {(line: string) => void} [options.log]
 * @returns {Promise<EmbeddedPostgres>}
 * @throws {EmbeddedPostgresError} one line that says what to do
 */
export async function startEmbeddedPostgres({
  dataDir: wanted,
  port,
  fsync = true,
  leash = true,
  log = () => undefined,
}) {
  const site = chooseSite(path.resolve(wanted), log);
  const { dataDir } = site;
  let deadline = 0;
  for (;;) {
    const running = await findRunning(dataDir);
    const password = await prepareDataFolder(site, { fsync, log });
    const server = running ?? (await launchServer(site, { port, fsync, leash }));
    if (server) {
      return {
        ...{ host: '127.0.0.1', username: 'postgres', password, database: 'postgres', dataDir },
        adopted: Boolean(running),
        alive: () => processExists(server.pid),
        stop: () => Promise.resolve(),
        ...server,
      };
    }
    deadline ||= Date.now() + RETRY_MS;
    if (Date.now() > deadline) {
      throw new EmbeddedPostgresError(
        `embedded PostgreSQL did not start: see ${dataDir}/server.log`,
      );
    }
    await sleep(150);
  }
}

/**
 * @param {string} wanted
 * @param {(line: string) => void} log
 * @returns {Site}
 */
function chooseSite(wanted, log) {
  let dataDir = wanted;
  let user = serverUser(dataDir);
  const binaries = findBinaries(user);
  const parent = path.dirname(wanted);
  try {
    fs.mkdirSync(parent, { recursive: true });
  } catch (error) {
    throw new EmbeddedPostgresError(`cannot make the folder ${parent}: ${errorCode(error)}`);
  }
  if (user && !canEnter(parent, user)) {
    dataDir = path.join(sharedFolder('auth-service', wanted), 'postgres');
    user = serverUser(dataDir);
    log(`the database's user cannot enter ${parent}: the data are in ${dataDir}`);
  }
  if (fs.existsSync(dataDir)) dataDir = fs.realpathSync(dataDir);
  return { dataDir, user, binaries };
}

/**
 * Tries it: mode bits do not show access lists and mount options.
 * @param {string} dir
 * @param {import('./serverUser.mjs').ServerUser} user
 */
function canEnter(dir, { uid, gid }) {
  return spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', dir], { uid, gid, cwd: '/' }).status === 0;
}
