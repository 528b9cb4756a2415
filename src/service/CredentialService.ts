import bcrypt from 'bcrypt';
import type { EntityManager } from 'typeorm';
import { BCRYPT_PREFIX } from '../database/bcryptPrefix';
import { FIND_CREDENTIALS } from '../database/credentialStatements';
import type { Database } from '../database/Database';
import { User } from '../entity/User';
import type { Client } from '../types/client';
import type { SessionOwner } from '../types/session';
import type { Credentials } from '../types/user';
import type { AttemptLimiter } from './AttemptLimiter';
import type { HashQueue } from './HashQueue';

/** The upper bound of BCRYPT_ROUNDS; stored hashes with more rounds match nothing. */
const MAX_ROUNDS = 15;

interface FoundCredentials {
  id: number | null;
  passwordHash: string | null;
  highestRounds: number | null;
}

const NOTHING_FOUND: FoundCredentials = { id: null, passwordHash: null, highestRounds: null };

/** Hashes and verifies passwords with bcrypt, a few at a time, without holding a connection. */
export class CredentialService {
  constructor(
    private readonly database: Database,
    private readonly queue: HashQueue,
    private readonly attempts: AttemptLimiter,
    /** BCRYPT_ROUNDS: the base-2 logarithm of the iterations. */
    private readonly rounds: number,
  ) {}

  /** @throws {Problem} `overloaded`. */
  hash(password: string, { site }: Client): Promise<string> {
    return this.queue.run(site, () => bcrypt.hash(password, this.rounds));
  }

  /**
   * Resolves to the account with these credentials, and replaces its hash if that has too few rounds.
   *
   * `field` is the field of the request that holds the password, if the response may name it.
   *
   * Every refusal takes the same time, so that it does not reveal whether the account exists (OWASP ASVS
   * 5.0, 6.3.8). Limits are checked before the queue and again at the turn, and a failure counts before
   * the turn ends: otherwise parallel attempts could exceed a limit. One that the queue refuses takes no
   * statement.
   *
   * @throws {Problem} `wrong-credentials`; `too-many-attempts`; `overloaded`.
   */
  async verify(credentials: Credentials, client: Client, field?: string): Promise<SessionOwner> {
    const { email, password } = credentials;
    this.attempts.checkAttempt(email, client);
    const { attempt, verified, newHash } = await this.queue.run(client.site, async () => {
      this.attempts.checkAttempt(email, client);
      const [attempt, { owner, rounds }] = await Promise.all([
        this.attempts.begin(email, client),
        this.find(email),
      ]);
      const matches = await this.compare(password, owner?.passwordHash, rounds);
      if (owner === undefined || !matches || attempt.lockedOut)
        throw await attempt.failed(owner?.id, field);
      return { attempt, verified: owner, newHash: await this.rehash(password, owner) };
    });
    await attempt.succeeded();
    if (newHash === undefined) return verified;
    const replaced = await this.database.entities((manager) =>
      this.replaceHash(verified, newHash, manager),
    );
    // A parallel login may have replaced the hash; only the stored one opens a session.
    return replaced
      ? { ...verified, passwordHash: newHash }
      : this.verify(credentials, client, field);
  }

  /** Replaces the verified hash; resolves to false if it has changed since. */
  async replaceHash(
    { id, passwordHash }: SessionOwner,
    newHash: string,
    manager: EntityManager,
  ): Promise<boolean> {
    const changes = { password: newHash, updatedAt: () => 'now()' };
    const { affected } = await manager.update(User, { id, password: passwordHash }, changes);
    return affected === 1;
  }

  /** The account with this e-mail, and the rounds whose time every refusal takes. */
  private async find(email: string): Promise<{ owner: SessionOwner | undefined; rounds: number }> {
    const [found] = await this.database.query<FoundCredentials>(FIND_CREDENTIALS, [email]);
    const { id, passwordHash, highestRounds } = found ?? NOTHING_FOUND;
    return {
      owner: id === null || passwordHash === null ? undefined : { id, passwordHash },
      rounds: Math.min(Math.max(this.rounds, highestRounds ?? 0), MAX_ROUNDS),
    };
  }

  /**
   * Whether the password matches. A mismatch always takes the time of `rounds`: a hash of r rounds takes
   * 2ʳ, and decoys of r to n-1 rounds add the missing 2ⁿ - 2ʳ. A hash of another form matches nothing.
   */
  private async compare(
    password: string,
    hash: string | undefined,
    rounds: number,
  ): Promise<boolean> {
    const own = roundsOf(hash);
    if (hash === undefined || own === undefined) {
      await bcrypt.compare(password, decoyHash(rounds));
      return false;
    }
    // The library knows $2a$ and $2b$, but not $2y$, which is the same.
    if (await bcrypt.compare(password, hash.replace(/^\$2y/, '$2b'))) return true;
    for (let missing = own; missing < rounds; missing += 1)
      await bcrypt.compare(password, decoyHash(missing));
    return false;
  }

  private async rehash(
    password: string,
    { passwordHash }: SessionOwner,
  ): Promise<string | undefined> {
    const rounds = roundsOf(passwordHash) ?? 0;
    return rounds < this.rounds ? bcrypt.hash(password, this.rounds) : undefined;
  }
}

/** A bcrypt hash of up to MAX_ROUNDS. */
const BCRYPT_SHAPE = new RegExp(`${BCRYPT_PREFIX}[./A-Za-z0-9]{53}$`);

const roundsOf = (hash = ''): number | undefined => {
  const rounds = BCRYPT_SHAPE.exec(hash)?.[1];
  return rounds === undefined ? undefined : Number(rounds);
};

const decoyHash = (rounds: number) => `$2b$${String(rounds).padStart(2, '0')}$${'.'.repeat(53)}`;
