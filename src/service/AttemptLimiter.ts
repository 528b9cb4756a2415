import { createHmac } from 'node:crypto';
import { RateLimiterPostgres } from 'rate-limiter-flexible';
import type { Config } from '../config';
import type { Database } from '../database/Database';
import { isDatabaseUnavailable } from '../database/databaseErrors';
import { COUNTERS } from '../database/limiterStatements';
import { problem, type Problem } from '../errors/problems';
import { wrongCredentials } from '../errors/wrongCredentials';
import type { Client } from '../types/client';
import type { Metrics } from '../types/metrics';
import { LocalCounter } from './LocalCounter';
import { RefusalMemory } from './RefusalMemory';

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** Counted by all replicas together; durations in seconds. */
const LIMITS = {
  pair: { points: 10, duration: 15 * MINUTE },
  /** Failures from one network on any account: enough for an office, too few to try a list. */
  network: { points: 100, duration: 15 * MINUTE },
  /** Failures from one IPv6 /48, which has 65 536 networks. */
  site: { points: 300, duration: 15 * MINUTE },
  /** Failures on one account from anywhere; each further one doubles the lock for unfamiliar networks. */
  account: { points: 10, duration: 24 * HOUR },
  registration: { points: 100, duration: HOUR },
} as const;

/** Counted by each replica, to protect its own processor. */
const LOCAL_LIMITS = {
  /** Successful logins of one account from one site. */
  'sign-in': { points: 100, duration: 15 * MINUTE },
  invalid: { points: 300, duration: 15 * MINUTE },
  /** Refused attempts of one site, whose bodies are read; beyond, they are not. */
  refused: { points: 300, duration: MINUTE },
} as const;

const MAX_LOCK = 15 * MINUTE;

/** How long a refusal needs no further statement, in milliseconds. */
const REMEMBERED = 10_000;

type FailureLimit = 'pair' | 'network' | 'site' | 'account';
type LimitName = keyof typeof LIMITS | 'lock';

/** IPv4 has no site beyond the network. */
type AttemptKeys = Record<'pair' | 'network' | 'account' | 'lock', string> & { site?: string };

interface Counter {
  key: string;
  points: number;
  milliseconds: number;
  /** Whether the account was signed in to from this network before. */
  familiar: boolean;
}

/** An attempt that the limits allow; its outcome must be reported. */
interface Attempt {
  /** Whether even the right password is refused. */
  readonly lockedOut: boolean;
  /** Counts the failure; resolves to the refusal. `field` holds the wrong password. */
  failed(userId: number | undefined, field?: string): Promise<Problem>;
  /** Takes no statement, except after a failure. */
  succeeded(): Promise<void>;
}

/** Limits password guesses, registrations and invalid input. Stores e-mails only as keyed hashes. */
export class AttemptLimiter {
  private readonly enabled: boolean;
  private readonly secret: string;
  private readonly limiters: Record<LimitName, RateLimiterPostgres>;
  private readonly local: Record<keyof typeof LOCAL_LIMITS, LocalCounter>;
  /** Counts failures while the database accepts no writes. */
  private readonly insurance: Record<'pair' | 'network' | 'site', LocalCounter>;
  private readonly refusals: RefusalMemory;

  constructor(
    { rateLimitEnabled, tokens }: Pick<Config, 'rateLimitEnabled' | 'tokens'>,
    private readonly database: Database,
    private readonly metrics: Metrics,
    private readonly now: () => number,
  ) {
    this.enabled = rateLimitEnabled;
    this.secret = tokens.refreshSecret;
    this.refusals = new RefusalMemory(now);
    this.local = {
      'sign-in': new LocalCounter(LOCAL_LIMITS['sign-in'].duration, now),
      invalid: new LocalCounter(LOCAL_LIMITS.invalid.duration, now),
      refused: new LocalCounter(LOCAL_LIMITS.refused.duration, now),
    };
    this.insurance = {
      pair: new LocalCounter(LIMITS.pair.duration, now),
      network: new LocalCounter(LIMITS.network.duration, now),
      site: new LocalCounter(LIMITS.site.duration, now),
    };
    this.limiters = {
      pair: this.limiterOf('pair'),
      network: this.limiterOf('network'),
      site: this.limiterOf('site'),
      account: this.limiterOf('account'),
      lock: this.limiterOf('lock'),
      registration: this.limiterOf('registration'),
    };
  }

