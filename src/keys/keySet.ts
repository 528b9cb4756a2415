import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

const MIN_MODULUS_BITS = 2048;

/** A public RSA key (RFC 7517 section 4, RFC 7518 section 6.3.1). */
export interface PublicJwk {
  kty: 'RSA';
  use: 'sig';
  alg: 'RS256';
  kid: string;
  n: string;
  e: string;
}

export interface KeySet {
  readonly signing: { readonly kid: string; readonly privateKey: KeyObject };
  readonly verifying: ReadonlyMap<string, KeyObject>;
  readonly jwks: { readonly keys: readonly PublicJwk[] };
}

/** `current` may change: read it at each use. */
export interface Keys {
  readonly current: KeySet;
}

/** A missing or invalid key; the message contains nothing of it. */
export class KeyError extends Error {
  override name = 'KeyError';
}

function parseKey(name: string, pem: string, parse: (pem: string) => KeyObject): KeyObject {
  let key: KeyObject;
  try {
    key = parse(pem);
  } catch (cause) {
    throw new KeyError(`${name} is not a key in PEM form`, { cause });
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== 'rsa' || bits < MIN_MODULUS_BITS) {
    throw new KeyError(`${name} must be an RSA key of at least ${MIN_MODULUS_BITS} bits`);
  }
  return key;
}

/** An RSA key of at least 2048 bits, without a passphrase. @throws {KeyError} that begins with `name`. */
export function parsePrivateKey(name: string, pem: string): KeyObject {
  return parseKey(name, pem, createPrivateKey);
}

/** An RSA key of at least 2048 bits, from public or private PEM. @throws {KeyError} that begins with `name`. */
export function parsePublicKey(name: string, pem: string): KeyObject {
  return parseKey(name, pem, createPublicKey);
}

/** The kid is the key's thumbprint (RFC 7638 section 3). */
export function publicJwk(publicKey: KeyObject): PublicJwk {
  const { n = '', e = '' } = publicKey.export({ format: 'jwk' });
  const kid = createHash('sha256')
    .update(JSON.stringify({ e, kty: 'RSA', n }))
    .digest('base64url');
  return { kty: 'RSA', use: 'sig', alg: 'RS256', kid, n, e };
}

/** The signing key comes first: some verifiers ignore the kid. @throws {KeyError} if the keys are no pair. */
export function keySetOf(
  privateKey: KeyObject,
  publicKey: KeyObject,
  further: readonly KeyObject[] = [],
): KeySet {
  const { kid } = publicJwk(publicKey);
  if (publicJwk(createPublicKey(privateKey)).kid !== kid) {
    throw new KeyError('the private key and the public key are not a pair');
  }
  const verifying = new Map([publicKey, ...further].map((key) => [publicJwk(key).kid, key]));
  return {
    signing: { kid, privateKey },
    verifying,
    jwks: { keys: [...verifying.values()].map(publicJwk) },
  };
}
