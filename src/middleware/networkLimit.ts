import type { RequestHandler } from 'express';
import type { AttemptLimiter } from '../service/AttemptLimiter';
import type { AuditLog } from '../service/AuditLog';

const INVALID_INPUT = new Set([400, 413, 415]);

/** Guard before the body is read: refuses a network over a limit, and counts invalid input. */
export function networkLimit(
  attempts: AttemptLimiter,
  audit: AuditLog,
  kind: 'sign-in' | 'registration',
): RequestHandler {
  return (req, res, next) => {
    attempts.checkNetwork(kind, req.caller);
    res.once('finish', () => {
      if (INVALID_INPUT.has(res.statusCode) && attempts.invalidInput(req.caller))
        audit.record('input_validation_fail', req.caller);
    });
    next();
  };
}
