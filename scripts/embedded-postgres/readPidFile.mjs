import fs from 'node:fs';
import path from 'node:path';
import { errorCode } from '../errorCode.mjs';

/**
 * What PostgreSQL's postmaster.pid says about the server on a data folder.
 * @param {string} dataDir
 * @returns {{ pid: number, port: number, ready: boolean, written: number } | undefined} undefined if
 *   there is none; `ready`: it accepts connections; `written`: when, in milliseconds
 */
export function readPidFile(dataDir) {
  try {
    const file = path.join(dataDir, 'postmaster.pid');
    const { mtimeMs: written } = fs.statSync(file);
    const lines = fs.readFileSync(file, 'utf8').split('\n');
    const pid = Number(lines[0]);
    if (!Number.isInteger(pid) || pid < 1) return undefined;
    return { pid, port: Number(lines[3]) || 0, ready: lines[7]?.trim() === 'ready', written };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
