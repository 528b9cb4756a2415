import { createRemoteJWKSet, jwtVerify } from 'jose';

/**
 * jose: keeps the key set for ten minutes, and fetches it again for an unknown kid.
 *
 * @param {import('./service.mjs').Settings} settings
 * @returns {import('./middleware.mjs').Verifier}
 */
export function verifyWithJose({ issuer, audience, jwksUri }) {
  const keys = createRemoteJWKSet(new URL(jwksUri));
  return {
    verify: async (token) => {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: ['RS256'],
        typ: 'at+jwt',
        requiredClaims: ['exp', 'sub'],
        clockTolerance: 5, // seconds that the clocks may differ
      });
      return payload.sub ?? '';
    },
  };
}
