import type { Logger } from '../config/logger';
import type { AuditEvent, AuditFields } from '../types/audit';
import type { Client } from '../types/client';

const LEVELS: Partial<Record<AuditEvent, string>> = {
  authn_login_fail: 'warn',
  authn_token_reuse: 'error',
  malicious_cors: 'warn',
  excess_rate_limit_exceeded: 'warn',
  input_validation_fail: 'warn',
};

/** Writes security events, one line each: the action, the account and the client, never a secret. */
export class AuditLog {
  constructor(private readonly logger: Logger) {}

  record(event: AuditEvent, client: Client, fields: AuditFields = {}): void {
    const { requestId, ipAddress, userAgent } = client;
    this.logger.log(LEVELS[event] ?? 'info', 'security event', {
      event,
      requestId,
      ipAddress,
      userAgent,
      ...fields,
    });
  }
}
