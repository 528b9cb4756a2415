import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { serverUser } from './serverUser.mjs';
import { sharedFolder } from './sharedFolder.mjs';

/**
 * Where the data are, without symbolic links, and who runs the server; undefined is our own user.
 * It is another place than the wanted one if the server's user cannot enter that.
 *
 * @param {string} wanted an absolute path
 * @param {(line: string) => void} log
 * @returns {{ dataDir: string, user: import('./serverUser.mjs').ServerUser | undefined }}
 */
export function chooseSite(wanted, log) {
  const parent = path.dirname(wanted);
  fs.mkdirSync(parent, { recursive: true });
  let dataDir = wanted;
  let user = serverUser(dataDir);
  // Tried, because mode bits do not show access lists and mount options.
  const cd = ['-c', 'cd "$1"', 'sh', parent];
  if (user && spawnSync('/bin/sh', cd, { ...user, cwd: '/' }).status !== 0) {
    dataDir = path.join(sharedFolder('auth-service', wanted), 'postgres');
    user = serverUser(dataDir);
    log(`the database's user cannot enter ${parent}: the data are in ${dataDir}`);
  }
  return { dataDir: fs.existsSync(dataDir) ? fs.realpathSync(dataDir) : dataDir, user };
}
