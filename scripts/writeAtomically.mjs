import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { errorCode } from './errorCode.mjs';

/**
 * Writes a file so that a reader finds all of it or nothing.
 * @param {string} file
 * @param {string} content
 * @param {number} mode
 * @param {boolean} [overwrite] false leaves an existing file alone
 * @returns {boolean} whether it was written
 */
export function writeAtomically(file, content, mode, overwrite = false) {
  const unfinished = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    fs.writeFileSync(unfinished, content, { mode, flag: 'wx' });
    fs.chmodSync(unfinished, mode);
    if (overwrite) fs.renameSync(unfinished, file);
    else fs.linkSync(unfinished, file);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    fs.rmSync(unfinished, { force: true });
  }
}
