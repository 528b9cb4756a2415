import { expressjwt } from 'express-jwt';
import jwksRsa from 'jwks-rsa';
import { verifyBehind } from './middleware.mjs';

/**
 * express-jwt as the guard of an Express application.
 *
 * @param {import('./service.mjs').Settings} settings
 */
export function verifyWithExpressJwt({ issuer, audience, jwksUri }) {
  return verifyBehind(
    expressjwt({
      secret: jwksRsa.expressJwtSecret({ jwksUri, cache: true, rateLimit: true }),
      algorithms: ['RS256'],
      issuer,
      audience,
      clockTolerance: 5, // seconds that the clocks may differ
    }),
    (req) => /** @type {import('express-jwt').Request} */ (req).auth?.sub ?? '',
  );
}
