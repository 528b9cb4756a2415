import type { Request, Response } from 'express';
import type { AuthCookies } from '../http/AuthCookies';
import { required } from '../middleware/requestState';
import type { AuditLog } from '../service/AuditLog';
import type { SessionService } from '../service/SessionService';

/** Lists and ends the sessions of a user. */
export class SessionController {
  constructor(
    private readonly sessions: SessionService,
    private readonly cookies: AuthCookies,
    private readonly audit: AuditLog,
  ) {}

  readonly list = async (req: Request, res: Response): Promise<void> => {
    const sessions = await this.sessions.list(required(req, 'auth'));
    res.json({ message: 'Sessions fetched successfully', sessions });
  };

  readonly end = async (req: Request, res: Response): Promise<void> => {
    const { userId, sessionId: own } = required(req, 'auth');
    const sessionId = String(req.params.id);
    await this.sessions.end({ userId, sessionId });
    this.audit.record('session_expired', req.caller, { userId, sessionId, reason: 'ended' });
    if (sessionId === own) this.cookies.clear(res);
    res.json({ message: 'Session ended successfully' });
  };

  readonly endOthers = async (req: Request, res: Response): Promise<void> => {
    const { userId, sessionId } = required(req, 'auth');
    const ended = await this.sessions.endOthers({ userId, sessionId });
    const fields = { userId, sessionId, reason: 'ended', scope: 'others' };
    this.audit.record('session_expired', req.caller, fields);
    res.json({ message: 'Other sessions ended successfully', ended });
  };
}
