import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode } from '../errorCode.mjs';
import { ScriptError } from '../ScriptError.mjs';
import { findBinaries } from './findBinaries.mjs';
import { launchServer } from './launchServer.mjs';
import { prepareDataFolder } from './prepareDataFolder.mjs';
import { findRunning, processExists } from './runningServer.mjs';
import { serverUser } from './serverUser.mjs';
import { sharedFolder } from './sharedFolder.mjs';

/** How long a start that may succeed later is tried again. */
const RETRY_MS = 3_000;

/**
 * Where and as whom the server runs; `dataDir` is without symbolic links.
 * @typedef {ReturnType<typeof chooseSite>} Site
 */

/** @typedef {Awaited<ReturnType<typeof startEmbeddedPostgres>>} EmbeddedPostgres */

/**
 * Starts PostgreSQL on a data folder, which is made if there is none, or adopts the server that runs
 * on it. It needs no installed server, no install script and no root rights. It listens on 127.0.0.1
 * only, asks for a password, and ends with this process, even after kill -9.
 *
 * `dataDir` of the result is not the wanted folder if the server's user cannot enter that. An adopted
 * server is left alone by `stop`.
 *
 * @param {object} options
 * @param {string} options.dataDir
 * @param {number} [options.port] default: the one of the last start if it is free, otherwise any
 * @param {boolean} [options.fsync] false for tests: faster, but a power failure may lose the data
 * @param {(line: string) => void} [options.log]
 * @throws {ScriptError}
 */
export async function startEmbeddedPostgres({
  dataDir: wanted,
  port,
  fsync = true,
  log = () => {},
}) {
  const site = chooseSite(path.resolve(wanted), log);
  const { dataDir } = site;
  const login = { host: '127.0.0.1', username: 'postgres', database: 'postgres' };
  let deadline = 0;
  for (;;) {
    const running = await findRunning(dataDir);
    const password = await prepareDataFolder(site, { fsync, log });
    const server = running
      ? { pid: running.pid, port: running.port, stop: () => Promise.resolve() }
      : await launchServer(site, { port, fsync });
    if (server) {
      const alive = () => processExists(server.pid);
      return { ...login, password, dataDir, adopted: Boolean(running), alive, ...server };
    }
    deadline ||= Date.now() + RETRY_MS;
    if (Date.now() > deadline)
      throw new ScriptError(`embedded PostgreSQL did not start: see ${dataDir}/server.log`);
    await sleep(150);
  }
}

/**
 * @param {string} wanted
 * @param {(line: string) => void} log
 */
function chooseSite(wanted, log) {
  let dataDir = wanted;
  let user = serverUser(dataDir);
  const binaries = findBinaries(user);
  const parent = path.dirname(wanted);
  try {
    fs.mkdirSync(parent, { recursive: true });
  } catch (error) {
    throw new ScriptError(`cannot make the folder ${parent}: ${errorCode(error)}`);
  }
  // Tried, because mode bits do not show access lists and mount options.
  const enter = { ...user, cwd: '/' };
  if (user && spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', parent], enter).status !== 0) {
    dataDir = path.join(sharedFolder('auth-service', wanted), 'postgres');
    user = serverUser(dataDir);
    log(`the database's user cannot enter ${parent}: the data are in ${dataDir}`);
  }
  if (fs.existsSync(dataDir)) dataDir = fs.realpathSync(dataDir);
  return { dataDir, user, binaries };
}
