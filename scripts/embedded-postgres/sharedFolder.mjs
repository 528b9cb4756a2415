import fs from 'node:fs';
import path from 'node:path';
import { digest } from '../digest.mjs';
import { errorCode } from '../errorCode.mjs';
import { EmbeddedPostgresError } from './EmbeddedPostgresError.mjs';

/**
 * Makes a folder under /var/tmp that every user may enter and only we may write to.
 * @param {string} prefix
 * @param {string} subject what the folder is for, such as a path
 * @throws {EmbeddedPostgresError} if another user made it, or may write to it
 */
export function sharedFolder(prefix, subject) {
  const dir = path.join('/var/tmp', `${prefix}-${digest(subject)}`);
  try {
    fs.mkdirSync(dir, { mode: 0o700 });
    fs.chmodSync(dir, 0o755);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
  const stat = fs.lstatSync(dir);
  if (!stat.isDirectory() || stat.uid !== process.getuid?.() || stat.mode & 0o022) {
    throw new EmbeddedPostgresError(`${dir} belongs to another user: remove it, then try again`);
  }
  return dir;
}
