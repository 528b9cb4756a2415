import { createHmac } from 'node:crypto';
import { RateLimiterMemory, RateLimiterPostgres } from 'rate-limiter-flexible';
import type { Config } from '../config';
import type { Database, Statement } from '../database/Database';
import { problem } from '../errors/problems';
import type { Client } from '../types/client';
import type { AttemptGuard } from './CredentialService';

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** Failed attempts, or registrations, that are let through in so many seconds. */
const LIMITS = {
  /** At one account from one network: a person who cannot remember, with room to spare. */
  pair: { points: 10, duration: 15 * MINUTE },
  /** From one network at any accounts: an office behind one address, but no list of passwords. */
  network: { points: 100, duration: 15 * MINUTE },
  /** At one account from anywhere; beyond, each failure locks out strangers for twice as long. */
  account: { points: 10, duration: 24 * HOUR },
  registration: { points: 100, duration: HOUR },
} as const;

const MAX_LOCK = 15 * MINUTE;

type LimitName = keyof typeof LIMITS | 'lock';

interface Counter {
  key: string;
  points: number;
  /** Until it is forgotten. */
  milliseconds: number;
  /** Whether the account's user has signed in from this network. */
  familiar: boolean;
}

/** $1 keys, $2 e-mail, $3 network, $4 now in milliseconds since 1970. */
export const COUNTERS: Statement = {
  name: 'attempt-counters',
  text: `
    SELECT key, points, (expire - $4)::integer AS milliseconds, EXISTS (
      SELECT FROM users JOIN sign_in_networks ON user_id = users.id
      WHERE email = $2 AND network = $3
    ) AS familiar
    FROM rate_limits WHERE key = ANY ($1) AND expire > $4`,
};

/**
 * Limits how often passwords can be guessed and accounts made, in PostgreSQL, so that all replicas
 * count together; in memory while it is away. E-mails stand there as keyed hashes only.
 */
export class AttemptLimiter {
  private readonly enabled: boolean;
  private readonly secret: string;
  private readonly limiters: Record<LimitName, RateLimiterPostgres>;
  /** What was counted while the database took no writes. */
  private readonly insurance = {
    pair: new RateLimiterMemory({ ...LIMITS.pair, keyPrefix: 'pair' }),
    network: new RateLimiterMemory({ ...LIMITS.network, keyPrefix: 'network' }),
    account: new RateLimiterMemory({ ...LIMITS.account, keyPrefix: 'account' }),
    lock: new RateLimiterMemory({ points: 0, duration: MAX_LOCK, keyPrefix: 'lock' }),
    // Without the database there is no registration either.
    registration: undefined,
  };

  constructor(
    { rateLimitEnabled, tokens }: Pick<Config, 'rateLimitEnabled' | 'tokens'>,
    private readonly database: Database,
    private readonly now: () => number,
  ) {
    this.enabled = rateLimitEnabled;
    this.secret = tokens.refreshSecret;
    const limiter = (name: LimitName) => {
      const limit = name === 'lock' ? { points: 0, duration: MAX_LOCK } : LIMITS[name];
      const insuranceLimiter = this.insurance[name];
      return new RateLimiterPostgres({
        ...limit,
        keyPrefix: name,
        storeClient: { query: database.queryAny },
        storeType: 'client',
        tableName: 'rate_limits',
        tableCreated: true,
        // The table is one: one of them clears it.
        clearExpiredByTimeout: name === 'lock',
        ...(insuranceLimiter && { insuranceLimiter }),
      });
    };
    this.limiters = {
      pair: limiter('pair'),
      network: limiter('network'),
      account: limiter('account'),
      lock: limiter('lock'),
      registration: limiter('registration'),
    };
  }

  /**
   * The guard of an attempt at an account. `check` is one statement, and throws `too-many-attempts`;
   * a success costs no further one, but for the first after a failure.
   */
  guard(email: string, { network }: Client): AttemptGuard & { succeeded(): Promise<void> } {
    // The secret signs tokens, too: the prefix keeps the two uses apart.
    const hmac = createHmac('sha256', this.secret).update(`attempts:${email}`);
    const account = hmac.digest('base64url');
    const address = network ?? 'none';
    const keys = { pair: `${account}:${address}`, network: address, account, lock: account };
    let familiar = false;
    let failures = 0;
    return {
      check: async () => {
        if (!this.enabled) return;
        const counters = await this.counters(keys, email, network);
        familiar = counters[0]?.familiar ?? false;
        await this.checkInsurance(keys);
        for (const { key, points, milliseconds } of counters) {
          const name = key.slice(0, key.indexOf(':')) as LimitName;
          if (name === 'pair') failures = points;
          const exceeded =
            name === 'lock' ? !familiar : name !== 'account' && points >= LIMITS[name].points;
          if (exceeded) throw tooMany(name === 'lock' ? 0 : LIMITS[name].points, milliseconds);
        }
      },
      failed: async () => {
        if (!this.enabled) return;
        const [, , { consumedPoints }] = await Promise.all([
          this.limiters.pair.penalty(keys.pair),
          this.limiters.network.penalty(keys.network),
          this.limiters.account.penalty(keys.account),
        ]);
        const beyond = consumedPoints - LIMITS.account.points;
        if (beyond >= 0 && !familiar)
          await this.limiters.lock.block(keys.lock, Math.min(2 ** beyond, MAX_LOCK));
      },
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

  /** Else a database that is read-only would let everybody guess without end. */
  private async checkInsurance(keys: Record<'pair' | 'network', string>): Promise<void> {
    for (const name of ['pair', 'network'] as const) {
      const counter = await this.insurance[name].get(keys[name]);
      const { points } = LIMITS[name];
      if (counter && counter.consumedPoints >= points) throw tooMany(points, counter.msBeforeNext);
    }
  }

  private counters(
    keys: Record<'pair' | 'network' | 'account' | 'lock', string>,
    email: string,
    network: string | null,
  ): Promise<Counter[]> {
    const names = Object.entries(keys).map(([name, key]) => `${name}:${key}`);
    return this.database.query<Counter>(COUNTERS, [names, email, network, this.now()]);
  }
}

/** With the headers of draft-ietf-httpapi-ratelimit-headers-06 beside Retry-After (RFC 9110, 10.2.3). */
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
