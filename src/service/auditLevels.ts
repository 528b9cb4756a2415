import type { AuditEvent } from '../types/audit';

/** The log level of each security event. */
export const auditLevels: Readonly<Record<AuditEvent, 'info' | 'warn' | 'error'>> = {
  user_created: 'info',
  user_updated: 'info',
  user_deleted: 'info',
  authn_login_success: 'info',
  authn_login_fail: 'warn',
  authn_password_change: 'info',
  authn_token_reuse: 'error',
  authz_fail: 'warn',
  session_renewed: 'info',
  session_expired: 'info',
  session_use_after_expire: 'info',
  malicious_cors: 'warn',
  excess_rate_limit_exceeded: 'warn',
  input_validation_fail: 'warn',
};
