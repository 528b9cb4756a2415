import type { Request, Response } from 'express';
import { matchedData } from 'express-validator';
import type { AuthCookies } from '../http/AuthCookies';
import { namedSessions } from '../middleware/namedSessions';
import { required } from '../middleware/requestState';
import type { AuditLog } from '../service/AuditLog';
import type { SessionService } from '../service/SessionService';
import type { TokenService } from '../service/TokenService';
import type { UserService } from '../service/UserService';
import type { LogoutScope } from '../types/session';
import type { Credentials, Registration } from '../types/user';

/** Registration, login, self, refresh and logout. */
export class AuthController {
  constructor(
    private readonly users: UserService,
    private readonly sessions: SessionService,
    private readonly tokens: TokenService,
    private readonly cookies: AuthCookies,
    private readonly audit: AuditLog,
  ) {}

  readonly register = async (req: Request, res: Response): Promise<void> => {
    const session = await this.users.register(matchedData<Registration>(req), req.caller);
    const { userId, sessionId } = session;
    this.audit.record('user_created', req.caller, { userId, sessionId });
    this.cookies.set(res, await this.tokens.issue(session));
    res.status(201).json({ message: 'User registered successfully', userId });
  };

  readonly login = async (req: Request, res: Response): Promise<void> => {
    const previous = namedSessions(req, this.tokens, this.cookies);
    const credentials = matchedData<Credentials>(req);
    const { replaced, ...session } = await this.users.login(credentials, req.caller, previous);
    const { userId, sessionId } = session;
    this.audit.record('authn_login_success', req.caller, { userId, sessionId });
    for (const ended of replaced) {
      const fields = { userId, sessionId: ended, reason: 'login' };
      this.audit.record('session_expired', req.caller, fields);
    }
    this.cookies.set(res, await this.tokens.issue(session));
    res.json({ message: 'User logged in successfully', userId });
  };

  readonly self = (req: Request, res: Response): void => {
    res.json({ message: 'User details fetched successfully', user: required(req, 'user') });
  };

  /** The guard has already rotated the refresh token. */
  readonly refresh = async (req: Request, res: Response): Promise<void> => {
    const session = required(req, 'rotated');
    this.cookies.set(res, await this.tokens.issue(session));
    res.json({ message: 'Token refreshed successfully', userId: session.userId });
  };

  readonly logout = async (req: Request, res: Response): Promise<void> => {
    const { userId, sessionId } = required(req, 'auth');
    const { scope } = matchedData<{ scope: LogoutScope }>(req);
    await this.sessions.logout({ userId, sessionId }, scope);
    const fields = { userId, sessionId, reason: 'logout', scope };
    this.audit.record('session_expired', req.caller, fields);
    if (scope !== 'others') this.cookies.clear(res);
    res.json({ message: 'User logged out successfully' });
  };
}
