import jwt from 'jsonwebtoken';
import jwksRsa from 'jwks-rsa';

/**
 * jsonwebtoken with the keys of jwks-rsa, which keeps each for ten minutes.
 *
 * @param {import('./service.mjs').Settings} settings
 * @returns {import('./middleware.mjs').Verifier}
 */
export function verifyWithJwksRsa({ issuer, audience, jwksUri }) {
  const client = jwksRsa({ jwksUri, cache: true, rateLimit: true });
  return {
    verify: async (token) => {
      const decoded = jwt.decode(token, { complete: true });
      // jsonwebtoken does not check the type; RFC 9068 section 4 requires it.
      if (decoded?.header.typ !== 'at+jwt') throw new Error('not an access token');
      const key = await client.getSigningKey(decoded.header.kid);
      const claims = jwt.verify(token, key.getPublicKey(), {
        issuer,
        audience,
        algorithms: ['RS256'],
        clockTolerance: 5, // seconds that the clocks may differ
      });
      return String(claims.sub);
    },
  };
}
