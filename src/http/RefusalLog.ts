import type { Logger } from '../config/logger';
import { plainAddress } from './clientAddress';

const WINDOW = 60_000;
const LINES_PER_WINDOW = 30;
/** Above it, new addresses of the window share one count. */
const MAX_ADDRESSES = 10_000;

interface Refusal {
  /** The response's status, or `closed` without a response. */
  status: number | string;
  code: string;
  requestId: string;
}

/**
 * Logs what is refused before it reaches the application.
 *
 * Each address gets 30 lines a minute, so that no client fills the log. A line of the next minute tells
 * how many are missing.
 */
export class RefusalLog {
  private readonly counts = new Map<string, number>();
  private windowEnd = 0;
  private missing = 0;

  constructor(
    private readonly logger: Logger,
    private readonly now: () => number = Date.now,
  ) {}

  record(address: string | undefined, refusal: Refusal): void {
    this.startWindow();
    const ipAddress = plainAddress(address);
    const known = ipAddress ?? '';
    const key = this.counts.has(known) || this.counts.size < MAX_ADDRESSES ? known : 'others';
    const count = (this.counts.get(key) ?? 0) + 1;
    this.counts.set(key, count);
    if (count > LINES_PER_WINDOW) this.missing += 1;
    else this.logger.warn('request refused', { event: 'request_refused', ipAddress, ...refusal });
  }

  private startWindow(): void {
    if (this.now() < this.windowEnd) return;
    if (this.missing > 0)
      this.logger.warn('more requests were refused', {
        event: 'request_refused',
        count: this.missing,
      });
    this.counts.clear();
    this.missing = 0;
    this.windowEnd = this.now() + WINDOW;
  }
}
