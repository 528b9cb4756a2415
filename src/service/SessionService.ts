import { randomUUID } from 'node:crypto';
import type { Config } from '../config';
import type { Database, Query } from '../database/Database';
import { oncePerTurn } from '../database/oncePerTurn';
import { CLOSE, CLOSE_ALL, OPEN, RENEW, ROTATE, SETTLE, TRIM } from '../database/sessionStatements';
import { RefreshToken } from '../entity/RefreshToken';
import { problem } from '../errors/problems';
import { wrongCredentials } from '../errors/wrongCredentials';
import type { Client } from '../types/client';
import type { Metrics, RefreshOutcome } from '../types/metrics';
import type {
  LiveSession,
  LogoutScope,
  OpenedSession,
  RefreshedSession,
  SessionDetails,
  SessionOf,
  SessionOwner,
  TheftCause,
} from '../types/session';
import type { RefreshClaims } from '../types/token';
import { isSessionId } from './sessionId';

interface OpenOptions {
  previous?: readonly string[];
  query?: Query;
}

interface Presentation {
  claims: RefreshClaims;
  client: Client;
}

type SettledRow = LiveSession & {
  verdict: RefreshOutcome;
  cause: TheftCause | null;
};

/** Sessions, each with one live refresh token. PostgreSQL makes every decision, by its own clock. */
export class SessionService {
  private readonly rotateOnce = oncePerTurn((presented: readonly Presentation[]) =>
    this.rotateAll(presented),
  );

  constructor(
    private readonly settings: Config['sessions'],
    private readonly database: Database,
    private readonly metrics: Metrics,
  ) {}

  /**
   * Opens a session. Ends the user's `previous` sessions, and the least recently used ones over the limit.
   * @throws {Problem} `wrong-credentials` if the account is gone, or its password changed since it was verified.
   */
  async open(
    owner: SessionOwner,
    client: Client,
    { previous = [], query = this.database.query }: OpenOptions = {},
  ): Promise<OpenedSession> {
    const { slidingLifetime, absoluteLifetime, maxPerUser } = this.settings;
    const values = [
      owner.id,
      owner.passwordHash,
      randomUUID(),
      Math.min(slidingLifetime, absoluteLifetime),
      client.userAgent,
      client.ipAddress,
      client.network,
      previous,
    ];
    const [opened] = await query<OpenedSession & { others: number }>(OPEN, values);
    if (opened === undefined) throw wrongCredentials({ userId: owner.id });
    const { others, ...session } = opened;
    if (others >= maxPerUser) await query(TRIM, [owner.id, maxPerUser]);
    return session;
  }

  /**
   * Decides on a refresh token. `rotate` takes at most one statement; other verdicts and a locked row one more.
   * @throws {Problem} `token-reused` after a theft has ended the session; `session-ended`.
   */
  async rotate(claims: RefreshClaims, client: Client): Promise<RefreshedSession> {
    const session = await this.rotateOnce({ claims, client });
    if (session === undefined) return this.settle(claims, client);
    this.metrics.refreshed('rotate');
    return { verdict: 'rotate', session };
  }

  async liveAmong(sessions: readonly SessionOf[]): Promise<Set<string>> {
    const named = sessions.map(({ sessionId, userId }) => ({ sessionId, userId }));
    const live = await this.database.entities((manager) =>
      manager
        .createQueryBuilder(RefreshToken, 'token')
        .where(named)
        .andWhere('token.expiresAt > now()')
        .getMany(),
    );
    return new Set(live.map(({ sessionId }) => sessionId));
  }

  /** The user's live sessions, the most recently used first. */
  async list({ userId, sessionId }: SessionOf): Promise<SessionDetails[]> {
    const tokens = await this.database.entities((manager) =>
      manager
        .createQueryBuilder(RefreshToken, 'token')
        .where('token.userId = :userId AND token.expiresAt > now()', { userId })
        .orderBy({ 'token.createdAt': 'DESC', 'token.id': 'DESC' })
        .getMany(),
    );
    return tokens.map((token) => ({
      id: token.sessionId,
      createdAt: token.sessionStartedAt,
      lastUsedAt: token.createdAt,
      expiresAt: token.expiresAt,
      userAgent: token.userAgent,
      ipAddress: token.ipAddress,
      current: token.sessionId === sessionId,
    }));
  }

