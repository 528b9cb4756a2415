import fs from 'node:fs';
import { ScriptError } from '../ScriptError.mjs';

/** @typedef {{ uid: number, gid: number }} ServerUser */

/**
 * The user that runs the server on a data folder. PostgreSQL refuses to run as root; then it is the
 * owner of the data, otherwise postgres or nobody.
 *
 * @param {string} dataDir
 * @returns {ServerUser | undefined} undefined: the user of this process
 * @throws {ScriptError}
 */
export function serverUser(dataDir) {
  const owner = fs.statSync(dataDir, { throwIfNoEntry: false });
  const self = process.getuid?.();
  if (self !== 0) {
    if (owner === undefined || self === undefined || owner.uid === self) return undefined;
    throw new ScriptError(
      `${dataDir} belongs to another user (uid ${owner.uid}): start as that user, or move the folder away`,
    );
  }
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const users = fs.readFileSync('/etc/passwd', 'utf8');
  const [, uid, gid] =
    /^postgres:[^:]*:(\d+):(\d+)/m.exec(users) ?? /^nobody:[^:]*:(\d+):(\d+)/m.exec(users) ?? [];
  if (uid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  throw new ScriptError(
    'PostgreSQL does not run as root, and there is no user postgres or nobody: start as an ordinary user',
  );
}
