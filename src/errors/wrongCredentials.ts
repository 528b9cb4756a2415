import type { AuditFields } from '../types/audit';
import { problem, type Problem } from './problems';

/**
 * The problem of a wrong password. `field` is the one that holds it; a login names none, because the
 * response must not tell which of its two is wrong.
 */
export function wrongCredentials(audit: AuditFields, field?: string): Problem {
  if (field === undefined) return problem('wrong-credentials', { audit });
  const wrong = { code: 'wrong-password', path: field, msg: `${field} is wrong` } as const;
  return problem('wrong-credentials', { audit, field: wrong });
}