  /** @throws {Problem} `not-found` if the user has no such session. */
  async end(session: SessionOf): Promise<void> {
    if (!isSessionId(session.sessionId) || !(await this.close(session))) throw problem('not-found');
  }

  /** Resolves to the number of ended sessions. @throws {Problem} `session-ended` if the caller's is over. */
  endOthers(own: SessionOf): Promise<number> {
    return this.closeAll(own, { spareOwn: true });
  }

  /**
   * Idempotent for `current`: a client may repeat a logout whose response was lost.
   * @throws {Problem} `session-ended` for `others` and `all` if the caller's session is over.
   */
  async logout(own: SessionOf, scope: LogoutScope): Promise<void> {
    if (scope === 'current') await this.close(own);
    else await this.closeAll(own, { spareOwn: scope === 'others' });
  }

  /** Ends the other sessions and renews this one when the password changes. @throws {Problem} `session-ended`. */
  async renewAlone({ sessionId, userId }: SessionOf, query: Query): Promise<LiveSession> {
    const { slidingLifetime, absoluteLifetime } = this.settings;
    await query(CLOSE_ALL, [sessionId, userId, true]);
    const values = [sessionId, userId, slidingLifetime, absoluteLifetime];
    const [renewed] = await query<LiveSession>(RENEW, values);
    if (renewed === undefined) throw problem('session-ended', { audit: { userId, sessionId } });
    return renewed;
  }

  private async close({ sessionId, userId }: SessionOf): Promise<boolean> {
    const closed = await this.database.query<unknown>(CLOSE, [sessionId, userId]);
    return closed.length > 0;
  }

  private async closeAll(
    { sessionId, userId }: SessionOf,
    { spareOwn }: { spareOwn: boolean },
  ): Promise<number> {
    const values = [sessionId, userId, spareOwn];
    const [result] = await this.database.query<{ ended: number }>(CLOSE_ALL, values);
    if (result === undefined) throw problem('session-ended', { audit: { userId, sessionId } });
    return result.ended;
  }

  /** Rotates the live tokens; undefined for each token that has to be settled. */
  private async rotateAll(
    presented: readonly Presentation[],
  ): Promise<(LiveSession | undefined)[]> {
    const rows = await this.database.query<LiveSession & { presentedId: string }>(ROTATE, [
      presented.map(({ claims }) => claims.sessionId),
      presented.map(({ claims }) => claims.tokenId),
      presented.map(({ claims }) => claims.userId),
      ...this.times(),
      presented.map(({ client }) => client.userAgent),
      presented.map(({ client }) => client.ipAddress),
    ]);
    const rotated = new Map(rows.map(({ presentedId, ...session }) => [presentedId, session]));
    return presented.map(({ claims: { tokenId, sessionId, userId } }) => {
      const session = rotated.get(tokenId);
      if (session?.sessionId !== sessionId || session.userId !== userId) return undefined;
      // The same token again in this turn is its second presentation.
      rotated.delete(tokenId);
      return session;
    });
  }

  /** Judges a token that is not live, or whose row was locked. */
  private async settle(claims: RefreshClaims, client: Client): Promise<RefreshedSession> {
    const { sessionId, tokenId, userId } = claims;
    const audit = { userId, sessionId };
    const [settled] = await this.database.query<SettledRow>(SETTLE, [
      sessionId,
      tokenId,
      userId,
      ...this.times(),
      client.userAgent,
      client.ipAddress,
    ]);
    this.metrics.refreshed(settled?.verdict ?? 'ended');
    if (settled === undefined) throw problem('session-ended', { audit });
    const { verdict, cause, ...session } = settled;
    if (verdict === 'ended') throw problem('session-ended', { audit });
    if (verdict === 'theft')
      throw problem('token-reused', { audit: { ...audit, cause: cause ?? 'unknown' } });
    return { verdict, session };
  }

  private times(): number[] {
    const { reuseWindow, slidingLifetime, absoluteLifetime } = this.settings;
    return [reuseWindow, slidingLifetime, absoluteLifetime];
  }
}
