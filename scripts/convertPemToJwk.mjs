/**
 * Prints the public JWK of an RSA key in PEM form, private or public, as the service publishes it.
 * It needs nothing installed. Without a file it reads public.pem in CERTS_DIR, otherwise private.pem;
 * `-` is standard input. `--set` prints a JWK set.
 */
import { createHash, createPublicKey } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { loadEnvironment } from './environment/loadEnvironment.mjs';
import { errorCode } from './errorCode.mjs';
import { certsDir } from './folders.mjs';
import { runScript } from './runScript.mjs';
import { ScriptError } from './ScriptError.mjs';

/** @param {string | undefined} given */
function readKey(given) {
  const files = ['public.pem', 'private.pem'].map((name) => path.join(certsDir(), name));
  const file = given ?? files.find((one) => fs.existsSync(one)) ?? files.join(' or ');
  try {
    const key = createPublicKey(fs.readFileSync(file === '-' ? 0 : file));
    if (!given) console.error(`read ${file}`);
    return key;
  } catch (error) {
    if (error instanceof Error && !('syscall' in error)) {
      throw new ScriptError('not a key in PEM form, or one with a passphrase');
    }
    const hint = given ? '' : ': make the keys with node scripts/generateKeys.mjs';
    throw new ScriptError(`cannot read ${file} (${errorCode(error)})${hint}`);
  }
}

await runScript(() => {
  const args = process.argv.slice(2);
  const [file, ...rest] = args.filter((arg) => arg !== '--set');
  if (rest.length > 0 || /^-./.test(file ?? '')) {
    throw new ScriptError('usage: node scripts/convertPemToJwk.mjs [file | -] [--set]');
  }
  loadEnvironment(process.env.NODE_ENV || 'prod');
  const key = readKey(file);
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
});
