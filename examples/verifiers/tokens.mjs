import { createHash, createPublicKey, generateKeyPairSync } from 'node:crypto';
import fs from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import path from 'node:path';
import jwt from 'jsonwebtoken';

const jwkOf = (key) => {
  const { n, e } = createPublicKey(key).export({ format: 'jwk' });
  const kid = createHash('sha256')
    .update(JSON.stringify({ e, kty: 'RSA', n }))
    .digest('base64url');
  return { kty: 'RSA', use: 'sig', alg: 'RS256', kid, n, e };
};

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

/**
 * Tokens that must be refused, by what is wrong with them. Each differs from the good token in that
 * alone: those with wrong claims are signed with the service's own key.
 *
 * `control` is a token made the same way with nothing wrong: were it refused, the others would
 * prove nothing.
 */
export async function forge(good, refresh, certs) {
  const { header, payload } = jwt.decode(good, { complete: true });
  const own = fs.readFileSync(path.join(certs, 'private.pem'), 'utf8');
  const publicPem = fs.readFileSync(path.join(certs, 'public.pem'), 'utf8');
  const foreign = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey;
  const sign = (claims, key = own, headers = {}) =>
    jwt.sign({ ...payload, ...claims }, key, { header: { ...header, ...headers } });

  // A key set of the attacker's, for those who follow the token's own directions.
  const foreignJwk = jwkOf(foreign);
  const server = createServer((_req, res) => res.end(JSON.stringify({ keys: [foreignJwk] })));
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  const jku = `http://127.0.0.1:${server.address().port}/`;

  // jsonwebtoken refuses to sign with a public key, and so should everybody.
  const unsigned = `${part({ ...header, alg: 'HS256' })}.${part(payload)}`;
  const { createHmac } = await import('node:crypto');
  const hmac = createHmac('sha256', publicPem).update(unsigned).digest('base64url');
  const now = Math.floor(Date.now() / 1000);
  const [head, , signature] = good.split('.');

  return {
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
