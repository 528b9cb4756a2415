import { auth } from 'express-oauth2-jwt-bearer';
import { verifyBehind } from './middleware.mjs';

/**
 * express-oauth2-jwt-bearer as the guard of an Express application: it knows only the issuer, and
 * finds the keys and the algorithm by discovery.
 *
 * Its `strict` mode requires the claim client_id (RFC 9068 section 2.2), which tokens of a
 * first-party login do not have.
 *
 * @param {import('./service.mjs').Settings} settings
 */
export function verifyWithExpressOauth2JwtBearer({ issuer, audience }) {
  return verifyBehind(
    auth({ issuerBaseURL: issuer, audience }),
    (req) => req.auth?.payload.sub ?? '',
  );
}
