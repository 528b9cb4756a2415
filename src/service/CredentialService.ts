import bcrypt from 'bcrypt';
import type { Config } from '../config';

/** Hashes passwords and verifies them (bcrypt); never while a database connection is held. */
export class CredentialService {
  /** Of no password: well-formed and of the same work factor, so that a comparison takes as long. */
  private readonly decoyHash: string;

  constructor(private readonly settings: Pick<Config, 'bcryptRounds'>) {
    this.decoyHash = `$2b$${settings.bcryptRounds}$${'.'.repeat(53)}`;
  }

  hash(password: string): Promise<string> {
    return bcrypt.hash(password, this.settings.bcryptRounds);
  }

  /**
   * Whether the password belongs to the hash. Without a hash the answer is no, after the same work,
   * so that its time does not tell an unknown account (OWASP ASVS 5.0, 6.3.8).
   */
  async verify(password: string, hash: string | undefined): Promise<boolean> {
    const matches = await bcrypt.compare(password, hash ?? this.decoyHash);
    return matches && hash !== undefined;
  }
}
