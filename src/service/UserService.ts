import { isUniqueViolation } from '../database/databaseErrors';
import type { Database } from '../database/Database';
import { problem } from '../errors/problems';
import { User } from '../entity/User';
import type { Client } from '../types/client';
import type { AttemptLimiter } from './AttemptLimiter';
import type { CredentialService } from './CredentialService';
import { oncePerTurn } from '../database/oncePerTurn';
import type { LiveSession, SessionOf, SessionOwner, SessionService } from './SessionService';
import {
  DELETE_USER,
  FIND_BY_SESSIONS,
  FIND_CREDENTIALS,
  RENAME,
  REPLACE_PASSWORD,
} from '../database/userStatements';

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
  private readonly bySession = oncePerTurn((asked: readonly SessionOf[]) =>
    this.findBySessions(asked),
  );

  constructor(
    private readonly database: Database,
    private readonly credentials: CredentialService,
    private readonly sessions: SessionService,
    private readonly attempts: AttemptLimiter,
  ) {}

  /**
   * Creates an account with its first session: both or neither.
   *
   * @throws {Problem} `email-taken`, by the database's word, so that of parallel registrations one
   * succeeds; `too-many-attempts`; `overloaded`.
   */
  async register(registration: Registration, client: Client): Promise<LiveSession> {
    await this.attempts.registration(client);
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
   * @throws {Problem} `wrong-credentials`: the same, and after the same time, for an unknown e-mail;
   * `too-many-attempts`; `overloaded`.
   */
  async verifyCredentials({ email, password }: Credentials, client: Client): Promise<SessionOwner> {
    const [user] = await this.database.query<SessionOwner>(FIND_CREDENTIALS, [email]);
    const guard = this.attempts.guard(email, client);
    const hash = await this.credentials.verify(password, user?.passwordHash, guard);
    if (user === undefined || hash === undefined) throw wrongPassword(user?.id);
    await guard.succeeded();
    if (hash !== user.passwordHash) {
      const values = [user.id, user.passwordHash, hash];
      const replaced = await this.database.query<unknown>(REPLACE_PASSWORD, values);
      // Another login of the same moment was faster: its hash is the one that counts.
      if (replaced.length === 0) return this.verifyCredentials({ email, password }, client);
    }
    return { id: user.id, passwordHash: hash };
  }

  /**
   * The account of a live session, in one statement at the most.
   *
   * @throws {Problem} `session-ended`.
   */
  async findBySession({ sessionId, userId }: SessionOf): Promise<UserDetails> {
    const user = await this.bySession({ sessionId, userId });
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
  async changePassword(
    user: UserDetails,
    session: SessionOf,
    change: PasswordChange,
    client: Client,
  ): Promise<LiveSession> {
    const credentials = { email: user.email, password: change.currentPassword };
    const { id, passwordHash } = await this.verifyCredentials(credentials, client);
    const newHash = await this.credentials.hash(change.newPassword);
    return this.database.transaction(async (query) => {
      const replaced = await query<unknown>(REPLACE_PASSWORD, [id, passwordHash, newHash]);
      if (replaced.length === 0) throw wrongPassword(id);
      return this.sessions.renewAlone(session, query);
    });
  }

  /**
   * Deletes the account and everything that hangs on it.
   *
   * @throws {Problem} `wrong-credentials`.
   */
  async delete({ email }: UserDetails, password: string, client: Client): Promise<void> {
    const { id, passwordHash } = await this.verifyCredentials({ email, password }, client);
    const deleted = await this.database.query<unknown>(DELETE_USER, [id, passwordHash]);
    if (deleted.length === 0) throw wrongPassword(id);
  }

  private async findBySessions(asked: readonly SessionOf[]): Promise<(UserDetails | undefined)[]> {
    const rows = await this.database.query<UserDetails & { sessionId: string }>(FIND_BY_SESSIONS, [
      asked.map(({ sessionId }) => sessionId),
      asked.map(({ userId }) => userId),
    ]);
    const found = new Map(rows.map(({ sessionId, ...user }) => [sessionId, user]));
    return asked.map(({ sessionId, userId }) => {
      const user = found.get(sessionId);
      return user?.id === userId ? user : undefined;
    });
  }
}

const wrongPassword = (userId: number | undefined) =>
  problem('wrong-credentials', { audit: { userId } });
