import { createRemoteJWKSet, jwtVerify } from 'jose';

/** jose: keeps the key set for ten minutes, and asks again for a kid that it does not know. */
export function verifyWithJose({ issuer, audience, jwksUri }) {
  const keys = createRemoteJWKSet(new URL(jwksUri));
  return async (token) => {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      algorithms: ['RS256'],
      typ: 'at+jwt',
      requiredClaims: ['exp', 'sub'],
    });
    return payload.sub;
  };
}
