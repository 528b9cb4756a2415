/**
 * Prints the public JWK of an RSA key in PEM form, private or public, as the service publishes it.
 *
 *   node scripts/convertPemToJwk.mjs [file] [--set]
 *
 * Without a file: certs/public.pem, else certs/private.pem. `-` reads standard input. `--set` prints
 * a JWK set. Nothing of the private part is ever printed.
 */
import { createHash, createPublicKey } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { certsDir } from './generateKeys.mjs';

const USAGE = 'usage: node scripts/convertPemToJwk.mjs [file | -] [--set]';

/** @param {string} line */
function fail(line) {
  console.error(line);
  process.exit(1);
}

/** @param {string | undefined} file */
function readPem(file) {
  const defaults = ['public.pem', 'private.pem'].map((name) => path.join(certsDir(), name));
  const source = file ?? defaults.find((name) => fs.existsSync(name)) ?? defaults[0];
  try {
    return fs.readFileSync(source === '-' ? 0 : source, 'utf8');
  } catch (error) {
    const hint = file ? '' : ': make the keys with node scripts/generateKeys.mjs';
    return fail(`cannot read ${source} (${error.code})${hint}`);
  }
}

/** @param {string} pem */
function parse(pem) {
  try {
    // Of a private key it takes the public half.
    return createPublicKey(pem);
  } catch {
    return fail('not a key in PEM form, or one with a passphrase');
  }
}

const args = process.argv.slice(2);
const files = args.filter((arg) => arg !== '--set');
if (files.length > 1 || files.some((arg) => arg !== '-' && arg.startsWith('-'))) fail(USAGE);

const key = parse(readPem(files[0]));
if (key.asymmetricKeyType !== 'rsa') fail(`not an RSA key but ${key.asymmetricKeyType}`);

const { n, e } = key.export({ format: 'jwk' });
// RFC 7638 section 3: the required members alone, in lexicographic order, without white space.
const kid = createHash('sha256')
  .update(JSON.stringify({ e, kty: 'RSA', n }))
  .digest('base64url');
const jwk = { kty: 'RSA', use: 'sig', alg: 'RS256', kid, n, e };
console.log(JSON.stringify(args.includes('--set') ? { keys: [jwk] } : jwk, null, 2));
