import { createHash, createHmac, createPublicKey, generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import path from 'node:path';
import { portOf } from '../../tests/harness/portOf.js';
import { decoded } from './decoded.mjs';
import jwt from 'jsonwebtoken';

/** @param {string} key in PEM form */
const jwkOf = (key) => {
  const { n, e } = createPublicKey(key).export({ format: 'jwk' });
  const kid = createHash('sha256')
    .update(JSON.stringify({ e, kty: 'RSA', n }))
    .digest('base64url');
  return { kty: 'RSA', use: 'sig', alg: 'RS256', kid, n, e };
};

/** @param {object} value */
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/**
 * Tokens that must be refused, by their fault. Each differs from the good token only in that: those with
 * wrong claims are signed with the service's own key.
 *
 * `control` is made in the same way and is valid: if it is refused, the others prove nothing. `sign` makes
 * more of them, with other claims.
 *
 * @param {string} good
 * @param {string} refresh
 * @param {string} certs
 */
export async function forge(good, refresh, certs) {
  const { header, payload } = decoded(good);
  const own = fs.readFileSync(path.join(certs, 'private.pem'), 'utf8');
  const publicPem = fs.readFileSync(path.join(certs, 'public.pem'), 'utf8');
  const foreign = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey;
  /**
   * @param {object} claims
   * @param {string} [key]
   * @param {object} [headers]
   */
  const sign = (claims, key = own, headers = {}) =>
    jwt.sign({ ...payload, ...claims }, key, { header: { ...header, ...headers } });

  // The attacker's own key set, for a verifier that takes it from the token.
  const foreignJwk = jwkOf(foreign);
  const server = createServer((_req, res) => res.end(JSON.stringify({ keys: [foreignJwk] })));
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  const jku = `http://127.0.0.1:${portOf(server)}/`;

  // By hand, because jsonwebtoken refuses to sign with a public key.
  const unsigned = `${part({ ...header, alg: 'HS256' })}.${part(payload)}`;
  const hmac = createHmac('sha256', publicPem).update(unsigned).digest('base64url');
  const now = Math.floor(Date.now() / 1000);
  const [head = '', , signature = ''] = good.split('.');

  return {
    sign: (/** @type {object} */ claims) => sign(claims),
    control: sign({}),
    bad: {
      'that has expired': sign({ iat: now - 7200, exp: now - 3600 }),
      'for another audience': sign({ aud: 'another-service' }),
      'of another issuer': sign({ iss: 'http://attacker.example' }),
      'with alg none': `${part({ ...header, alg: 'none' })}.${part(payload)}.`,
      'with HS256 and the public key as its secret': `${unsigned}.${hmac}`,
      'that is a refresh token': refresh,
      'of a key that is not in the set': sign({}, foreign, { kid: foreignJwk.kid }),
      'of another key under a known kid': sign({}, foreign),
      'that brings its own key set': sign({}, foreign, {
        kid: foreignJwk.kid,
        jku,
        jwk: foreignJwk,
      }),
      'with a changed role': `${head}.${part({ ...payload, role: 'admin' })}.${signature}`,
    },
  };
}
