import { createHmac } from 'node:crypto';
import { RateLimiterMemory, RateLimiterPostgres } from 'rate-limiter-flexible';
import type { Config } from '../config';
import type { Database } from '../database/Database';
import { COUNTERS } from '../database/limiterStatements';
import { problem, type Problem } from '../errors/problems';
import type { Client } from '../types/client';
import { LocalCounter } from './LocalCounter';
import { RefusalMemory } from './RefusalMemory';

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** Points that are allowed within a duration in seconds, counted by all replicas together. */
const LIMITS = {
  /** Failures on one account from one network: a person who tries to remember, with room to spare. */
  pair: { points: 10, duration: 15 * MINUTE },
  /** Failures from one network on any accounts: an office behind one address, but no list of passwords. */
  network: { points: 100, duration: 15 * MINUTE },
  /** Failures from one IPv6 /48, which holds 65 536 networks. */
  site: { points: 300, duration: 15 * MINUTE },
  /** Failures on one account from anywhere; each one beyond locks out strangers for twice as long. */
  account: { points: 10, duration: 24 * HOUR },
  registration: { points: 100, duration: HOUR },
} as const;

/** Points that are allowed by each replica: these counters only protect its own processor. */
const LOCAL_LIMITS = {
  /** Successful logins of one account from one site. */
  'sign-in': { points: 100, duration: 15 * MINUTE },
  /** Bodies that fail validation, from one site. */
  invalid: { points: 300, duration: 15 * MINUTE },
} as const;

const MAX_LOCK = 15 * MINUTE;

/** A refusal is looked up again after this time, in milliseconds. */
const REMEMBERED = 10_000;

type FailureLimit = 'pair' | 'network' | 'site' | 'account';
type LimitName = keyof typeof LIMITS | 'lock';

/** The keys of an attempt; IPv4 networks have no larger site. */
type AttemptKeys = Record<'pair' | 'network' | 'account' | 'lock', string> & { site?: string };

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
  /** Whether even the right password is refused. */
  readonly lockedOut: boolean;
  /** Counts the failure, and resolves to the refusal. */
  failed(userId: number | undefined): Promise<Problem>;
  /** Takes no statement, except after a failure. */
  succeeded(): Promise<void>;
}

/**
 * Limits guesses at passwords, registrations and invalid input. It counts in PostgreSQL, so that all
 * replicas count together, and in memory while PostgreSQL is away. It stores e-mails as keyed hashes
 * only.
 */
export class AttemptLimiter {
  private readonly enabled: boolean;
  private readonly secret: string;
  private readonly limiters: Record<LimitName, RateLimiterPostgres>;
  private readonly local: Record<keyof typeof LOCAL_LIMITS, LocalCounter>;
  /** Counts while the database takes no writes. */
  private readonly insurance = {
    pair: new RateLimiterMemory({ ...LIMITS.pair, keyPrefix: 'pair' }),
    network: new RateLimiterMemory({ ...LIMITS.network, keyPrefix: 'network' }),
    site: new RateLimiterMemory({ ...LIMITS.site, keyPrefix: 'site' }),
    account: new RateLimiterMemory({ ...LIMITS.account, keyPrefix: 'account' }),
    lock: new RateLimiterMemory({ points: 0, duration: MAX_LOCK, keyPrefix: 'lock' }),
    // Without the database there is no registration to limit.
    registration: undefined,
  };
  private readonly refusals: RefusalMemory;

