import { createHmac } from 'node:crypto';
import { RateLimiterMemory, RateLimiterPostgres } from 'rate-limiter-flexible';
import type { Config } from '../config';
import type { Database } from '../database/Database';
import { COUNTERS } from '../database/limiterStatements';
import { problem } from '../errors/problems';
import type { Client } from '../types/client';

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** Failed attempts, or registrations, that are allowed within a duration in seconds. */
const LIMITS = {
  /** On one account from one network: a person who tries to remember, with room to spare. */
  pair: { points: 10, duration: 15 * MINUTE },
  /** From one network on any accounts: an office behind one address, but no list of passwords. */
  network: { points: 100, duration: 15 * MINUTE },
  /** On one account from anywhere; each failure beyond locks out strangers for twice as long. */
  account: { points: 10, duration: 24 * HOUR },
  registration: { points: 100, duration: HOUR },
} as const;

const MAX_LOCK = 15 * MINUTE;

type LimitName = keyof typeof LIMITS | 'lock';

type AttemptKeys = Record<'pair' | 'network' | 'account' | 'lock', string>;

interface Counter {
  key: string;
  points: number;
  /** Until the counter expires. */
  milliseconds: number;
  /** Whether the account's user has signed in from this network. */
  familiar: boolean;
}

/** An attempt at an account that the limits allow; tell it how it ended. */
interface Attempt {
  failed(): Promise<void>;
  /** Takes no statement, except after a failure. */
  succeeded(): Promise<void>;
}

const UNLIMITED: Attempt = {
  failed: () => Promise.resolve(),
  succeeded: () => Promise.resolve(),
};

/**
 * Limits guesses at passwords and registrations. It counts in PostgreSQL, so that all replicas count
 * together, and in memory while PostgreSQL is away. It stores e-mails as keyed hashes only.
 */
export class AttemptLimiter {
  private readonly enabled: boolean;
  private readonly secret: string;
  private readonly limiters: Record<LimitName, RateLimiterPostgres>;
  /** Counts while the database takes no writes. */
  private readonly insurance = {
    pair: new RateLimiterMemory({ ...LIMITS.pair, keyPrefix: 'pair' }),
    network: new RateLimiterMemory({ ...LIMITS.network, keyPrefix: 'network' }),
    account: new RateLimiterMemory({ ...LIMITS.account, keyPrefix: 'account' }),
    lock: new RateLimiterMemory({ points: 0, duration: MAX_LOCK, keyPrefix: 'lock' }),
    // Without the database there is no registration to limit.
    registration: undefined,
  };

  constructor(
    { rateLimitEnabled, tokens }: Pick<Config, 'rateLimitEnabled' | 'tokens'>,
    private readonly database: Database,
    private readonly now: () => number,
  ) {
    this.enabled = rateLimitEnabled;
    this.secret = tokens.refreshSecret;
    this.limiters = {
      pair: this.limiterOf('pair'),
      network: this.limiterOf('network'),
      account: this.limiterOf('account'),
      lock: this.limiterOf('lock'),
      registration: this.limiterOf('registration'),
    };
  }

  /**
   * Allows an attempt at an account, in one statement.
   *
   * @throws {Problem} `too-many-attempts`.
   */
  async begin(email: string, { network }: Client): Promise<Attempt> {
    if (!this.enabled) return UNLIMITED;
    const keys = this.keysOf(email, network ?? 'none');
    const counters = await this.counters(keys, email, network);
    const familiar = counters[0]?.familiar ?? false;
    await this.checkInsurance(keys);
    let failures = 0;
    for (const { key, points, milliseconds } of counters) {
      const name = key.slice(0, key.indexOf(':')) as LimitName;
      if (name === 'pair') failures = points;
      const exceeded =
        name === 'lock' ? !familiar : name !== 'account' && points >= LIMITS[name].points;
      if (exceeded) throw tooMany(name === 'lock' ? 0 : LIMITS[name].points, milliseconds);
    }
    return {
      failed: () => this.countFailure(keys, familiar),
      succeeded: async () => {
        if (failures > 0) await this.limiters.pair.delete(keys.pair);
      },
    };
  }

  /**
   * Counts a registration.
   *
   * @throws {Problem} `too-many-attempts`.
   */
  async registration({ network }: Client): Promise<void> {
    if (!this.enabled) return;
    const result = await this.limiters.registration.penalty(network ?? 'none');
    const { points } = LIMITS.registration;
    if (result.consumedPoints > points) throw tooMany(points, result.msBeforeNext);
  }

  private limiterOf(name: LimitName): RateLimiterPostgres {
    const limit = name === 'lock' ? { points: 0, duration: MAX_LOCK } : LIMITS[name];
    const insuranceLimiter = this.insurance[name];
    return new RateLimiterPostgres({
      ...limit,
      keyPrefix: name,
      storeClient: { query: this.database.queryAny },
      storeType: 'client',
      tableName: 'rate_limits',
      tableCreated: true,
      // All limiters share the table: one of them clears it.
      clearExpiredByTimeout: name === 'lock',
      ...(insuranceLimiter && { insuranceLimiter }),
    });
  }

  private keysOf(email: string, network: string): AttemptKeys {
    // The secret also signs tokens: the prefix keeps the two uses apart.
    const hmac = createHmac('sha256', this.secret).update(`attempts:${email}`);
    const account = hmac.digest('base64url');
    return { pair: `${account}:${network}`, network, account, lock: account };
  }

  private counters(keys: AttemptKeys, email: string, network: string | null): Promise<Counter[]> {
    const names = Object.entries(keys).map(([name, key]) => `${name}:${key}`);
    return this.database.query<Counter>(COUNTERS, [names, email, network, this.now()]);
  }

  /** Without it a read-only database would allow endless guesses. */
  private async checkInsurance(keys: AttemptKeys): Promise<void> {
    for (const name of ['pair', 'network'] as const) {
      const counter = await this.insurance[name].get(keys[name]);
      const { points } = LIMITS[name];
      if (counter && counter.consumedPoints >= points) throw tooMany(points, counter.msBeforeNext);
    }
  }

  private async countFailure(keys: AttemptKeys, familiar: boolean): Promise<void> {
    const [, , { consumedPoints }] = await Promise.all([
      this.limiters.pair.penalty(keys.pair),
      this.limiters.network.penalty(keys.network),
      this.limiters.account.penalty(keys.account),
    ]);
    const beyond = consumedPoints - LIMITS.account.points;
    if (beyond >= 0 && !familiar)
      await this.limiters.lock.block(keys.lock, Math.min(2 ** beyond, MAX_LOCK));
  }
}

/** With the headers of draft-ietf-httpapi-ratelimit-headers-06 and Retry-After (RFC 9110, 10.2.3). */
function tooMany(limit: number, milliseconds: number) {
  const seconds = String(Math.max(1, Math.ceil(milliseconds / 1000)));
  return problem('too-many-attempts', {
    headers: {
      'Retry-After': seconds,
      'RateLimit-Limit': String(limit),
      'RateLimit-Remaining': '0',
      'RateLimit-Reset': seconds,
    },
  });
}
