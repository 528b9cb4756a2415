import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bindPort } from '../bindPort.mjs';
import { EmbeddedPostgresError } from './EmbeddedPostgresError.mjs';
import { processExists } from './processExists.mjs';
import { readPidFile } from './readPidFile.mjs';

/** A server may have to recover before it is ready, and to write everything before it ends. */
const BUSY_MS = 60_000;
/** A server writes its file a moment before it listens. */
const LISTEN_MS = 3_000;

/**
 * The server that runs on a data folder already. One that is starting or stopping is waited for.
 *
 * @param {string} dataDir
 * @returns {Promise<{ pid: number, port: number } | undefined>}
 * @throws {EmbeddedPostgresError} if it does not become ready
 */
export async function findRunning(dataDir) {
  const began = Date.now();
  for (;;) {
    const server = readPidFile(dataDir);
    if (!server || !processExists(server.pid)) return undefined;
    const { pid, port, ready } = server;
    const waited = Date.now() - began;
    const listens = await bindPort(port, '127.0.0.1').then(
      () => false,
      () => true,
    );
    if (listens && ready) return { pid, port };
    if (!listens && waited > LISTEN_MS) {
      // The server was killed, and another process has its pid now, as often in containers. While
      // the file is there PostgreSQL would not start.
      fs.rmSync(path.join(dataDir, 'postmaster.pid'), { force: true });
      return undefined;
    }
    if (waited > BUSY_MS) {
      throw new EmbeddedPostgresError(
        `a PostgreSQL (pid ${pid}) runs on ${dataDir} but is not ready: end it, then try again`,
      );
    }
    await sleep(100);
  }
}
