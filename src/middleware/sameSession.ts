import type { RequestHandler } from 'express';
import { problem } from '../errors/problems';
import type { SessionService } from '../service/SessionService';
import { liveSession } from './liveSession';
import { required } from './requestState';

/**
 * Guard after parseAccessToken and parseRefreshToken: an access and a refresh token must name the same
 * session; otherwise a planted cookie could end the session of another user. Sets `req.auth`.
 * @throws {Problem} `invalid-token`; `ambiguous-cookies` if they name two live sessions.
 */
export function sameSession(sessions: SessionService): RequestHandler {
  return async (req, _res, next) => {
    const access = required(req, 'access');
    const refreshed = new Set(required(req, 'refresh').map(({ sessionId }) => sessionId));
    const paired = access.filter(({ sessionId }) => refreshed.has(sessionId));
    if (paired.length === 0)
      throw problem('invalid-token', {
        audit: { userId: access[0]?.userId, sessionId: access[0]?.sessionId, cause: 'mismatched' },
      });
    req.auth = await liveSession(paired, sessions);
    next();
  };
}
