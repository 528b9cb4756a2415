/** The settings of model and service, in seconds. */
export interface Lifetimes {
  window: number;
  sliding: number;
  absolute: number;
}

/** The contract's verdicts, `expired` for an old token and `ended` for a session that is over. */
export type Verdict = 'rotate' | 'replay' | 'recover' | 'theft' | 'ended' | 'expired';

interface Predecessor {
  token: number;
  replacedAt: number;
  tripwire: boolean;
}

/**
 * The contract's session as a pure state machine: tokens are numbered in the order of their creation,
 * times are seconds on any clock.
 */
export class SessionModel {
  private live = 0;
  private predecessors: Predecessor[] = [];
  /** When each token expires, by number. */
  private readonly expiries: number[];
  ended = false;

  constructor(
    private readonly startedAt: number,
    private readonly lifetimes: Lifetimes,
  ) {
    this.expiries = [startedAt + Math.min(lifetimes.sliding, lifetimes.absolute)];
  }

  get liveToken(): number {
    return this.live;
  }

  end(): void {
    this.ended = true;
  }

  isExpired(token: number, now: number): boolean {
    return now >= (this.expiries[token] ?? 0);
  }

  present(token: number, now: number): Verdict {
    if (this.isExpired(this.live, now)) this.ended = true;
    if (this.isExpired(token, now)) return 'expired';
    if (this.ended) return 'ended';
    if (token === this.live) {
      this.replaceLive([{ token, replacedAt: now, tripwire: false }], now);
      return 'rotate';
    }
    const past = this.predecessors.find((predecessor) => predecessor.token === token);
    const isStrict = this.lifetimes.window === 0;
    if (past && !isStrict && now - past.replacedAt <= this.lifetimes.window) return 'replay';
    if (!past || isStrict || past.tripwire) {
      this.ended = true;
      return 'theft';
    }
    this.predecessors = this.predecessors.filter((predecessor) => predecessor !== past);
    this.replaceLive(
      [
        { token, replacedAt: now, tripwire: false },
        { token: this.live, replacedAt: now, tripwire: true },
      ],
      now,
    );
    return 'recover';
  }

  private replaceLive(direct: Predecessor[], now: number): void {
    const recent = this.predecessors.filter(
      ({ replacedAt }) => now - replacedAt <= this.lifetimes.window,
    );
    this.predecessors = [...direct, ...recent].slice(0, 32);
    const { sliding, absolute } = this.lifetimes;
    this.live = this.expiries.push(Math.min(now + sliding, this.startedAt + absolute)) - 1;
  }
}
