import { createHash, createPrivateKey, createPublicKey, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import jwt from 'jsonwebtoken';

/**
 * Signs the tokens of sessions in the table, as the service does.
 * @param {import('./workbench.mjs').Workbench} bench
 */
export function signer(bench) {
  const pem = fs.readFileSync(path.join(bench.certs, 'private.pem'));
  const privateKey = createPrivateKey(pem);
  const { e, kty, n } = createPublicKey(pem).export({ format: 'jwk' });
  const kid = createHash('sha256').update(JSON.stringify({ e, kty, n })).digest('base64url');
  const iat = Math.floor(Date.now() / 1000);
  return (/** @type {import('./fill.mjs').Session} */ session) => {
    const claims = { iss: 'http://localhost', aud: 'auth-service', sub: String(session.userId) };
    const access = { ...claims, sid: session.sessionId, role: 'customer', jti: randomUUID() };
    const refresh = {
      ...claims,
      ...{ sid: session.sessionId, jti: session.id, iat, exp: session.expiresAt },
    };
    return {
      access_token: jwt.sign({ ...access, iat, exp: iat + 3600 }, privateKey, {
        algorithm: 'RS256',
        header: { alg: 'RS256', typ: 'at+jwt', kid },
      }),
      refresh_token: jwt.sign(refresh, bench.secret, { algorithm: 'HS256' }),
    };
  };
}
