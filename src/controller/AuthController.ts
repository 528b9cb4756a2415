import type { Request, Response } from 'express';
import { matchedData } from 'express-validator';
import type { AuthCookies } from '../http/AuthCookies';
import { problem } from '../errors/problems';
import { required } from '../middleware/requestState';
import type { AuditLog } from '../service/AuditLog';
import type { LiveSession, SessionService } from '../service/SessionService';
import type { TokenService } from '../service/TokenService';
import type { Credentials, Registration, UserService } from '../service/UserService';
import type { LogoutScope } from '../validators/logout-validators';

/** Registration, login, self, refresh and logout. */
export class AuthController {
  constructor(
    private readonly users: UserService,
    private readonly sessions: SessionService,
    private readonly tokens: TokenService,
    private readonly cookies: AuthCookies,
    private readonly audit: AuditLog,
  ) {}

  async register(req: Request, res: Response): Promise<void> {
    const session = await this.users.register(matchedData<Registration>(req), req.caller);
    const { userId, sessionId } = session;
    this.audit.record('user_created', req.caller, { userId, sessionId });
    await this.giveTokens(res, session);
    res.status(201).json({ message: 'User registered successfully', userId });
  }

  async login(req: Request, res: Response): Promise<void> {
    const owner = await this.users.verifyCredentials(matchedData<Credentials>(req), req.caller);
    const session = await this.sessions.open(owner, req.caller);
    if (session === undefined) throw problem('wrong-credentials', { audit: { userId: owner.id } });
    const { userId, sessionId } = session;
    this.audit.record('authn_login_success', req.caller, { userId, sessionId });
    await this.giveTokens(res, session);
    res.json({ message: 'User logged in successfully', userId });
  }

  self(req: Request, res: Response): void {
    res.json({ message: 'User details fetched successfully', user: required(req, 'user') });
  }

  async refresh(req: Request, res: Response): Promise<void> {
    const session = required(req, 'session');
    await this.giveTokens(res, session);
    res.json({ message: 'Token refreshed successfully', userId: session.userId });
  }

  /** Idempotent for the current session: whoever repeats a logout whose answer was lost succeeds. */
  async logout(req: Request, res: Response): Promise<void> {
    const { userId, sessionId } = required(req, 'auth');
    const { scope } = matchedData<{ scope: LogoutScope }>(req);
    // Two tokens, perhaps of two people: a planted cookie must not end another's session.
    if (required(req, 'refresh').sessionId !== sessionId) throw problem('invalid-token');
    if (scope === 'current') await this.sessions.close({ sessionId, userId });
    else await this.sessions.closeAll({ sessionId, userId }, { spareOwn: scope === 'others' });
    this.audit.record('session_expired', req.caller, {
      userId,
      sessionId,
      reason: 'logout',
      scope,
    });
    if (scope !== 'others') this.cookies.clear(res);
    res.json({ message: 'User logged out successfully' });
  }

  private async giveTokens(res: Response, session: LiveSession): Promise<void> {
    this.cookies.set(res, await this.tokens.issue(session));
  }
}
