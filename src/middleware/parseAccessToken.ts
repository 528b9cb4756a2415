import type { Request, RequestHandler } from 'express';
import { problem } from '../errors/problems';
import { ACCESS_COOKIE } from '../http/AuthCookies';
import type { TokenService } from '../service/TokenService';
import type { AccessClaims } from '../types/token';

/**
 * The claims of the request's access token: from the cookie, otherwise from `Authorization: Bearer`
 * (RFC 6750 section 2.1). Does not check whether the session is live.
 *
 * @throws {Problem} `missing-token`, `invalid-token` or `expired-token`.
 */
export function accessClaimsOf(req: Request, tokens: TokenService): AccessClaims {
  const cookies = req.cookies as Record<string, unknown>;
  const token =
    (cookies[ACCESS_COOKIE] === '' ? undefined : cookies[ACCESS_COOKIE]) ??
    /^Bearer +(\S+) *$/i.exec(req.get('authorization') ?? '')?.[1];
  if (token === undefined) throw problem('missing-token');
  // cookie-parser turns a cookie that begins with "j:" into an object.
  if (typeof token !== 'string') throw problem('invalid-token');
  return tokens.verifyAccessToken(token);
}

/** Guard: lets a request with a correctly signed access token pass, with its claims in `req.auth`. */
export function parseAccessToken(tokens: TokenService): RequestHandler {
  return (req, _res, next) => {
    req.auth = accessClaimsOf(req, tokens);
    next();
  };
}
