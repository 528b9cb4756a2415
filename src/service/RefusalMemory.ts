const MAX_KEYS = 10_000;

interface Refusal {
  readonly limit: number;
  /** When the key is allowed again, and when it is forgotten here; milliseconds since 1970. */
  readonly until: number;
  readonly forgetAt: number;
}

/** Remembers refused keys, so that the next refusal takes no statement. */
export class RefusalMemory {
  private readonly refusals = new Map<string, Refusal>();

  constructor(private readonly now: () => number) {}

  /** The limit of a refused key and the milliseconds left; undefined if the key is not refused. */
  find(key: string): { limit: number; milliseconds: number } | undefined {
    const found = this.refusals.get(key);
    if (found === undefined) return undefined;
    const now = this.now();
    if (found.forgetAt > now) return { limit: found.limit, milliseconds: found.until - now };
    this.refusals.delete(key);
    return undefined;
  }

  /** Remembers a key for `milliseconds`, or for `longest`, after which it is looked up again. */
  remember(key: string, limit: number, milliseconds: number, longest = Infinity): void {
    this.refusals.delete(key);
    const [oldest] = this.refusals.keys();
    if (this.refusals.size >= MAX_KEYS && oldest !== undefined) this.refusals.delete(oldest);
    const now = this.now();
    const forgetAt = now + Math.min(milliseconds, longest);
    this.refusals.set(key, { limit, until: now + milliseconds, forgetAt });
  }
}
