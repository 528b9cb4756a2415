/**
 * Makes the RSA pair that signs and verifies access tokens: certs/private.pem and certs/public.pem.
 *
 *   node scripts/generateKeys.mjs [bits] [--force]
 *
 * The folder is CERTS_DIR, from the environment or from the file of settings of NODE_ENV, as the
 * service reads it; without NODE_ENV that is .env.prod, as for `npm start`.
 */
import { generateKeyPair, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv, promisify } from 'node:util';

const PROJECT_ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const USAGE = 'usage: node scripts/generateKeys.mjs [bits] [--force]';

/** An error whose message is one line for the person at the terminal. */
export class KeyFileError extends Error {
  name = 'KeyFileError';
}

/** The folder of the key files: CERTS_DIR, relative to the project's root, or `certs`. */
export function certsDir() {
  return path.resolve(PROJECT_ROOT, process.env.CERTS_DIR || settingsOfFile().CERTS_DIR || 'certs');
}

/** Without dotenv, because the keys may be made before anything is installed. */
function settingsOfFile() {
  const name = process.env.NODE_ENV || 'prod';
  const short = { development: 'dev', production: 'prod' }[name] ?? name;
  const file = path.join(PROJECT_ROOT, `.env.${short}`);
  try {
    return parseEnv(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT') return {};
    throw new KeyFileError(`cannot read ${file}: ${error.code}`);
  }
}

/**
 * Writes a new pair. The private key is never readable for others, not even for a moment.
 *
 * @param {{ dir?: string, bits?: number, force?: boolean }} [options] `bits`: 2048 to 8192, a
 *   multiple of 256; without `force` nothing that exists is overwritten
 * @returns {Promise<{ privateFile: string, publicFile: string }>}
 * @throws {KeyFileError}
 */
export async function generateKeys({ dir = certsDir(), bits = 2048, force = false } = {}) {
  if (!Number.isInteger(bits) || bits < 2048 || bits > 8192 || bits % 256 !== 0) {
    throw new KeyFileError('bits must be a multiple of 256 from 2048 to 8192');
  }
  const privateFile = path.join(dir, 'private.pem');
  const publicFile = path.join(dir, 'public.pem');
  const existing = [privateFile, publicFile].filter((file) => fs.existsSync(file));
  if (existing.length > 0 && !force) throw alreadyThere(existing);

  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: bits,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  try {
    fs.mkdirSync(dir, { recursive: true });
    // The private key first: whoever is beaten in a race has then written nothing yet.
    writeAtomically(privateFile, privateKey, 0o600, force);
    writeAtomically(publicFile, publicKey, 0o644, force);
  } catch (error) {
    if (error.code === 'EEXIST' && !force) throw alreadyThere([error.dest ?? privateFile]);
    throw new KeyFileError(`cannot write the keys into ${dir}: ${error.code}`);
  }
  return { privateFile, publicFile };
}

/**
 * @param {string[]} files
 */
function alreadyThere(files) {
  return new KeyFileError(`${files.join(' and ')} already there: --force overwrites the keys`);
}

/**
 * A reader finds the old file or the new one, never half of one.
 * @param {string} file
 * @param {string} content
 * @param {number} mode
 * @param {boolean} overwrite without it an existing file is an EEXIST error
 */
export function writeAtomically(file, content, mode, overwrite) {
  const unfinished = `${file}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
  try {
    fs.writeFileSync(unfinished, content, { mode, flag: 'wx' });
    fs.chmodSync(unfinished, mode);
    if (overwrite) fs.renameSync(unfinished, file);
    else fs.linkSync(unfinished, file);
  } finally {
    fs.rmSync(unfinished, { force: true });
  }
}

async function main() {
  const args = process.argv.slice(2);
  const force = args.includes('--force');
  const rest = args.filter((arg) => arg !== '--force');
  if (rest.length > 1 || rest.some((arg) => arg.startsWith('-'))) throw new KeyFileError(USAGE);
  const bits = rest[0] === undefined ? 2048 : Number(rest[0]);
  const { privateFile, publicFile } = await generateKeys({ bits, force });
  console.log(`wrote ${privateFile} and ${publicFile} (RSA, ${bits} bits)`);
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    if (!(error instanceof KeyFileError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  });
}
