import type { Request, RequestHandler } from 'express';
import { problem } from '../errors/problems';
import type { AuthCookies } from '../http/AuthCookies';
import type { TokenService } from '../service/TokenService';
import type { AccessClaims } from '../types/token';
import { verifyEach } from './verifyEach';

/**
 * The claims of at least one access token: from the cookies, otherwise from `Authorization: Bearer` (RFC
 * 6750 section 2.1). The sessions may have ended.
 * @throws {Problem} `missing-token`, `invalid-token`, `expired-token` or `ambiguous-cookies`.
 */
export function accessClaimsOf(
  req: Request,
  tokens: TokenService,
  cookies: AuthCookies,
): AccessClaims[] {
  const values = cookies.accessTokens(req);
  const { claims, refusal } = verifyEach(values.length > 0 ? values : bearerTokenOf(req), (token) =>
    tokens.verifyAccessToken(token),
  );
  if (claims.length === 0) throw refusal ?? problem('missing-token');
  return claims;
}

function bearerTokenOf(req: Request): string[] {
  const token = /^Bearer +(\S+) *$/i.exec(req.get('authorization') ?? '')?.[1];
  return token === undefined ? [] : [token];
}

/** Guard: requires a verified access token, whose session may have ended; sets `req.access`. */
export function parseAccessToken(tokens: TokenService, cookies: AuthCookies): RequestHandler {
  return (req, _res, next) => {
    req.access = accessClaimsOf(req, tokens, cookies);
    next();
  };
}
