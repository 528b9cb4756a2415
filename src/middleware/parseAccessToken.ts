import type { Request, RequestHandler } from 'express';
import { ACCESS_COOKIE } from '../http/AuthCookies';
import { problem } from '../errors/problems';
import type { AccessClaims, TokenService } from '../service/TokenService';

/**
 * The claims of the request's access token: from the cookie, else from `Authorization: Bearer`
 * (RFC 6750 section 2.1). Whether the session still lives is not asked.
 *
 * @throws {Problem} `missing-token`, `invalid-token` or `expired-token`.
 */
export function accessClaimsOf(req: Request, tokens: TokenService): AccessClaims {
  const cookies = req.cookies as Record<string, unknown>;
  const token =
    (cookies[ACCESS_COOKIE] === '' ? undefined : cookies[ACCESS_COOKIE]) ??
    /^Bearer +(\S+) *$/i.exec(req.get('authorization') ?? '')?.[1];
  if (token === undefined) throw problem('missing-token');
  // cookie-parser makes an object of a cookie that begins with "j:".
  if (typeof token !== 'string') throw problem('invalid-token');
  return tokens.verifyAccessToken(token);
}

/** Guard: lets a request with a well-signed access token pass, with its claims in `req.auth`. */
export function parseAccessToken(tokens: TokenService): RequestHandler {
  return (req, _res, next) => {
    req.auth = accessClaimsOf(req, tokens);
    next();
  };
}
