import type { Request, RequestHandler } from 'express';
import { problem } from '../errors/problems';
import type { AuthCookies } from '../http/AuthCookies';
import type { TokenService } from '../service/TokenService';
import type { RefreshClaims } from '../types/token';
import { verifyEach } from './verifyEach';

/**
 * The claims of at least one refresh cookie. The newest comes first: an older token of the session, left at
 * another path, would count as theft. The sessions may have ended.
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

/** Guard: requires a verified refresh token, whose session may have ended; sets `req.refresh`. */
export function parseRefreshToken(tokens: TokenService, cookies: AuthCookies): RequestHandler {
  return (req, _res, next) => {
    req.refresh = refreshClaimsOf(req, tokens, cookies);
    next();
  };
}