  /** Refuses a network known to be over a limit, without a statement. @throws {Problem} `too-many-attempts`. */
  checkNetwork(kind: 'sign-in' | 'registration', { network, site }: Client): void {
    if (!this.enabled) return;
    this.refuseKnown(`invalid:${site}`);
    if (kind === 'registration') this.refuseKnown(`registration:${site}`);
    else
      for (const key of [`network:${network}`, `site:${site}`, `refused:${site}`])
        this.refuseKnown(key);
  }

  /** Refuses an attempt known to be over a limit, without a statement. @throws {Problem} `too-many-attempts`. */
  checkAttempt(email: string, client: Client): void {
    if (!this.enabled) return;
    const { account, ...keys } = this.keysOf(email, client);
    const signIn = `${account}:${client.site}`;
    try {
      for (const key of namesOf({ ...keys, 'sign-in': signIn })) this.refuseKnown(key, account);
    } catch (refusal) {
      this.countLocally('refused', String(client.site));
      throw refusal;
    }
  }

  /**
   * Checks the limits for one attempt, in one statement. During a lock only the right password from a
   * familiar network is accepted, and every attempt takes the same time: otherwise the lock would reveal
   * whether the account exists.
   * @throws {Problem} `too-many-attempts`.
   */
  async begin(email: string, client: Client): Promise<Attempt> {
    const keys = this.keysOf(email, client);
    if (!this.enabled) return unlimited(keys.account);
    const counters = await this.counters(keys, email, client.network);
    this.checkInsurance(keys);
    let failures = 0;
    let lock: Counter | undefined;
    for (const counter of counters) {
      const name = limitOf(counter.key) as FailureLimit | 'lock';
      if (name === 'pair') failures = counter.points;
      if (name === 'lock') lock = counter;
      else if (name !== 'account' && counter.points >= LIMITS[name].points)
        throw this.refuse(counter.key, LIMITS[name].points, counter.milliseconds, keys.account);
    }
    const familiar = counters[0]?.familiar ?? false;
    const lockedOut = lock !== undefined && !familiar;
    if (lockedOut) this.metrics.limiterDecided('lock', 'locked');
    else this.metrics.limiterDecided('none', 'allowed');
    return {
      lockedOut,
      failed: async (userId, field) => {
        await this.countFailure(keys, { locked: lock !== undefined, familiar });
        return lock
          ? tooMany(0, lock.milliseconds, { userId, accountHash: keys.account })
          : wrongCredentials({ userId, accountHash: keys.account }, field);
      },
      succeeded: async () => {
        this.countLocally('sign-in', `${keys.account}:${client.site}`);
        if (failures > 0) await this.limiters.pair.delete(keys.pair);
      },
    };
  }

  /** @throws {Problem} `too-many-attempts`. */
  async registration({ site }: Client): Promise<void> {
    if (!this.enabled) return;
    const result = await this.limiters.registration.penalty(String(site));
    const { points } = LIMITS.registration;
    if (result.consumedPoints > points)
      throw this.refuse(`registration:${site}`, points, result.msBeforeNext);
    this.metrics.limiterDecided('none', 'allowed');
  }

  /** Counts a body that failed validation; returns whether it is the one that reached the limit. */
  invalidInput({ site }: Client): boolean {
    return this.enabled && this.countLocally('invalid', String(site));
  }

  /** Returns whether the limit was reached by it. */
  private countLocally(name: keyof typeof LOCAL_LIMITS, key: string): boolean {
    const counted = this.local[name].add(key);
    const { points } = LOCAL_LIMITS[name];
    if (counted.points >= points)
      this.refusals.remember(`${name}:${key}`, points, counted.milliseconds);
    return counted.points === points;
  }

