import type { Request, RequestHandler } from 'express';
import { problem } from '../errors/problems';
import type { AuthCookies } from '../http/AuthCookies';
import type { TokenService } from '../service/TokenService';
import type { RefreshClaims } from '../types/token';
import { verifyEach } from './verifyEach';

/**
 * The claims of the refresh cookies, at least one, the newest first: a session's older token, left at
 * another path, must not be judged in place of its live one. Does not check whether the sessions are
 * live.
 * @throws {Problem} `missing-token`, `invalid-token`, `expired-token` or `ambiguous-cookies`.
 */
export function refreshClaimsOf(
  req: Request,
  tokens: TokenService,
  cookies: AuthCookies,
): RefreshClaims[] {
  const { claims, refusal } = verifyEach(cookies.refreshTokens(req), (token) =>
    tokens.verifyRefreshToken(token),
  );
  if (claims.length === 0) throw refusal ?? problem('missing-token');
  return claims.sort((one, other) => Number(BigInt(other.tokenId) - BigInt(one.tokenId)));
}

/** Guard: lets a request with a correctly signed refresh token pass, with its claims in `req.refresh`. */
export function parseRefreshToken(tokens: TokenService, cookies: AuthCookies): RequestHandler {
  return (req, _res, next) => {
    req.refresh = refreshClaimsOf(req, tokens, cookies);
    next();
  };
}
