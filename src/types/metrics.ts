import type { AuditEvent } from './audit';
import type { RefreshVerdict } from './session';

/** What became of a presented refresh token. */
export type RefreshOutcome = RefreshVerdict | 'theft' | 'ended';

/** What the limits say to an attempt; `locked` refuses all but a familiar network. */
export type LimiterDecision = 'allowed' | 'locked' | 'refused';

/**
 * Takes what happens in the service, as figures. Times are in milliseconds. Names come from the code,
 * never from a client: each new one costs memory here and in the database of the figures.
 */
export interface Metrics {
  /** A request has its response, or its client is gone. `path` may be anything. */
  requestEnded(
    request: { readonly method: string; readonly route?: { readonly path: string } },
    path: string,
    status: number | 'aborted',
    milliseconds: number,
  ): void;
  auditEvent(event: AuditEvent): void;
  refreshed(outcome: RefreshOutcome): void;
  hashStarted(waited: number): void;
  /** The queue was full, or the wait too long. */
  hashRefused(): void;
  /** Runs a statement, and measures it. */
  statement<T>(name: string, run: () => Promise<T>): Promise<T>;
  /** `limit` is the one that decided, or `none`. */
  limiterDecided(limit: string, decision: LimiterDecision): void;
  /** A batch of expired rows was deleted by this statement. */
  purged(statement: string, rows: number): void;
}
