import type { RequestHandler } from 'express';
import { errors, jwtVerify, type JWTPayload } from 'jose';
import { issuerKeys } from './issuerKeys.js';
import { Refusal } from './Refusal.js';
import { tokensOf } from './tokensOf.js';
import type { AccessUser } from './userOf.js';

export interface TrustSettings {
  /** Exactly the JWT_ISSUER of auth-service. */
  issuer: string;
  /** Its JWT_AUDIENCE. */
  audience?: string;
  /** Where the keys are, if this service cannot reach the issuer at its public address. */
  jwksUri?: string;
  /** The name of the cookie, with the COOKIE_PREFIX of auth-service. */
  cookie?: string;
  /** By how many seconds the clocks may differ. */
  leeway?: number;
  /** How often to fetch the keys, in seconds; auth-service expects it every 300. */
  refreshInterval?: number;
}

interface AccessClaims extends JWTPayload {
  sub: string;
  iat: number;
  role: string;
  sid: string;
}

/** Bounds the signatures that one request can make us verify. */
const MAX_TOKENS = 8;

/**
 * Guard: requires an access token of auth-service, from the cookie, otherwise from `Authorization:
 * Bearer`, for `userOf` and `requireRole`. Otherwise it responds with 401, or with 503 if the keys that
 * the token needs cannot be fetched. Create it once: it keeps the keys.
 */
export function accessToken({
  issuer,
  audience = 'auth-service',
  jwksUri,
  cookie = 'access_token',
  leeway = 5,
  refreshInterval = 240,
}: TrustSettings): RequestHandler {
  const keys = issuerKeys({ issuer, jwksUri, refreshInterval });

  /** Undefined if the token is invalid. */
  const claimsOf = async (token: string): Promise<AccessClaims | undefined> => {
    try {
      const { payload } = await jwtVerify<AccessClaims>(token, keys, {
        issuer,
        audience,
        algorithms: ['RS256'],
        typ: 'at+jwt',
        requiredClaims: ['exp', 'iat', 'sub', 'sid', 'role'],
        clockTolerance: leeway,
      });
      return payload;
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  };

  const userWith = async (tokens: string[]): Promise<AccessUser> => {
    if (tokens.length === 0) throw new Refusal('missing-token');
    if (tokens.length > MAX_TOKENS) throw new Refusal('ambiguous-cookies');
    const claims = (await Promise.all(tokens.map(claimsOf))).filter((it) => it !== undefined);
    // A page of a sibling domain can plant a cookie of its own user.
    if (new Set(claims.map(({ sid }) => sid)).size > 1) throw new Refusal('ambiguous-cookies');
    const newest = claims.sort((one, two) => two.iat - one.iat)[0];
    if (!newest) throw new Refusal('invalid-token');
    return { id: Number(newest.sub), role: newest.role, sessionId: newest.sid };
  };

  return async (req, res, next) => {
    try {
      res.locals.user = await userWith(tokensOf(req, cookie));
    } catch (error) {
      if (error instanceof Refusal) error.send(res);
      else next(error);
      return;
    }
    next();
  };
}
