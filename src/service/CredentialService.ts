import bcrypt from 'bcrypt';
import type { Config } from '../config';
import { HashQueue } from './HashQueue';

/** What goes round a verification: refuses it beforehand, or hears that it failed. */
export interface AttemptGuard {
  check(): Promise<void>;
  failed(): Promise<void>;
}

/** Hashes passwords and verifies them (bcrypt), a few at a time and never on a held connection. */
export class CredentialService {
  private readonly rounds: number;
  private readonly queue: HashQueue;

  constructor({ rounds, ...queue }: Config['hashing']) {
    this.rounds = rounds;
    this.queue = new HashQueue(queue);
  }

  /** @throws {Problem} `overloaded`. */
  hash(password: string): Promise<string> {
    return this.queue.run(() => bcrypt.hash(password, this.rounds));
  }

  /**
   * The hash that the password belongs to: the given one, or a new one where that was made with less
   * work than is now asked for; undefined where it does not belong to it, or there is none. Every no
   * takes the same work, so that its time does not tell an unknown account (OWASP ASVS 5.0, 6.3.8).
   *
   * The guard is asked when the attempt's turn has come, and told before the next one's: of many
   * attempts at once, those beyond a limit are refused like those one after the other.
   *
   * @throws {Problem} `overloaded`, and what the guard throws.
   */
  verify(
    password: string,
    hash: string | undefined,
    guard: AttemptGuard,
  ): Promise<string | undefined> {
    return this.queue.run(async () => {
      await guard.check();
      const matches = await bcrypt.compare(password, hash ?? decoyHash(this.rounds));
      const rounds = hash === undefined ? this.rounds : bcrypt.getRounds(hash);
      if (matches && hash !== undefined)
        return rounds < this.rounds ? bcrypt.hash(password, this.rounds) : hash;
      await this.addWork(password, rounds);
      await guard.failed();
      return undefined;
    });
  }

  /** Makes up for a hash of a lower work factor: 2ʳ + 2ʳ + 2ʳ⁺¹ + … + 2ⁿ⁻¹ = 2ⁿ. */
  private async addWork(password: string, from: number): Promise<void> {
    for (let rounds = from; rounds < this.rounds; rounds += 1)
      await bcrypt.compare(password, decoyHash(rounds));
  }
}

/** The well-formed hash of no password. */
const decoyHash = (rounds: number) => `$2b$${String(rounds).padStart(2, '0')}$${'.'.repeat(53)}`;
