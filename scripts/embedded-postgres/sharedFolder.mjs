import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { ScriptError } from '../ScriptError.mjs';

/**
 * Makes a folder under /var/tmp that every user may enter and only we may write to.
 * @param {string} prefix
 * @param {string} subject what the folder is for, such as a path
 * @throws {ScriptError} if another user made it, or may write to it
 */
export function sharedFolder(prefix, subject) {
  const name = createHash('sha256').update(subject).digest('hex').slice(0, 16);
  const dir = `/var/tmp/${prefix}-${name}`;
  fs.mkdirSync(dir, { recursive: true, mode: 0o755 });
  const stat = fs.lstatSync(dir);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.() || stat.mode & 0o022) {
    throw new ScriptError(`${dir} belongs to another user: remove it, then try again`);
  }
  fs.chmodSync(dir, 0o755);
  return dir;
}
