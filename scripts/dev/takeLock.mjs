import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { digest } from '../digest.mjs';
import { errorCode } from '../errorCode.mjs';
import { dataFolder } from '../project-env.mjs';
import { ScriptError } from '../ScriptError.mjs';

/** How long a holder may take to tell its pid: a suspended one never does. */
const ASK_MS = 2_000;

/**
 * Reserves the data folder for this process by listening on a local socket, which the system closes
 * however the process ends.
 *
 * @returns {Promise<{ afterCrash: boolean, release: () => void }>} `afterCrash`: the previous holder
 *   was killed, and what it had started may still be ending
 * @throws {ScriptError} that names the process that holds it
 */
export async function takeLock() {
  const name = `auth-service-dev-${digest(`${process.getuid?.()} ${dataFolder()}`)}`;
  // Not in the data folder: the path of a socket is limited to about 100 characters.
  const address =
    process.platform === 'win32' ? `\\\\.\\pipe\\${name}` : path.join(os.tmpdir(), `${name}.sock`);
  for (let afterCrash = false; ; afterCrash = true) {
    const server = await listen(address);
    if (server) return { afterCrash, release: () => void server.close() };
    const holder = await askHolder(address);
    if (holder) {
      throw new ScriptError(`npm run dev is already running in this tree (pid ${holder})`);
    }
    fs.rmSync(address, { force: true });
  }
}

/**
 * @param {string} address
 * @returns {Promise<net.Server | undefined>} undefined if the address is in use
 */
function listen(address) {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end(String(process.pid));
    });
    server.once('error', (error) => {
      if (errorCode(error) === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(address, () => resolve(server));
  });
}

/**
 * @param {string} address
 * @returns {Promise<string>} the pid of the process that listens there; '' if none does
 */
async function askHolder(address) {
  const socket = net.connect(address).setTimeout(ASK_MS, () => socket.destroy());
  try {
    await once(socket, 'connect');
    return (await text(socket)) || 'unknown';
  } catch (error) {
    if (['ECONNREFUSED', 'ENOENT'].includes(errorCode(error))) return '';
    return 'unknown';
  }
}
