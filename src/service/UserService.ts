import { isUniqueViolation } from '../config/databaseErrors';
import type { Database } from '../config/Database';
import { problem } from '../config/problems';
import { User } from '../entity/User';
import type { Client } from '../types/client';
import type { CredentialService } from './CredentialService';
import type { LiveSession, SessionOf, SessionOwner, SessionService } from './SessionService';
import { DELETE_USER, FIND_BY_SESSION, RENAME, REPLACE_PASSWORD } from './userStatements';

/** What a person gives to sign in; the e-mail in its canonical form. */
export interface Credentials {
  email: string;
  password: string;
}

export interface Names {
  firstName: string;
  lastName: string;
}

export type Registration = Credentials & Names;

export interface PasswordChange {
  currentPassword: string;
  newPassword: string;
}

/** An account as its owner sees it. */
export interface UserDetails {
  id: number;
  firstName: string;
  lastName: string;
  email: string;
  role: string;
  createdAt: Date;
  updatedAt: Date;
}

/** Accounts. */
export class UserService {
  constructor(
    private readonly database: Database,
    private readonly credentials: CredentialService,
    private readonly sessions: SessionService,
  ) {}

  /**
   * Creates an account with its first session: both or neither.
   *
   * @throws {Problem} `email-taken`, by the database's word, so that of parallel registrations one
   * succeeds.
   */
  async register(registration: Registration, client: Client): Promise<LiveSession> {
    const password = await this.credentials.hash(registration.password);
    try {
      return await this.database.transaction(async (query, manager) => {
        const { identifiers } = await manager.insert(User, { ...registration, password });
        const owner = { id: Number(identifiers[0]?.id), passwordHash: password };
        const session = await this.sessions.open(owner, client, query);
        if (session === undefined) throw new Error('a user just inserted is not there');
        return session;
      });
    } catch (error) {
      if (isUniqueViolation(error, ['users_email_key', 'users_email_lower_key']))
        throw problem('email-taken', { cause: error });
      throw error;
    }
  }

  /**
   * The account that these credentials belong to.
   *
   * @throws {Problem} `wrong-credentials`: the same, and after the same time, for an unknown e-mail.
   */
  async verifyCredentials({ email, password }: Credentials): Promise<SessionOwner> {
    const user = await this.database.manager.findOne(User, {
      select: { id: true, password: true },
      where: { email },
    });
    const verified = await this.credentials.verify(password, user?.password);
    if (!user || !verified) throw wrongPassword(user?.id);
    return { id: user.id, passwordHash: user.password };
  }

  /**
   * The account of a live session, in one statement.
   *
   * @throws {Problem} `session-ended`.
   */
  async findBySession({ sessionId, userId }: SessionOf): Promise<UserDetails> {
    const [user] = await this.database.query<UserDetails>(FIND_BY_SESSION, [sessionId, userId]);
    if (user === undefined) throw problem('session-ended', { audit: { userId, sessionId } });
    return user;
  }

  /** Changes the names that are given. */
  async rename(userId: number, names: Partial<Names>): Promise<UserDetails> {
    const values = [userId, names.firstName ?? null, names.lastName ?? null];
    const [user] = await this.database.query<UserDetails>(RENAME, values);
    if (user === undefined) throw problem('session-ended', { audit: { userId } });
    return user;
  }

  /**
   * Replaces the password, ends all other sessions and renews this one: all of it or nothing.
   *
   * @throws {Problem} `wrong-credentials` where the current password is another; `session-ended`.
   */
  async changePassword(session: SessionOf, change: PasswordChange): Promise<LiveSession> {
    const verified = await this.verifyPassword(session.userId, change.currentPassword);
    const password = await this.credentials.hash(change.newPassword);
    return this.database.transaction(async (query) => {
      const values = [session.userId, verified, password];
      const replaced = await query<unknown>(REPLACE_PASSWORD, values);
      if (replaced.length === 0) throw wrongPassword(session.userId);
      return this.sessions.renewAlone(session, query);
    });
  }

  /**
   * Deletes the account and everything that hangs on it.
   *
   * @throws {Problem} `wrong-credentials`.
   */
  async delete(userId: number, password: string): Promise<void> {
    const verified = await this.verifyPassword(userId, password);
    const deleted = await this.database.query<unknown>(DELETE_USER, [userId, verified]);
    if (deleted.length === 0) throw wrongPassword(userId);
  }

  /** The hash that this password of a signed-in user belongs to. */
  private async verifyPassword(userId: number, password: string): Promise<string> {
    const user = await this.database.manager.findOne(User, {
      select: { id: true, password: true },
      where: { id: userId },
    });
    const verified = await this.credentials.verify(password, user?.password);
    if (!user || !verified) throw wrongPassword(userId);
    return user.password;
  }
}

const wrongPassword = (userId: number | undefined) =>
  problem('wrong-credentials', { audit: { userId } });
