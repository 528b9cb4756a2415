import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bindPort } from '../bindPort.mjs';
import { processExists } from '../processExists.mjs';
import { ScriptError } from '../ScriptError.mjs';
import { chooseSite } from './chooseSite.mjs';
import { findBinaries } from './findBinaries.mjs';
import { launchServer } from './launchServer.mjs';
import { prepareDataFolder } from './prepareDataFolder.mjs';
import { readPidFile } from './readPidFile.mjs';

/** Another process may be starting or stopping the server, and recovery after a crash takes a while. */
const PATIENCE_MS = 60_000;
/** A server writes its file a moment before it listens. */
const LISTEN_MS = 3_000;

/** @typedef {ReturnType<typeof chooseSite> & { binaries: import('./findBinaries.mjs').Binaries }} Site */

/**
 * Starts PostgreSQL on a data folder, which is made if there is none, or adopts the server that runs
 * on it; `stop` leaves an adopted one alone. It needs no installed server, no install script and no
 * root rights. It listens on 127.0.0.1 only, and ends with this process, even after kill -9.
 *
 * @param {object} options
 * @param {string} options.dataDir another one is used if the server's user cannot enter it
 * @param {number} [options.port] default: the one of the last start if it is free, otherwise any
 * @param {boolean} [options.fsync] false for tests: faster, but a power failure may lose the data
 * @param {(line: string) => void} [options.log]
 */
export async function startEmbeddedPostgres({
  dataDir,
  port,
  fsync = true,
  log = () => undefined,
}) {
  const place = chooseSite(path.resolve(dataDir), log);
  const site = { ...place, binaries: findBinaries(place.user) };
  for (const deadline = Date.now() + PATIENCE_MS; ; await sleep(100)) {
    const running = await findRunning(site.dataDir);
    if (running !== 'busy') {
      const password = await prepareDataFolder(site, { fsync, log });
      const server = running ?? (await launchServer(site, { port, fsync }));
      if (server) {
        return {
          ...{ host: '127.0.0.1', username: 'postgres', database: 'postgres', password },
          ...{ dataDir: site.dataDir, adopted: Boolean(running) },
          alive: () => processExists(server.pid),
          stop: () => Promise.resolve(),
          ...server,
        };
      }
    }
    if (Date.now() > deadline) {
      throw new ScriptError(`PostgreSQL did not start: see ${site.dataDir}/server.log`);
    }
  }
}

/**
 * The server that runs on a data folder already. `busy`: it is starting or stopping.
 *
 * @param {string} dataDir
 * @returns {Promise<{ pid: number, port: number } | 'busy' | undefined>}
 */
async function findRunning(dataDir) {
  const server = readPidFile(dataDir);
  if (!server || !processExists(server.pid)) return undefined;
  const isFree = await bindPort(server.port, '127.0.0.1').catch(() => false);
  if (!isFree) return server.ready ? { pid: server.pid, port: server.port } : 'busy';
  if (Date.now() - server.written < LISTEN_MS) return 'busy';
  // The server was killed, and another process has its pid now, as often in containers. PostgreSQL
  // would not start while the file is there.
  fs.rmSync(path.join(dataDir, 'postmaster.pid'), { force: true });
  return undefined;
}
