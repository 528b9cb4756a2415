import type { RequestHandler } from 'express';
import { isProblem } from '../errors/problems';
import type { AuthCookies } from '../http/AuthCookies';
import type { AuditLog } from '../service/AuditLog';
import type { SessionService } from '../service/SessionService';
import type { TokenService } from '../service/TokenService';
import { refreshClaimsOf } from './parseRefreshToken';

interface Services {
  tokens: TokenService;
  sessions: SessionService;
  audit: AuditLog;
  cookies: AuthCookies;
}

/** The failures after which the session is certainly over; no other failure clears the cookies. */
const FINAL = new Set(['expired-token', 'session-ended', 'token-reused']);

/**
 * Guard that writes: **rotates** the refresh token, and lets the request pass with the session and its
 * new live token in `req.rotated`.
 *
 * A refresh token is validated by the statement that rotates it. A check followed by a rotation would
 * be two steps with a race between them.
 */
export function validateRefreshToken(services: Services): RequestHandler {
  const { tokens, sessions, audit, cookies } = services;
  return async (req, res, next) => {
    try {
      const claims = refreshClaimsOf(req, tokens);
      const { verdict, session } = await sessions.rotate(claims, req.caller);
      if (verdict !== 'rotate') {
        const { userId, sessionId } = session;
        audit.record('session_renewed', req.caller, { userId, sessionId, verdict });
      }
      req.rotated = session;
    } catch (error) {
      if (isProblem(error) && FINAL.has(error.code)) cookies.clear(res);
      throw error;
    }
    next();
  };
}
