import type { Request, Response } from 'express';
import { matchedData } from 'express-validator';
import type { AuthCookies } from '../http/AuthCookies';
import { required } from '../middleware/requestState';
import type { AuditLog } from '../service/AuditLog';
import type { TokenService } from '../service/TokenService';
import type { UserService } from '../service/UserService';
import type { Names, PasswordChange } from '../types/user';

/** Changes to the account by its owner. */
export class AccountController {
  constructor(
    private readonly users: UserService,
    private readonly tokens: TokenService,
    private readonly cookies: AuthCookies,
    private readonly audit: AuditLog,
  ) {}

  readonly rename = async (req: Request, res: Response): Promise<void> => {
    const { userId, sessionId } = required(req, 'auth');
    const user = await this.users.rename(userId, matchedData<Partial<Names>>(req));
    this.audit.record('user_updated', req.caller, { userId, sessionId });
    res.json({ message: 'User details updated successfully', user });
  };

  readonly changePassword = async (req: Request, res: Response): Promise<void> => {
    const user = required(req, 'user');
    const { userId, sessionId } = required(req, 'auth');
    const change = matchedData<PasswordChange>(req);
    const own = { userId, sessionId };
    const session = await this.users.changePassword(user, own, change, req.caller);
    this.audit.record('authn_password_change', req.caller, own);
    this.cookies.set(res, await this.tokens.issue(session));
    res.json({ message: 'Password changed successfully', userId });
  };

  readonly delete = async (req: Request, res: Response): Promise<void> => {
    const { userId, sessionId } = required(req, 'auth');
    const { password } = matchedData<{ password: string }>(req);
    await this.users.delete(required(req, 'user'), password, req.caller);
    this.audit.record('user_deleted', req.caller, { userId, sessionId });
    this.cookies.clear(res);
    res.json({ message: 'User deleted successfully' });
  };
}
