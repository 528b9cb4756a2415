import { problem } from '../errors/problems';
import type { SessionService } from '../service/SessionService';
import type { SessionOf } from '../types/session';

/**
 * The first of these claims whose session is live. If all name one session, or all have ended, simply the
 * first: the next statement finds out. @throws {Problem} `ambiguous-cookies` if two sessions are live.
 */
export async function liveSession<Claims extends SessionOf>(
  claims: readonly Claims[],
  sessions: SessionService,
): Promise<Claims> {
  const [first] = claims;
  if (first === undefined) throw problem('missing-token');
  if (claims.every(({ sessionId }) => sessionId === first.sessionId)) return first;
  const live = await sessions.liveAmong(claims);
  if (live.size > 1) {
    const { userId, sessionId } = first;
    throw problem('ambiguous-cookies', { audit: { userId, sessionId, cause: 'two sessions' } });
  }
  return claims.find(({ sessionId }) => live.has(sessionId)) ?? first;
}
