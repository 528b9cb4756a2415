import type { Request, RequestHandler } from 'express';
import { isProblem, problem } from '../errors/problems';
import type { AuthCookies } from '../http/AuthCookies';
import type { AuditLog } from '../service/AuditLog';
import type { SessionService } from '../service/SessionService';
import type { TokenService } from '../service/TokenService';
import type { SessionOf } from '../types/session';
import type { RefreshClaims } from '../types/token';
import { liveSession } from './liveSession';
import { refreshClaimsOf } from './parseRefreshToken';
import { verifyEach } from './verifyEach';

interface Services {
  tokens: TokenService;
  sessions: SessionService;
  audit: AuditLog;
  cookies: AuthCookies;
}

/** Only these failures clear the cookies: the session is certainly over. */
const FINAL = new Set(['expired-token', 'session-ended', 'token-reused']);

/** Guard that **rotates** the refresh token and sets `req.rotated`; one statement, because two would race. */
export function validateRefreshToken(services: Services): RequestHandler {
  const { sessions, audit, cookies } = services;
  return async (req, res, next) => {
    try {
      const claims = await claimsToRotate(req, services);
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

/** Access cookies count, too: with one of another live session, the refresh would silently change the user. */
async function claimsToRotate(req: Request, services: Services): Promise<RefreshClaims> {
  const { tokens, sessions, cookies } = services;
  const claims = refreshClaimsOf(req, tokens, cookies);
  const foreign = cookies
    .accessTokens(req)
    .filter((token) => !claims.some(({ sessionId }) => tokens.mentions(token, sessionId)));
  const others = verifyEach(foreign, (token) => tokens.verifyAccessToken(token)).claims;
  const live = await liveSession<SessionOf>([...claims, ...others], sessions);
  const own = claims.find(({ sessionId }) => sessionId === live.sessionId);
  if (own === undefined) throw problem('session-ended', { audit: { cause: 'access only' } });
  return own;
}
