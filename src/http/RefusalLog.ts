import type { Logger } from '../config/logger';
import { plainAddress } from './clientAddress';

const WINDOW = 60_000;
const LINES_PER_WINDOW = 30;
/** Further addresses share one count. */
const MAX_ADDRESSES = 10_000;

interface Refusal {
  /** `closed` if there was no response. */
  status: number | string;
  code: string;
  requestId: string;
}

/** Logs requests refused before they reach the application, at most 30 lines a minute for each address. */
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
