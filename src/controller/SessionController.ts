import type { Request, Response } from 'express';
import type { AuthCookies } from '../http/AuthCookies';
import { problem } from '../errors/problems';
import { required } from '../middleware/requestState';
import type { AuditLog } from '../service/AuditLog';
import type { SessionService } from '../service/SessionService';
import { isSessionId } from '../service/sessionId';

/** A user's sessions in the user's hands. */
export class SessionController {
  constructor(
    private readonly sessions: SessionService,
    private readonly cookies: AuthCookies,
    private readonly audit: AuditLog,
  ) {}

  async list(req: Request, res: Response): Promise<void> {
    const sessions = await this.sessions.list(required(req, 'auth'));
    res.json({ message: 'Sessions fetched successfully', sessions });
  }

  async end(req: Request, res: Response): Promise<void> {
    const { userId, sessionId: own } = required(req, 'auth');
    const sessionId = req.params.id;
    if (!isSessionId(sessionId) || !(await this.sessions.close({ sessionId, userId })))
      throw problem('not-found');
    this.audit.record('session_expired', req.caller, { userId, sessionId, reason: 'ended' });
    if (sessionId === own) this.cookies.clear(res);
    res.json({ message: 'Session ended successfully' });
  }

  async endOthers(req: Request, res: Response): Promise<void> {
    const { userId, sessionId } = required(req, 'auth');
    const ended = await this.sessions.closeAll({ userId, sessionId }, { spareOwn: true });
    const fields = { userId, sessionId, reason: 'ended', scope: 'others' };
    this.audit.record('session_expired', req.caller, fields);
    res.json({ message: 'Other sessions ended successfully', ended });
  }
}
