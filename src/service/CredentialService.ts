import bcrypt from 'bcrypt';
import type { EntityManager } from 'typeorm';
import { FIND_CREDENTIALS } from '../database/credentialStatements';
import type { Database } from '../database/Database';
import { User } from '../entity/User';
import type { Client } from '../types/client';
import type { SessionOwner } from '../types/session';
import type { Credentials } from '../types/user';
import type { AttemptLimiter } from './AttemptLimiter';
import type { HashQueue } from './HashQueue';

/** The most work that a hash may ask for; the upper bound of BCRYPT_ROUNDS. */
const MAX_ROUNDS = 15;

interface FoundCredentials {
  id: number | null;
  passwordHash: string | null;
  highestRounds: number | null;
}

const NOTHING_FOUND: FoundCredentials = { id: null, passwordHash: null, highestRounds: null };

/** Passwords: hashed and verified with bcrypt, a few at a time and never on a held connection. */
export class CredentialService {
  constructor(
    private readonly database: Database,
    private readonly queue: HashQueue,
    private readonly attempts: AttemptLimiter,
    /** The base-2 logarithm of bcrypt's iterations. */
    private readonly rounds: number,
  ) {}

  /** @throws {Problem} `overloaded`. */
  hash(password: string, { site }: Client): Promise<string> {
    return this.queue.run(site, () => bcrypt.hash(password, this.rounds));
  }

  /**
   * The account that these credentials belong to. A hash of fewer rounds than the setting asks for is
   * replaced.
   *
   * Every refusal takes the same work, so that its time does not reveal whether the account exists
   * (OWASP ASVS 5.0, 6.3.8). An attempt that is known to be over a limit does not wait, and one that the
   * queue refuses takes no statement. The limits are checked again when its turn has come, and a failure
   * counts before the next turn: parallel attempts beyond a limit are refused like sequential ones.
   *
   * @throws {Problem} `wrong-credentials`; `too-many-attempts`; `overloaded`.
   */
  async verify(credentials: Credentials, client: Client): Promise<SessionOwner> {
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
        throw await attempt.failed(owner?.id);
      return { attempt, verified: owner, newHash: await this.rehash(password, owner) };
    });
    await attempt.succeeded();
    if (newHash === undefined) return verified;
    const replaced = await this.database.entities((manager) =>
      this.replaceHash(verified, newHash, manager),
    );
    // A parallel login may have replaced the hash first; only the stored hash opens a session.
    return replaced ? { ...verified, passwordHash: newHash } : this.verify(credentials, client);
  }

  /** Replaces the hash that was verified; resolves to false if it has changed since. */
  async replaceHash(
    { id, passwordHash }: SessionOwner,
    newHash: string,
    manager: EntityManager,
  ): Promise<boolean> {
    const changes = { password: newHash, updatedAt: () => 'now()' };
    const { affected } = await manager.update(User, { id, password: passwordHash }, changes);
    return affected === 1;
  }

  /** The account with this e-mail, and the rounds that a refusal has to take as long as. */
  private async find(email: string): Promise<{ owner: SessionOwner | undefined; rounds: number }> {
    const [found] = await this.database.query<FoundCredentials>(FIND_CREDENTIALS, [email]);
    const { id, passwordHash, highestRounds } = found ?? NOTHING_FOUND;
    return {
      owner: id === null || passwordHash === null ? undefined : { id, passwordHash },
      rounds: Math.min(Math.max(this.rounds, highestRounds ?? 0), MAX_ROUNDS),
    };
  }

  /**
   * Whether the password matches the hash. Every no takes the work of `rounds`: 2ʳ for the hash, and
   * 2ʳ + 2ʳ⁺¹ + … + 2ⁿ⁻¹ to make up for a hash of fewer rounds. A hash of another form matches nothing.
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
    // bcrypt knows the other names of its form, $2a$ and $2b$.
    if (await bcrypt.compare(password, hash.replace(/^\$2y/, '$2b'))) return true;
    for (let missing = own; missing < rounds; missing += 1)
      await bcrypt.compare(password, decoyHash(missing));
    return false;
  }

  /** A new hash of the password, if the stored one was made with fewer rounds than the setting. */
  private async rehash(
    password: string,
    { passwordHash }: SessionOwner,
  ): Promise<string | undefined> {
    const rounds = roundsOf(passwordHash) ?? 0;
    return rounds < this.rounds ? bcrypt.hash(password, this.rounds) : undefined;
  }
}

/** A bcrypt hash of up to MAX_ROUNDS. */
const BCRYPT_SHAPE = /^\$2[aby]\$(0[4-9]|1[0-5])\$[./A-Za-z0-9]{53}$/;

const roundsOf = (hash = ''): number | undefined => {
  const rounds = BCRYPT_SHAPE.exec(hash)?.[1];
  return rounds === undefined ? undefined : Number(rounds);
};

/** A well-formed hash that no password matches. */
const decoyHash = (rounds: number) => `$2b$${String(rounds).padStart(2, '0')}$${'.'.repeat(53)}`;
