import bcrypt from 'bcrypt';
import type { EntityManager } from 'typeorm';
import type { Database } from '../database/Database';
import { User } from '../entity/User';
import { problem } from '../errors/problems';
import type { Client } from '../types/client';
import type { SessionOwner } from '../types/session';
import type { Credentials } from '../types/user';
import type { AttemptLimiter } from './AttemptLimiter';
import type { HashQueue } from './HashQueue';

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
  hash(password: string): Promise<string> {
    return this.queue.run(() => bcrypt.hash(password, this.rounds));
  }

  /**
   * The account that these credentials belong to. A hash of fewer rounds than the setting asks for is
   * replaced.
   *
   * Every refusal takes the same work, so that its time does not reveal whether the account exists
   * (OWASP ASVS 5.0, 6.3.8). The limits are checked when the attempt's turn has come, and a failure
   * counts before the next turn: parallel attempts beyond a limit are refused like sequential ones.
   *
   * @throws {Problem} `wrong-credentials`; `too-many-attempts`; `overloaded`.
   */
  async verify(credentials: Credentials, client: Client): Promise<SessionOwner> {
    const { email, password } = credentials;
    const account = await this.find(email);
    const { owner, attempt, newHash } = await this.queue.run(async () => {
      const attempt = await this.attempts.begin(email, client);
      const matches = await this.compare(password, account?.passwordHash);
      if (account === null || !matches) {
        await attempt.failed();
        throw problem('wrong-credentials', { audit: { userId: account?.id } });
      }
      return { owner: account, attempt, newHash: await this.rehash(password, account) };
    });
    await attempt.succeeded();
    if (newHash === undefined) return owner;
    const replaced = await this.database.entities((manager) =>
      this.replaceHash(owner, newHash, manager),
    );
    // A parallel login may have replaced the hash first; only the stored hash opens a session.
    return replaced ? { id: owner.id, passwordHash: newHash } : this.verify(credentials, client);
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

  private async find(email: string): Promise<SessionOwner | null> {
    const user = await this.database.entities((manager) =>
      manager.findOne(User, { select: { id: true, password: true }, where: { email } }),
    );
    return user && { id: user.id, passwordHash: user.password };
  }

  /** Whether the password matches the hash. Every no takes the work of the configured rounds. */
  private async compare(password: string, hash: string | undefined): Promise<boolean> {
    const matches = await bcrypt.compare(password, hash ?? decoyHash(this.rounds));
    if (hash === undefined) return false;
    if (!matches) await this.addWork(password, bcrypt.getRounds(hash));
    return matches;
  }

  /** Makes up for a hash of fewer rounds: 2ʳ + 2ʳ + 2ʳ⁺¹ + … + 2ⁿ⁻¹ = 2ⁿ. */
  private async addWork(password: string, from: number): Promise<void> {
    for (let rounds = from; rounds < this.rounds; rounds += 1)
      await bcrypt.compare(password, decoyHash(rounds));
  }

  /** A new hash of the password, if the stored one was made with fewer rounds than the setting. */
  private async rehash(password: string, owner: SessionOwner): Promise<string | undefined> {
    if (bcrypt.getRounds(owner.passwordHash) >= this.rounds) return undefined;
    return bcrypt.hash(password, this.rounds);
  }
}

/** A well-formed hash that no password matches. */
const decoyHash = (rounds: number) => `$2b$${String(rounds).padStart(2, '0')}$${'.'.repeat(53)}`;
