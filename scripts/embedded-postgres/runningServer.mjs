import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bindPort } from '../bindPort.mjs';
import { errorCode } from '../errorCode.mjs';
import { ScriptError } from '../ScriptError.mjs';

/** A server may have to recover before it is ready, and to write everything before it ends. */
const BUSY_MS = 60_000;
/** A server writes its file a moment before it listens. */
const LISTEN_MS = 3_000;

const pidFile = (/** @type {string} */ dataDir) => path.join(dataDir, 'postmaster.pid');

/**
 * What PostgreSQL's postmaster.pid says about the server on a data folder; undefined if there is none.
 * `ready`: it accepts connections; `written`: when, in milliseconds.
 * @param {string} dataDir
 */
export function readPidFile(dataDir) {
  try {
    const { mtimeMs: written } = fs.statSync(pidFile(dataDir));
    const lines = fs.readFileSync(pidFile(dataDir), 'utf8').split('\n');
    const ready = lines[7]?.trim() === 'ready';
    return { pid: Number(lines[0]), port: Number(lines[3]) || 0, ready, written };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** @param {number} pid */
export function processExists(pid) {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/**
 * The server that runs on a data folder already. One that is starting or stopping is waited for.
 *
 * @param {string} dataDir
 * @throws {ScriptError} if it does not become ready
 */
export async function findRunning(dataDir) {
  const began = Date.now();
  for (;;) {
    const server = readPidFile(dataDir);
    if (!server || !processExists(server.pid)) return undefined;
    const waited = Date.now() - began;
    const listens = await bindPort(server.port, '127.0.0.1').then(
      () => false,
      () => true,
    );
    if (listens && server.ready) return server;
    if (!listens && waited > LISTEN_MS) {
      // The server was killed, and another process has its pid now, as often in containers. While
      // the file is there PostgreSQL would not start.
      fs.rmSync(pidFile(dataDir), { force: true });
      return undefined;
    }
    if (waited > BUSY_MS)
      throw new ScriptError(
        `a PostgreSQL (pid ${server.pid}) runs on ${dataDir} but is not ready: end it, then try again`,
      );
    await sleep(100);
  }
}
