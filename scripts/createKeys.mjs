import { generateKeyPair } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { ScriptError } from './ScriptError.mjs';
import { writeAtomically } from './writeAtomically.mjs';

/**
 * Writes a new RSA pair. The private key is never readable by other users, not even for a moment.
 *
 * @param {string} dir
 * @param {{ bits?: number, force?: boolean }} [options] `bits`: 2048 to 8192, a multiple of 256;
 *   without `force` nothing that exists is overwritten
 * @returns {Promise<string[]>} the files
 */
export async function createKeys(dir, { bits = 2048, force = false } = {}) {
  if (!Number.isInteger(bits) || bits < 2048 || bits > 8192 || bits % 256 !== 0) {
    throw new ScriptError('bits must be a multiple of 256 from 2048 to 8192');
  }
  const files = ['private.pem', 'public.pem'].map((name) => path.join(dir, name));
  const [privateFile = '', publicFile = ''] = files;
  const existing = files.filter((file) => fs.existsSync(file));
  if (existing.length > 0 && !force) throw alreadyThere(existing);
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: bits,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  fs.mkdirSync(dir, { recursive: true });
  // A crash may leave the old or the new private key alone, but never halves of two pairs.
  if (force) fs.rmSync(publicFile, { force: true });
  if (!writeAtomically(privateFile, privateKey, 0o600, force)) throw alreadyThere([privateFile]);
  writeAtomically(publicFile, publicKey, 0o644, force);
  return files;
}

/** @param {string[]} files */
function alreadyThere(files) {
  return new ScriptError(`${files.join(' and ')} already there: --force overwrites the keys`);
}