  private limiterOf(name: LimitName): RateLimiterPostgres {
    const limit = name === 'lock' ? { points: 0, duration: MAX_LOCK } : LIMITS[name];
    return new RateLimiterPostgres({
      ...limit,
      keyPrefix: name,
      storeClient: { query: this.database.queryAny },
      storeType: 'client',
      tableName: 'rate_limits',
      tableCreated: true,
      clearExpiredByTimeout: false,
    });
  }

  private keysOf(email: string, { network, site }: Client): AttemptKeys {
    // The prefix separates this use of the secret from signing tokens.
    const hmac = createHmac('sha256', this.secret).update(`attempts:${email}`);
    const account = hmac.digest('base64url');
    return {
      pair: `${account}:${network}`,
      network: String(network),
      ...(site !== network && { site: String(site) }),
      account,
      lock: account,
    };
  }

  private counters(keys: AttemptKeys, email: string, network: string | null): Promise<Counter[]> {
    return this.database.query<Counter>(COUNTERS, [namesOf(keys), email, network, this.now()]);
  }

  /** Otherwise a read-only database would allow unlimited guesses. */
  private checkInsurance(keys: AttemptKeys): void {
    for (const name of ['pair', 'network', 'site'] as const) {
      const key = keys[name];
      if (key === undefined) continue;
      const counted = this.insurance[name].find(key);
      const { points } = LIMITS[name];
      if (counted.points >= points)
        throw this.refuse(`${name}:${key}`, points, counted.milliseconds, keys.account);
    }
  }

  /** A failure during a lock does not extend it. */
  private async countFailure(
    keys: AttemptKeys,
    { locked, familiar }: { locked: boolean; familiar: boolean },
  ): Promise<void> {
    const count = async (name: FailureLimit): Promise<number> => {
      const key = keys[name];
      if (key === undefined) return 0;
      try {
        return (await this.limiters[name].penalty(key)).consumedPoints;
      } catch (error) {
        if (!isDatabaseUnavailable(error)) throw error;
        return name === 'account' ? 0 : this.insurance[name].add(key).points;
      }
    };
    const [failures] = await Promise.all([
      locked ? 0 : count('account'),
      count('pair'),
      count('network'),
      count('site'),
    ]);
    const beyond = failures - LIMITS.account.points;
    if (beyond >= 0 && !familiar)
      await this.limiters.lock.block(keys.lock, Math.min(2 ** beyond, MAX_LOCK));
  }

  private refuseKnown(key: string, accountHash?: string): void {
    const known = this.refusals.find(key);
    if (known === undefined) return;
    this.metrics.limiterDecided(limitOf(key), 'refused');
    throw tooMany(known.limit, known.milliseconds, { accountHash });
  }

  /** Remembers and returns the refusal of a key that PostgreSQL counts. */
  private refuse(key: string, limit: number, milliseconds: number, accountHash?: string): Problem {
    this.metrics.limiterDecided(limitOf(key), 'refused');
    this.refusals.remember(key, limit, milliseconds, REMEMBERED);
    return tooMany(limit, milliseconds, { accountHash });
  }
}

/** Keys begin with the name of their limit. */
const limitOf = (key: string) => key.slice(0, key.indexOf(':'));

const namesOf = (keys: Record<string, string>) =>
  Object.entries(keys).map(([name, key]) => `${name}:${key}`);

const unlimited = (accountHash: string): Attempt => ({
  lockedOut: false,
  failed: (userId, field) => Promise.resolve(wrongCredentials({ userId, accountHash }, field)),
  succeeded: () => Promise.resolve(),
});

/** With the headers of draft-ietf-httpapi-ratelimit-headers-06 and Retry-After (RFC 9110, 10.2.3). */
function tooMany(
  limit: number,
  milliseconds: number,
  audit: { userId?: number | undefined; accountHash?: string | undefined },
): Problem {
  const seconds = String(Math.max(1, Math.ceil(milliseconds / 1000)));
  return problem('too-many-attempts', {
    audit,
    headers: {
      'Retry-After': seconds,
      'RateLimit-Limit': String(limit),
      'RateLimit-Remaining': '0',
      'RateLimit-Reset': seconds,
    },
  });
}
