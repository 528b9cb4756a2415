import type { Request, Response } from 'express';
import { matchedData } from 'express-validator';
import type { AuthCookies } from '../http/AuthCookies';
import { required } from '../middleware/requestState';
import type { AuditLog } from '../service/AuditLog';
import type { TokenService } from '../service/TokenService';
import type { Names, PasswordChange, UserService } from '../service/UserService';

/** An account in its owner's hands. */
export class AccountController {
  constructor(
    private readonly users: UserService,
    private readonly tokens: TokenService,
    private readonly cookies: AuthCookies,
    private readonly audit: AuditLog,
  ) {}

  async rename(req: Request, res: Response): Promise<void> {
    const { userId, sessionId } = required(req, 'auth');
    const user = await this.users.rename(userId, matchedData<Partial<Names>>(req));
    this.audit.record('user_updated', req.caller, { userId, sessionId });
    res.json({ message: 'User details updated successfully', user });
  }

  async changePassword(req: Request, res: Response): Promise<void> {
    const { userId, sessionId } = required(req, 'auth');
    const session = await this.users.changePassword(
      required(req, 'user'),
      { userId, sessionId },
      matchedData<PasswordChange>(req),
      req.caller,
    );
    this.audit.record('authn_password_change', req.caller, { userId, sessionId });
    this.cookies.set(res, await this.tokens.issue(session));
    res.json({ message: 'Password changed successfully', userId });
  }

  async delete(req: Request, res: Response): Promise<void> {
    const { userId, sessionId } = required(req, 'auth');
    const { password } = matchedData<{ password: string }>(req);
    await this.users.delete(required(req, 'user'), password, req.caller);
    this.audit.record('user_deleted', req.caller, { userId, sessionId });
    this.cookies.clear(res);
    res.json({ message: 'User deleted successfully' });
  }
}
