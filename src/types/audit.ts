/** Security events, named as in the OWASP Logging Vocabulary. */
export type AuditEvent =
  | 'user_created'
  | 'user_updated'
  | 'user_deleted'
  | 'authn_login_success'
  | 'authn_login_fail'
  | 'authn_password_change'
  | 'authn_token_reuse'
  | 'authz_fail'
  | 'session_renewed'
  | 'session_expired'
  | 'session_use_after_expire'
  | 'malicious_cors'
  | 'excess_rate_limit_exceeded'
  | 'input_validation_fail';

/** Never a token, a cookie, a password, a password hash or an e-mail. */
export interface AuditFields {
  userId?: number | undefined;
  sessionId?: string | undefined;
  /** A keyed hash of the e-mail that was entered. */
  accountHash?: string | undefined;
  verdict?: string;
  cause?: string;
  reason?: string;
  scope?: string;
}
