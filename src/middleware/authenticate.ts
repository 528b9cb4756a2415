import type { RequestHandler } from 'express';
import type { TokenService } from '../service/TokenService';
import type { UserService } from '../service/UserService';
import { accessClaimsOf } from './parseAccessToken';

/**
 * Guard: lets a request pass whose access token belongs to a live session, with its claims in
 * `req.auth` and the account in `req.user`.
 */
export function authenticate(tokens: TokenService, users: UserService): RequestHandler {
  return async (req, _res, next) => {
    req.auth = accessClaimsOf(req, tokens);
    req.user = await users.findBySession(req.auth);
    next();
  };
}
