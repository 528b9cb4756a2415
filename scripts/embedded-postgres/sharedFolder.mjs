import fs from 'node:fs';
import path from 'node:path';
import { digest } from '../digest.mjs';
import { ScriptError } from '../ScriptError.mjs';

/**
 * Makes a folder under /var/tmp that every user may enter and only we may write to.
 * @param {string} prefix
 * @param {string} subject what the folder is for, such as a path
 * @throws {ScriptError} if another user made it, or may write to it
 */
export function sharedFolder(prefix, subject) {
  const dir = path.join('/var/tmp', `${prefix}-${digest(subject)}`);
  if (!fs.existsSync(dir)) {
    fs.mkdirSync(dir, { recursive: true });
    fs.chmodSync(dir, 0o755);
  }
  const stat = fs.lstatSync(dir);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.() || stat.mode & 0o022)
    throw new ScriptError(`${dir} belongs to another user: remove it, then try again`);
  return dir;
}
