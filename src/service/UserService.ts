import type { Database } from '../database/Database';
import { isUniqueViolation } from '../database/databaseErrors';
import { oncePerTurn } from '../database/oncePerTurn';
import { userColumns } from '../database/userColumns';
import { FIND_BY_SESSIONS } from '../database/userStatements';
import { User } from '../entity/User';
import { problem } from '../errors/problems';
import { wrongCredentials } from '../errors/wrongCredentials';
import type { Client } from '../types/client';
import type { LiveSession, OpenedSession, SessionOf } from '../types/session';
import type { Credentials, Names, PasswordChange, Registration, UserDetails } from '../types/user';
import type { AttemptLimiter } from './AttemptLimiter';
import type { CredentialService } from './CredentialService';
import type { SessionService } from './SessionService';

/** Registration, login, and changes to the account by its owner. */
export class UserService {
  private readonly bySession = oncePerTurn((sessions: readonly SessionOf[]) =>
    this.findBySessions(sessions),
  );

  constructor(
    private readonly database: Database,
    private readonly credentials: CredentialService,
    private readonly sessions: SessionService,
    private readonly attempts: AttemptLimiter,
  ) {}

  /** Account and session in one transaction. @throws {Problem} `email-taken`; `too-many-attempts`; `overloaded`. */
  async register(registration: Registration, client: Client): Promise<LiveSession> {
    await this.attempts.registration(client);
    const password = await this.credentials.hash(registration.password, client);
    try {
      return await this.database.transaction(async (query, manager) => {
        const { identifiers } = await manager.insert(User, { ...registration, password });
        const owner = { id: Number(identifiers[0]?.id), passwordHash: password };
        return this.sessions.open(owner, client, { query });
      });
    } catch (error) {
      if (isUniqueViolation(error, ['users_email_key', 'users_email_lower_key']))
        throw problem('email-taken', { cause: error, field: { code: 'taken', path: 'email' } });
      throw error;
    }
  }

  /**
   * Verifies the credentials and opens a session. Ends the `previous` sessions of this user, which the
   * same browser holds (OWASP ASVS 5.0, 7.2.4).
   * @throws {Problem} `wrong-credentials`; `too-many-attempts`; `overloaded`.
   */
  async login(
    credentials: Credentials,
    client: Client,
    previous: readonly string[] = [],
  ): Promise<OpenedSession> {
    const owner = await this.credentials.verify(credentials, client);
    return this.sessions.open(owner, client, { previous });
  }

  /** Takes at most one statement. @throws {Problem} `session-ended`. */
  async findBySession({ sessionId, userId }: SessionOf): Promise<UserDetails> {
    const user = await this.bySession({ sessionId, userId });
    if (user === undefined) throw problem('session-ended', { audit: { userId, sessionId } });
    return user;
  }

  /** @throws {Problem} `session-ended` if the account is gone. */
  async rename(userId: number, names: Partial<Names>): Promise<UserDetails> {
    const result = await this.database.entities((manager) =>
      manager
        .createQueryBuilder()
        .update(User)
        .set({ ...names, updatedAt: () => 'now()' })
        .where({ id: userId })
        .returning(userColumns('users'))
        .execute(),
    );
    const [user] = result.raw as UserDetails[];
    if (user === undefined) throw problem('session-ended', { audit: { userId } });
    return user;
  }

  /** Ends all other sessions and renews this one. @throws {Problem} `wrong-credentials`; `session-ended`. */
  async changePassword(
    { email }: UserDetails,
    session: SessionOf,
    { currentPassword, newPassword }: PasswordChange,
    client: Client,
  ): Promise<LiveSession> {
    const field = 'currentPassword';
    const current = { email, password: currentPassword };
    const owner = await this.credentials.verify(current, client, field);
    const newHash = await this.credentials.hash(newPassword, client);
    return this.database.transaction(async (query, manager) => {
      if (!(await this.credentials.replaceHash(owner, newHash, manager)))
        throw wrongCredentials({ userId: owner.id }, field);
      return this.sessions.renewAlone(session, query);
    });
  }

  /** Deletes all data of the account. @throws {Problem} `wrong-credentials`. */
  async delete({ email }: UserDetails, password: string, client: Client): Promise<void> {
    const field = 'password';
    const { id, passwordHash } = await this.credentials.verify({ email, password }, client, field);
    // The hash decides a race with a change of password.
    const { affected } = await this.database.entities((manager) =>
      manager.delete(User, { id, password: passwordHash }),
    );
    if (affected !== 1) throw wrongCredentials({ userId: id }, field);
  }

  private async findBySessions(
    sessions: readonly SessionOf[],
  ): Promise<(UserDetails | undefined)[]> {
    const rows = await this.database.query<UserDetails & { sessionId: string }>(FIND_BY_SESSIONS, [
      sessions.map(({ sessionId }) => sessionId),
      sessions.map(({ userId }) => userId),
    ]);
    const found = new Map(rows.map(({ sessionId, ...user }) => [sessionId, user]));
    return sessions.map(({ sessionId, userId }) => {
      const user = found.get(sessionId);
      return user?.id === userId ? user : undefined;
    });
  }
}
