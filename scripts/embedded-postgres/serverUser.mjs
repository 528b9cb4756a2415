import fs from 'node:fs';
import { ScriptError } from '../ScriptError.mjs';

/** @typedef {{ uid: number, gid: number }} ServerUser */

/**
 * The user that runs the server on a data folder. PostgreSQL refuses to run as root; then it is the
 * owner of the data, otherwise postgres or nobody.
 *
 * @param {string} dataDir
 * @returns {ServerUser | undefined} undefined: the user of this process
 */
export function serverUser(dataDir) {
  if (process.getuid?.() !== 0) return undefined;
  const owner = fs.statSync(dataDir, { throwIfNoEntry: false });
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const accounts = fs.readFileSync('/etc/passwd', 'utf8');
  const [, uid, gid] =
    /^postgres:[^:]*:(\d+):(\d+)/m.exec(accounts) ??
    /^nobody:[^:]*:(\d+):(\d+)/m.exec(accounts) ??
    [];
  if (uid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  throw new ScriptError(
    'PostgreSQL does not run as root, and there is no user postgres or nobody: start as another user',
  );
}
