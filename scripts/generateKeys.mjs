/**
 * Makes the RSA pair that signs and verifies access tokens: private.pem and public.pem in CERTS_DIR.
 * It needs nothing installed.
 *
 *   node scripts/generateKeys.mjs [bits] [--force]
 */
import { generateKeyPair, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseEnv, promisify } from 'node:util';
import { errorCode } from './errorCode.mjs';
import { ScriptError } from './ScriptError.mjs';

const PROJECT_ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const USAGE = 'usage: node scripts/generateKeys.mjs [bits] [--force]';

/**
 * The folder of the key files as the service finds it: CERTS_DIR of the environment, otherwise of
 * `.env.<NODE_ENV>`, otherwise `certs`. Without NODE_ENV the service runs in prod.
 * @throws {ScriptError} if the .env file cannot be read
 */
export function certsDir() {
  const name = (process.env.NODE_ENV || 'prod').replace(/^(dev|prod)(elopment|uction)$/, '$1');
  const file = path.join(PROJECT_ROOT, `.env.${name}`);
  const dir = process.env.CERTS_DIR || settingsIn(file).CERTS_DIR || 'certs';
  return path.resolve(PROJECT_ROOT, dir);
}

/** @param {string} file */
function settingsIn(file) {
  try {
    return parseEnv(fs.readFileSync(file, 'utf8'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return {};
    throw new ScriptError(`cannot read ${file}: ${errorCode(error)}`);
  }
}

/**
 * Writes a new pair. The private key is never readable by other users, not even for a moment.
 *
 * @param {{ dir?: string, bits?: number, force?: boolean }} [options] `bits`: 2048 to 8192, a
 *   multiple of 256; without `force` nothing that exists is overwritten
 * @returns {Promise<{ privateFile: string, publicFile: string }>}
 * @throws {ScriptError}
 */
export async function generateKeys({ dir = certsDir(), bits = 2048, force = false } = {}) {
  if (!Number.isInteger(bits) || bits < 2048 || bits > 8192 || bits % 256 !== 0) {
    throw new ScriptError('bits must be a multiple of 256 from 2048 to 8192');
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
    // The private key first: a process that loses a race has then written nothing.
    writeAtomically(privateFile, privateKey, 0o600, force);
    writeAtomically(publicFile, publicKey, 0o644, force);
  } catch (error) {
    if (errorCode(error) === 'EEXIST' && !force) throw alreadyThere([privateFile, publicFile]);
    throw new ScriptError(`cannot write the keys to ${dir}: ${errorCode(error)}`);
  }
  return { privateFile, publicFile };
}

/** @param {string[]} files */
function alreadyThere(files) {
  return new ScriptError(`${files.join(' and ')} already there: --force overwrites the keys`);
}

/**
 * Writes a file so that a reader finds the old one or the new one, never half of one.
 * @param {string} file
 * @param {string} content
 * @param {number} mode
 * @param {boolean} overwrite false: an existing file is an EEXIST error
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
  if (rest.length > 1 || rest.some((arg) => arg.startsWith('-'))) throw new ScriptError(USAGE);
  const bits = rest[0] === undefined ? 2048 : Number(rest[0]);
  const { privateFile, publicFile } = await generateKeys({ bits, force });
  console.log(`wrote ${privateFile} and ${publicFile} (RSA, ${bits} bits)`);
}

if (process.argv[1] && fs.realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await main().catch((error) => {
    if (!(error instanceof ScriptError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  });
}
