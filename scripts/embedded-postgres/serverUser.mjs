import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { EmbeddedPostgresError } from './EmbeddedPostgresError.mjs';

/** @typedef {{ uid: number, gid: number, name: string }} ServerUser */

/**
 * The user that runs the server on a data folder. PostgreSQL refuses to run as root; then it is the
 * owner of the data, otherwise postgres or nobody.
 *
 * @param {string} dataDir
 * @returns {ServerUser | undefined} undefined: the user of this process
 * @throws {EmbeddedPostgresError}
 */
export function serverUser(dataDir) {
  const owner = fs.statSync(dataDir, { throwIfNoEntry: false });
  const self = process.getuid?.();
  if (self !== 0) {
    if (owner && self !== undefined && owner.uid !== self) {
      throw new EmbeddedPostgresError(
        `${dataDir} belongs to another user (uid ${owner.uid}): start as that user, or move the folder away`,
      );
    }
    return undefined;
  }
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid, name: `#${owner.uid}` };
  for (const name of ['postgres', 'nobody']) {
    const uid = spawnSync('id', ['-u', name], { encoding: 'utf8' });
    const gid = spawnSync('id', ['-g', name], { encoding: 'utf8' });
    if (uid.status === 0 && gid.status === 0) {
      return { uid: Number(uid.stdout), gid: Number(gid.stdout), name };
    }
  }
  throw new EmbeddedPostgresError(
    'PostgreSQL does not run as root, and there is no user postgres or nobody: start as an ordinary user',
  );
}
