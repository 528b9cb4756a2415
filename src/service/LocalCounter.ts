const MAX_KEYS = 10_000;

/** Counts by key in memory. It forgets the key that was counted longest ago when there are too many. */
export class LocalCounter {
  private readonly counters = new Map<string, { points: number; expiresAt: number }>();

  /** Points count for `duration` seconds from the first one on; `now` is in milliseconds since 1970. */
  constructor(
    private readonly duration: number,
    private readonly now: () => number,
  ) {}

  /** Adds a point; returns the points of the key and the milliseconds until they expire. */
  add(key: string): { points: number; milliseconds: number } {
    const now = this.now();
    const found = this.counters.get(key);
    const counter =
      found !== undefined && found.expiresAt > now
        ? found
        : { points: 0, expiresAt: now + this.duration * 1000 };
    counter.points += 1;
    this.counters.delete(key);
    const [oldest] = this.counters.keys();
    if (this.counters.size >= MAX_KEYS && oldest !== undefined) this.counters.delete(oldest);
    this.counters.set(key, counter);
    return { points: counter.points, milliseconds: counter.expiresAt - now };
  }
}
