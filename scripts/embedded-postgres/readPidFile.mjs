import fs from 'node:fs';
import path from 'node:path';

/**
 * What PostgreSQL's postmaster.pid says about the server on a data folder; undefined if there is
 * none. `ready`: it accepts connections. `written`: when, in milliseconds.
 * @param {string} dataDir
 */
export function readPidFile(dataDir) {
  const file = path.join(dataDir, 'postmaster.pid');
  try {
    const { mtimeMs: written } = fs.statSync(file);
    const lines = fs.readFileSync(file, 'utf8').split('\n');
    const [pid = 0, , , port = 0] = lines.map(Number);
    return pid > 0 ? { pid, port, ready: lines[7]?.trim() === 'ready', written } : undefined;
  } catch {
    return undefined;
  }
}
