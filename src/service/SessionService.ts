import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import type { Config } from '../config';
import type { Query } from '../config/preparedQuery';
import type { Client } from '../types/client';
import type { RefreshClaims } from './TokenService';
import { CLOSE, OPEN, ROTATE, SETTLE, TRIM } from './sessionStatements';

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

type SettledRow = LiveSession & {
  verdict: 'replay' | 'recover' | 'theft' | 'ended';
  cause: TheftCause | null;
};

/** Sessions and their one live refresh token each; every decision is PostgreSQL's, by its clock. */
export class SessionService {
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
    transaction?: EntityManager,
  ): Promise<LiveSession | undefined> {
    const { slidingLifetime, absoluteLifetime, maxPerUser } = this.settings;
    const values = [
      owner.id,
      owner.passwordHash,
      randomUUID(),
      Math.min(slidingLifetime, absoluteLifetime),
      client.userAgent,
      client.ipAddress,
    ];
    const [opened] = transaction
      ? await transaction.query<(LiveSession & { others: number })[]>(OPEN.text, values)
      : await this.query<LiveSession & { others: number }>(OPEN, values);
    if (opened === undefined) return undefined;
    const { others, ...session } = opened;
    if (others >= maxPerUser) await this.query(TRIM, [owner.id, maxPerUser]);
    return session;
  }

  /**
   * Presents a refresh token to its session, which answers with one of the contract's verdicts.
   *
   * `rotate` takes one statement, every other verdict one more. All that the verdict entails, the
   * end of a stolen session included, is committed when this resolves.
   */
  async refresh(claims: RefreshClaims, client: Client): Promise<RefreshOutcome> {
    const { reuseWindow, slidingLifetime, absoluteLifetime } = this.settings;
    const values = [
      claims.sessionId,
      claims.tokenId,
      claims.userId,
      reuseWindow,
      slidingLifetime,
      absoluteLifetime,
      client.userAgent,
      client.ipAddress,
    ];
    const [rotated] = await this.query<LiveSession>(ROTATE, values);
    if (rotated) return { verdict: 'rotate', session: rotated };

    const [settled] = await this.query<SettledRow>(SETTLE, values);
    if (settled === undefined) return { verdict: 'ended' };
    const { verdict, cause, ...session } = settled;
    if (verdict === 'theft') return { verdict, cause: cause ?? 'unknown' };
    return verdict === 'ended' ? { verdict } : { verdict, session };
  }

  /** Ends a session of this user; nothing happens where it has ended already. */
  async close(sessionId: string, userId: number): Promise<void> {
    await this.query(CLOSE, [sessionId, userId]);
  }
}
