import type { RequestHandler } from 'express';
import type { AuthCookies } from '../http/AuthCookies';
import { isProblem, problem } from '../errors/problems';
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

/** The failures that say for certain that the session is over; no other one clears the cookies. */
const FINAL = new Set(['expired-token', 'session-ended', 'token-reused']);

/**
 * Guard: presents the refresh token to its session, and lets the request pass with the session, and
 * its now live token, in `req.session`.
 *
 * To ask first and rotate later would be two steps with a race between them: a refresh token is
 * validated by its one statement.
 */
export function validateRefreshToken(services: Services): RequestHandler {
  const { tokens, sessions, audit, cookies } = services;
  return async (req, res, next) => {
    try {
      const claims = refreshClaimsOf(req, tokens);
      const { userId, sessionId } = claims;
      const outcome = await sessions.refresh(claims, req.caller);
      if (outcome.verdict === 'theft')
        throw problem('token-reused', { audit: { userId, sessionId, cause: outcome.cause } });
      if (outcome.verdict === 'ended')
        throw problem('session-ended', { audit: { userId, sessionId } });
      if (outcome.verdict !== 'rotate')
        audit.record('session_renewed', req.caller, {
          userId,
          sessionId,
          verdict: outcome.verdict,
        });
      req.session = outcome.session;
    } catch (error) {
      if (isProblem(error) && FINAL.has(error.code)) cookies.clear(res);
      throw error;
    }
    next();
  };
}
