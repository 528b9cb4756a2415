import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';

const MIN_MODULUS_BITS = 2048;

/** A public RSA key as other services read it (RFC 7517 section 4, RFC 7518 section 6.3.1). */
export interface PublicJwk {
  kty: 'RSA';
  use: 'sig';
  alg: 'RS256';
  kid: string;
  n: string;
  e: string;
}

/** The key that signs access tokens, and the public keys that verify them, by kid. */
export interface KeySet {
  signing: { kid: string; privateKey: KeyObject };
  verifying: ReadonlyMap<string, KeyObject>;
  jwks: { keys: PublicJwk[] };
}

/** A key that is missing or unsound; the message says what to do, and holds nothing of the key. */
export class KeyError extends Error {
  override name = 'KeyError';
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new KeyError(
      `${file} cannot be read: make the keys with "node scripts/generateKeys.mjs"`,
      {
        cause,
      },
    );
  }
}

function parseKey(file: string, parse: (pem: string) => KeyObject): KeyObject {
  const pem = readPem(file);
  let key: KeyObject;
  try {
    key = parse(pem);
  } catch (cause) {
    throw new KeyError(`${file} is not a key in PEM form`, { cause });
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== 'rsa' || bits < MIN_MODULUS_BITS) {
    throw new KeyError(`${file} must be an RSA key of at least ${MIN_MODULUS_BITS} bits`);
  }
  return key;
}

/** The JWK of an RSA public key; its kid is the key's thumbprint (RFC 7638 section 3). */
export function publicJwk(publicKey: KeyObject): PublicJwk {
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  const kid = createHash('sha256')
    .update(JSON.stringify({ e, kty: 'RSA', n }))
    .digest('base64url');
  return { kty: 'RSA', use: 'sig', alg: 'RS256', kid, n, e };
}

/** The key set of one pair of keys that belong together. */
export function keySetOf(privateKey: KeyObject, publicKey: KeyObject): KeySet {
  const jwk = publicJwk(publicKey);
  if (publicJwk(createPublicKey(privateKey)).kid !== jwk.kid) {
    throw new KeyError('the private key and the public key are not a pair');
  }
  return {
    signing: { kid: jwk.kid, privateKey },
    verifying: new Map([[jwk.kid, publicKey]]),
    jwks: { keys: [jwk] },
  };
}

/**
 * The keys in `private.pem` and `public.pem` of a folder, parsed once.
 *
 * @throws {KeyError} where one is missing, not RSA, shorter than 2048 bits, or they are not a pair.
 */
export function loadKeys(dir: string): KeySet {
  return keySetOf(
    parseKey(path.join(dir, 'private.pem'), createPrivateKey),
    parseKey(path.join(dir, 'public.pem'), createPublicKey),
  );
}
