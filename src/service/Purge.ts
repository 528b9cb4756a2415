import type { Config } from '../config';
import type { Logger } from '../config/logger';
import type { Database, Statement } from '../database/Database';
import { FIND_BACKLOG, FORGET_COUNTERS, FORGET_NETWORKS, PURGE } from '../database/purgeStatements';
import { originOf } from '../errors/originOf';
import type { Metrics } from '../types/metrics';

const BATCH = 1_000;
const MAX_COUNTED = 10_000;

/** Expired sessions: their number, up to 10 000, and the seconds since the first of them expired. */
interface Backlog {
  rows: number;
  seconds: number;
}

/** Deletes what has expired, and networks unused for a session's longest lifetime, in small batches. */
export class Purge {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<unknown> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly settings: Config['sessions'],
    private readonly database: Database,
    private readonly logger: Logger,
    private readonly metrics: Metrics,
    private readonly now: () => number,
  ) {}

  /** Purges every `interval` seconds, ± 10 % so that replicas spread out. */
  start(interval: number): void {
    const delay = interval * 1000 * (0.9 + Math.random() * 0.2);
    this.timer = setTimeout(() => {
      this.running = this.run()
        .catch((error: unknown) => {
          this.logger.warn('the purge failed', originOf(error));
        })
        .finally(() => {
          if (!this.stopped) this.start(interval);
        });
    }, delay).unref();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  /** Resolves to the number of deleted sessions. */
  async run(): Promise<number> {
    const total = await this.inBatches(PURGE);
    await this.inBatches(FORGET_NETWORKS, this.settings.absoluteLifetime);
    await this.inBatches(FORGET_COUNTERS, this.now());
    if (total > 0) this.logger.info('expired sessions purged', { count: total });
    return total;
  }

  /** The expired sessions that are still stored. */
  async backlog(): Promise<Backlog> {
    const [found] = await this.database.query<Backlog>(FIND_BACKLOG, [MAX_COUNTED]);
    return found ?? { rows: 0, seconds: 0 };
  }

  private async inBatches(statement: Statement, ...values: number[]): Promise<number> {
    let total = 0;
    let batch = BATCH;
    while (batch === BATCH && !this.stopped) {
      batch = (await this.database.query<unknown>(statement, [BATCH, ...values])).length;
      total += batch;
      this.metrics.purged(statement.name, batch);
    }
    return total;
  }
}
