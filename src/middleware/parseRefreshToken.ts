import type { Request, RequestHandler } from 'express';
import { problem } from '../errors/problems';
import { REFRESH_COOKIE } from '../http/AuthCookies';
import type { TokenService } from '../service/TokenService';
import type { RefreshClaims } from '../types/token';

/**
 * The claims of the refresh cookie. Does not check whether the session is live.
 *
 * @throws {Problem} `missing-token`, `invalid-token` or `expired-token`.
 */
export function refreshClaimsOf(req: Request, tokens: TokenService): RefreshClaims {
  const token = (req.cookies as Record<string, unknown>)[REFRESH_COOKIE];
  if (token === undefined) throw problem('missing-token');
  if (typeof token !== 'string') throw problem('invalid-token');
  return tokens.verifyRefreshToken(token);
}

/** Guard: lets a request with a correctly signed refresh token pass, with its claims in `req.refresh`. */
export function parseRefreshToken(tokens: TokenService): RequestHandler {
  return (req, _res, next) => {
    req.refresh = refreshClaimsOf(req, tokens);
    next();
  };
}
