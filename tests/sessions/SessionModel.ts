/** Seconds; the settings that the model and the service agree on. */
export interface Lifetimes {
  window: number;
  sliding: number;
  absolute: number;
}

export type Verdict = 'rotate' | 'replay' | 'recover' | 'theft' | 'ended';

interface Predecessor {
  token: number;
  replacedAt: number;
  tripwire: boolean;
}

/**
 * The contract's session, as a pure state machine: tokens are numbers in the order they were made,
 * times are seconds on any clock.
 */
export class SessionModel {
  private live = 0;
  private made = 0;
  private predecessors: Predecessor[] = [];
  private expiresAt: number;
  ended = false;

  constructor(
    private readonly startedAt: number,
    private readonly lifetimes: Lifetimes,
  ) {
    this.expiresAt = startedAt + Math.min(lifetimes.sliding, lifetimes.absolute);
  }

  get liveToken(): number {
    return this.live;
  }

  end(): void {
    this.ended = true;
  }

  present(token: number, now: number): Verdict {
    if (this.ended || now >= this.expiresAt) {
      this.ended = true;
      return 'ended';
    }
    if (token === this.live) {
      this.replaceLive([{ token, replacedAt: now, tripwire: false }], now);
      return 'rotate';
    }
    const past = this.predecessors.find((predecessor) => predecessor.token === token);
    if (past && now - past.replacedAt <= this.lifetimes.window) return 'replay';
    if (!past || past.tripwire) {
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
    this.made += 1;
    this.live = this.made;
    this.expiresAt = Math.min(
      now + this.lifetimes.sliding,
      this.startedAt + this.lifetimes.absolute,
    );
  }
}
