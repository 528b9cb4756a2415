const MAX_KEYS = 10_000;

interface Count {
  points: number;
  /** Until the points expire. */
  milliseconds: number;
}

/** Counts by key in memory. It forgets the key that was counted longest ago when there are too many. */
export class LocalCounter {
  private readonly counters = new Map<string, { points: number; expiresAt: number }>();

  /** Points count for `duration` seconds from the first one on; `now` is in milliseconds since 1970. */
  constructor(
    private readonly duration: number,
    private readonly now: () => number,
  ) {}

  find(key: string): Count {
    const now = this.now();
    const found = this.counters.get(key);
    const { points, expiresAt } =
      found !== undefined && found.expiresAt > now
        ? found
        : { points: 0, expiresAt: now + this.duration * 1000 };
    return { points, milliseconds: expiresAt - now };
  }

  add(key: string): Count {
    const { points, milliseconds } = this.find(key);
    const counter = { points: points + 1, expiresAt: this.now() + milliseconds };
    this.counters.delete(key);
    const [oldest] = this.counters.keys();
    if (this.counters.size >= MAX_KEYS && oldest !== undefined) this.counters.delete(oldest);
    this.counters.set(key, counter);
    return { points: counter.points, milliseconds };
  }
}
