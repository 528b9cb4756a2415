import type { RequestHandler } from 'express';
import type { AuthCookies } from '../http/AuthCookies';
import type { SessionService } from '../service/SessionService';
import type { TokenService } from '../service/TokenService';
import type { UserService } from '../service/UserService';
import { liveSession } from './liveSession';
import { accessClaimsOf } from './parseAccessToken';

interface Services {
  tokens: TokenService;
  sessions: SessionService;
  users: UserService;
  cookies: AuthCookies;
}

/** Guard: requires the access token of a live session; sets `req.auth` and `req.user`. */
export function authenticate({ tokens, sessions, users, cookies }: Services): RequestHandler {
  return async (req, _res, next) => {
    req.auth = await liveSession(accessClaimsOf(req, tokens, cookies), sessions);
    req.user = await users.findBySession(req.auth);
    next();
  };
}
