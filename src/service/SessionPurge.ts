import type { Logger } from '../config/logger';
import { originOf } from '../errors/originOf';
import type { SessionService } from './SessionService';

const BATCH = 1_000;

/**
 * Deletes expired sessions in batches, small enough not to hold up a refresh. Replicas that purge at
 * the same time take different rows.
 */
export class SessionPurge {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<unknown> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly sessions: SessionService,
    private readonly logger: Logger,
  ) {}

  /** Purges every `interval` seconds, give or take a tenth, so that replicas spread out. */
  start(interval: number): void {
    const delay = interval * 1000 * (0.9 + Math.random() * 0.2);
    this.timer = setTimeout(() => {
      this.running = this.run()
        .catch((error: unknown) => {
          this.logger.warn('the purge of expired sessions failed', originOf(error));
        })
        .finally(() => {
          if (!this.stopped) this.start(interval);
        });
    }, delay).unref();
  }

  /** Stops after the current batch, and resolves then. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  /** Deletes everything that has expired, and resolves to the number of sessions. */
  async run(): Promise<number> {
    const total = await this.inBatches((limit) => this.sessions.purge(limit));
    await this.inBatches((limit) => this.sessions.forgetNetworks(limit));
    if (total > 0) this.logger.info('expired sessions purged', { count: total });
    return total;
  }

  private async inBatches(deleteSome: (limit: number) => Promise<number>): Promise<number> {
    let total = 0;
    let batch = BATCH;
    while (batch === BATCH && !this.stopped) {
      batch = await deleteSome(BATCH);
      total += batch;
    }
    return total;
  }
}
