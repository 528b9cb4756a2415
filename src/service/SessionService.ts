import { randomUUID } from 'node:crypto';
import type { Config } from '../config';
import type { Query } from '../database/Database';
import type { Client } from '../types/client';
import { problem } from '../errors/problems';
import { oncePerTurn } from '../database/oncePerTurn';
import type { RefreshClaims } from './TokenService';
import {
  CLOSE,
  CLOSE_ALL,
  FORGET_NETWORKS,
  LIST,
  OPEN,
  PURGE,
  RENEW,
  ROTATE,
  SETTLE,
  TRIM,
} from '../database/sessionStatements';

/** A session that lives, with its one live refresh token. */
export interface LiveSession {
  sessionId: string;
  userId: number;
  role: string;
  /** The live refresh token's jti. */
  tokenId: string;
  /** When the live refresh token was made, and when it expires. */
  createdAt: Date;
  expiresAt: Date;
}

/** Why a presented token counts as stolen. */
export type TheftCause = 'superseded' | 'tripwire' | 'unknown';

/** What became of a refresh token that was presented to its session. */
export type RefreshOutcome =
  | { verdict: 'rotate' | 'replay' | 'recover'; session: LiveSession }
  | { verdict: 'theft'; cause: TheftCause }
  | { verdict: 'ended' };

/** Whose session to open; `passwordHash` is the one that the password was verified against. */
export interface SessionOwner {
  id: number;
  passwordHash: string;
}

/** A session by its id, and whose it is. */
export interface SessionOf {
  sessionId: string;
  userId: number;
}

/** A session as its owner sees it. */
export interface SessionDetails {
  id: string;
  createdAt: Date;
  lastUsedAt: Date;
  expiresAt: Date;
  userAgent: string | null;
  ipAddress: string | null;
  current: boolean;
}

type SettledRow = LiveSession & {
  verdict: RefreshOutcome['verdict'];
  cause: TheftCause | null;
};

/** A refresh token that is presented, and by whom. */
interface Presentation {
  claims: RefreshClaims;
  client: Client;
}

/** Sessions and their one live refresh token each; every decision is PostgreSQL's, by its clock. */
export class SessionService {
  private readonly rotate = oncePerTurn((presented: readonly Presentation[]) =>
    this.rotateAll(presented),
  );

  constructor(
    private readonly settings: Config['sessions'],
    private readonly query: Query,
  ) {}

  /**
   * Opens a session, and ends the least recently used ones over the limit of the user.
   *
   * Resolves to undefined where the account is gone or its password was changed meanwhile: the
   * change ends all other sessions, and this one would have escaped it.
   */
  async open(
    owner: SessionOwner,
    client: Client,
    query: Query = this.query,
  ): Promise<LiveSession | undefined> {
    const { slidingLifetime, absoluteLifetime, maxPerUser } = this.settings;
    const values = [
      owner.id,
      owner.passwordHash,
      randomUUID(),
      Math.min(slidingLifetime, absoluteLifetime),
      client.userAgent,
      client.ipAddress,
      client.network,
    ];
    const [opened] = await query<LiveSession & { others: number }>(OPEN, values);
    if (opened === undefined) return undefined;
    const { others, ...session } = opened;
    if (others >= maxPerUser) await query(TRIM, [owner.id, maxPerUser]);
    return session;
  }

  /**
   * Presents a refresh token to its session, which answers with one of the contract's verdicts.
   *
   * `rotate` takes one statement at the most, every other verdict one more, and so does a row that
   * somebody else is at. All that the verdict entails, the end of a stolen session included, is
   * committed when this resolves.
   */
  async refresh(claims: RefreshClaims, client: Client): Promise<RefreshOutcome> {
    const rotated = await this.rotate({ claims, client });
    if (rotated) return { verdict: 'rotate', session: rotated };

    const { sessionId, tokenId, userId } = claims;
    const values = [
      sessionId,
      tokenId,
      userId,
      ...this.times(),
      client.userAgent,
      client.ipAddress,
    ];
    const [settled] = await this.query<SettledRow>(SETTLE, values);
    if (settled === undefined) return { verdict: 'ended' };
    const { verdict, cause, ...session } = settled;
    if (verdict === 'theft') return { verdict, cause: cause ?? 'unknown' };
    return verdict === 'ended' ? { verdict } : { verdict, session };
  }

  /** The user's live sessions, the most recently used first; `sessionId` is the caller's own. */
  list({ userId, sessionId }: SessionOf): Promise<SessionDetails[]> {
    return this.query<SessionDetails>(LIST, [userId, sessionId]);
  }

  /** Ends a session of this user, and resolves to whether there was one to end. */
  async close({ sessionId, userId }: SessionOf): Promise<boolean> {
    const ended = await this.query<unknown>(CLOSE, [sessionId, userId]);
    return ended.length > 0;
  }

  /**
   * Ends all of the user's sessions, or all but the caller's own; resolves to their number.
   *
   * @throws {Problem} `session-ended` where the caller's own is over already.
   */
  async closeAll(
    { sessionId, userId }: SessionOf,
    options: { spareOwn: boolean },
  ): Promise<number> {
    const values = [sessionId, userId, options.spareOwn];
    const [result] = await this.query<{ ended: number }>(CLOSE_ALL, values);
    if (result === undefined) throw problem('session-ended', { audit: { userId, sessionId } });
    return result.ended;
  }

  /**
   * Ends all other sessions of the user and gives this one a new live token, without mercy for older
   * ones, as part of the transaction that changes the password.
   *
   * @throws {Problem} `session-ended`.
   */
  async renewAlone({ sessionId, userId }: SessionOf, query: Query): Promise<LiveSession> {
    const { slidingLifetime, absoluteLifetime } = this.settings;
    await query(CLOSE_ALL, [sessionId, userId, true]);
    const values = [sessionId, userId, slidingLifetime, absoluteLifetime];
    const [renewed] = await query<LiveSession>(RENEW, values);
    if (renewed === undefined) throw problem('session-ended', { audit: { userId, sessionId } });
    return renewed;
  }

  /** Forgets networks that nobody has signed in from for as long as a session can live. */
  async forgetNetworks(limit: number): Promise<number> {
    const values = [limit, this.settings.absoluteLifetime];
    const forgotten = await this.query<unknown>(FORGET_NETWORKS, values);
    return forgotten.length;
  }

  /** Deletes expired rows, at most `limit` of them, and resolves to their number. */
  async purge(limit: number): Promise<number> {
    const purged = await this.query<unknown>(PURGE, [limit]);
    return purged.length;
  }

  /** What ROTATE and SETTLE take from $4 on. */
  private times(): number[] {
    const { reuseWindow, slidingLifetime, absoluteLifetime } = this.settings;
    return [reuseWindow, slidingLifetime, absoluteLifetime];
  }

  /** The sessions that these tokens are live in, rotated; undefined for each that has to be settled. */
  private async rotateAll(
    presented: readonly Presentation[],
  ): Promise<(LiveSession | undefined)[]> {
    const rows = await this.query<LiveSession & { presentedId: string }>(ROTATE, [
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
      // Whoever presents the same token in the same turn is the second to do so.
      rotated.delete(tokenId);
      return session;
    });
  }
}
