import { problem } from '../errors/problems';
import type { SessionService } from '../service/SessionService';
import type { SessionOf } from '../types/session';

/**
 * The one of these claims, at least one, whose session is live; of several that name one session, the
 * first. A request that names a single session takes no statement. If all sessions have ended, the first
 * claims: what uses them finds out.
 * @throws {Problem} `ambiguous-cookies` if two sessions are live.
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