  constructor(
    { rateLimitEnabled, tokens }: Pick<Config, 'rateLimitEnabled' | 'tokens'>,
    private readonly database: Database,
    private readonly now: () => number,
  ) {
    this.enabled = rateLimitEnabled;
    this.secret = tokens.refreshSecret;
    this.refusals = new RefusalMemory(now);
    this.local = {
      'sign-in': new LocalCounter(LOCAL_LIMITS['sign-in'].duration, now),
      invalid: new LocalCounter(LOCAL_LIMITS.invalid.duration, now),
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

  /**
   * Refuses a client whose network is known to be over a limit, without a statement.
   *
   * @throws {Problem} `too-many-attempts`.
   */
  checkNetwork(kind: 'sign-in' | 'registration', { network, site }: Client): void {
    if (!this.enabled) return;
    this.refuseKnown(`invalid:${site}`);
    if (kind === 'registration') this.refuseKnown(`registration:${site}`);
    else for (const key of [`network:${network}`, `site:${site}`]) this.refuseKnown(key);
  }

  /**
   * Refuses an attempt that is known to be over a limit, without a statement.
   *
   * @throws {Problem} `too-many-attempts`.
   */
  checkAttempt(email: string, client: Client): void {
    if (!this.enabled) return;
    const { account, ...keys } = this.keysOf(email, client);
    const signIn = `${account}:${client.site}`;
    for (const key of namesOf({ ...keys, 'sign-in': signIn })) this.refuseKnown(key, account);
  }

  /**
   * Begins an attempt at an account when its turn has come, in one statement.
   *
   * During a lock every attempt takes the same work, and only the right password from a familiar
   * network is accepted: nothing else reveals whether the account exists.
   *
   * @throws {Problem} `too-many-attempts`.
   */
  async begin(email: string, client: Client): Promise<Attempt> {
    const keys = this.keysOf(email, client);
    if (!this.enabled) return unlimited(keys.account);
    const counters = await this.counters(keys, email, client.network);
    await this.checkInsurance(keys);
    let failures = 0;
    let lock: Counter | undefined;
    for (const counter of counters) {
      const name = counter.key.slice(0, counter.key.indexOf(':')) as FailureLimit | 'lock';
      if (name === 'pair') failures = counter.points;
      if (name === 'lock') lock = counter;
      else if (name !== 'account' && counter.points >= LIMITS[name].points)
        throw this.refuse(counter.key, LIMITS[name].points, counter.milliseconds, keys.account);
    }
    const familiar = counters[0]?.familiar ?? false;
    return {
      lockedOut: lock !== undefined && !familiar,
      failed: async (userId) => {
        await this.countFailure(keys, { locked: lock !== undefined, familiar });
        return lock
          ? tooMany(0, lock.milliseconds, { userId, accountHash: keys.account })
          : wrongCredentials(userId, keys.account);
      },
      succeeded: async () => {
        this.countLocally('sign-in', `${keys.account}:${client.site}`);
        if (failures > 0) await this.limiters.pair.delete(keys.pair);
      },
    };
  }

  /**
   * Counts a registration.
   *
   * @throws {Problem} `too-many-attempts`.
   */
  async registration({ site }: Client): Promise<void> {
    if (!this.enabled) return;
    const result = await this.limiters.registration.penalty(String(site));
    const { points } = LIMITS.registration;
    if (result.consumedPoints > points)
      throw this.refuse(`registration:${site}`, points, result.msBeforeNext);
  }

  /** Counts a body that failed validation; returns whether the limit was reached by it. */
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
    const insuranceLimiter = this.insurance[name];
    return new RateLimiterPostgres({
      ...limit,
      keyPrefix: name,
      storeClient: { query: this.database.queryAny },
      storeType: 'client',
      tableName: 'rate_limits',
      tableCreated: true,
      // The purge deletes expired counters, in batches.
      clearExpiredByTimeout: false,
      ...(insuranceLimiter && { insuranceLimiter }),
    });
  }

  private keysOf(email: string, { network, site }: Client): AttemptKeys {
    // The secret also signs tokens: the prefix keeps the two uses apart.
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

  /** Without it a read-only database would allow endless guesses. */
  private async checkInsurance(keys: AttemptKeys): Promise<void> {
    for (const name of ['pair', 'network', 'site'] as const) {
      const key = keys[name];
      const counter = key === undefined ? null : await this.insurance[name].get(key);
      const { points } = LIMITS[name];
      if (counter && counter.consumedPoints >= points)
        throw this.refuse(`${name}:${key}`, points, counter.msBeforeNext, keys.account);
    }
  }

  /** A failure during a lock does not extend it. */
  private async countFailure(
    keys: AttemptKeys,
    { locked, familiar }: { locked: boolean; familiar: boolean },
  ): Promise<void> {
    const count = (name: FailureLimit) => {
      const key = keys[name];
      return key === undefined ? undefined : this.limiters[name].penalty(key);
    };
    const [account] = await Promise.all([
      locked ? undefined : count('account'),
      count('pair'),
      count('network'),
      count('site'),
    ]);
    const beyond = (account?.consumedPoints ?? 0) - LIMITS.account.points;
    if (beyond >= 0 && !familiar)
      await this.limiters.lock.block(keys.lock, Math.min(2 ** beyond, MAX_LOCK));
  }

  private refuseKnown(key: string, accountHash?: string): void {
    const known = this.refusals.find(key);
    if (known) throw tooMany(known.limit, known.milliseconds, { accountHash });
  }

  /** The refusal of a key that PostgreSQL counts; it is remembered for a while. */
  private refuse(key: string, limit: number, milliseconds: number, accountHash?: string): Problem {
    this.refusals.remember(key, limit, milliseconds, REMEMBERED);
    return tooMany(limit, milliseconds, { accountHash });
  }
}

const namesOf = (keys: Record<string, string>) =>
  Object.entries(keys).map(([name, key]) => `${name}:${key}`);

const wrongCredentials = (userId: number | undefined, accountHash: string) =>
  problem('wrong-credentials', { audit: { userId, accountHash } });

const unlimited = (accountHash: string): Attempt => ({
  lockedOut: false,
  failed: (userId) => Promise.resolve(wrongCredentials(userId, accountHash)),
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
