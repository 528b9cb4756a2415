/**
 * Prints the public JWK of an RSA key in PEM form, private or public, as the service publishes it.
 * It needs nothing installed, and never prints a private part.
 *
 *   node scripts/convertPemToJwk.mjs [file] [--set]
 *
 * Without a file: public.pem in CERTS_DIR, otherwise private.pem. `-` reads standard input. `--set`
 * prints a JWK set.
 */
import { createHash, createPublicKey } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { errorCode } from './errorCode.mjs';
import { certsDir } from './generateKeys.mjs';
import { ScriptError } from './ScriptError.mjs';

const USAGE = 'usage: node scripts/convertPemToJwk.mjs [file | -] [--set]';

/** @param {string | undefined} given */
function readPem(given) {
  const publicFile = path.join(certsDir(), 'public.pem');
  const privateFile = path.join(certsDir(), 'private.pem');
  const file = given ?? (fs.existsSync(publicFile) ? publicFile : privateFile);
  try {
    const pem = fs.readFileSync(file === '-' ? 0 : file, 'utf8');
    if (!given) console.error(`read ${file}`);
    return pem;
  } catch (error) {
    const hint = given ? '' : ': make the keys with node scripts/generateKeys.mjs';
    throw new ScriptError(`cannot read ${file} (${errorCode(error)})${hint}`);
  }
}

/** @param {string} pem */
function parse(pem) {
  try {
    return createPublicKey(pem);
  } catch {
    throw new ScriptError('not a key in PEM form, or one with a passphrase');
  }
}

function main() {
  const args = process.argv.slice(2);
  const files = args.filter((arg) => arg !== '--set');
  if (files.length > 1 || files.some((arg) => arg !== '-' && arg.startsWith('-'))) {
    throw new ScriptError(USAGE);
  }
  const key = parse(readPem(files[0]));
  if (key.asymmetricKeyType !== 'rsa') {
    throw new ScriptError(`not an RSA key but ${key.asymmetricKeyType}`);
  }
  const { n, e } = key.export({ format: 'jwk' });
  // RFC 7638 section 3: only the required members, in lexicographic order, without white space.
  const kid = createHash('sha256')
    .update(JSON.stringify({ e, kty: 'RSA', n }))
    .digest('base64url');
  const jwk = { kty: 'RSA', use: 'sig', alg: 'RS256', kid, n, e };
  console.log(JSON.stringify(args.includes('--set') ? { keys: [jwk] } : jwk, null, 2));
}

try {
  main();
} catch (error) {
  if (!(error instanceof ScriptError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
