import type { DataSource } from 'typeorm';
import { isUniqueViolation } from '../config/databaseErrors';
import type { Query, Statement } from '../config/preparedQuery';
import { problem } from '../config/problems';
import { User } from '../entity/User';
import type { Client } from '../types/client';
import type { CredentialService } from './CredentialService';
import type { LiveSession, SessionOwner, SessionService } from './SessionService';
import type { AccessClaims } from './TokenService';

/** What a person gives to sign in; the e-mail in its canonical form. */
export interface Credentials {
  email: string;
  password: string;
}

export interface Registration extends Credentials {
  firstName: string;
  lastName: string;
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

/** $1 session, $2 user. No row where the session has ended. */
const FIND_BY_SESSION: Statement = {
  name: 'user-by-session',
  text: `
    SELECT account.id, "firstName", "lastName", email, role,
           account.created_at AS "createdAt", account.updated_at AS "updatedAt"
    FROM refresh_tokens AS token JOIN users AS account ON account.id = token.user_id
    WHERE token.session_id = $1 AND token.user_id = $2 AND token.expires_at > now()`,
};

/** Accounts. */
export class UserService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly query: Query,
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
      return await this.dataSource.transaction(async (manager) => {
        const { identifiers } = await manager.insert(User, { ...registration, password });
        const owner = { id: Number(identifiers[0]?.id), passwordHash: password };
        const session = await this.sessions.open(owner, client, manager);
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
    const user = await this.dataSource.manager.findOne(User, {
      select: { id: true, password: true },
      where: { email },
    });
    const verified = await this.credentials.verify(password, user?.password);
    if (!user || !verified) throw problem('wrong-credentials', { audit: { userId: user?.id } });
    return { id: user.id, passwordHash: user.password };
  }

  /**
   * The account of a live session, in one statement.
   *
   * @throws {Problem} `session-ended`.
   */
  async findBySession({ sessionId, userId }: AccessClaims): Promise<UserDetails> {
    const [user] = await this.query<UserDetails>(FIND_BY_SESSION, [sessionId, userId]);
    if (user === undefined) throw problem('session-ended', { audit: { userId, sessionId } });
    return user;
  }
}
