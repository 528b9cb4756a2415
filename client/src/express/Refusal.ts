import { STATUS_CODES } from 'node:http';
import type { Response } from 'express';

/** RFC 6750 section 3 */
const bearer = (error: string) => ({ 'WWW-Authenticate': `Bearer error="${error}"` });

const KINDS = {
  'missing-token': {
    status: 401,
    detail: 'A token is missing',
    headers: { 'WWW-Authenticate': 'Bearer' },
  },
  'invalid-token': {
    status: 401,
    detail: 'The token is invalid or expired',
    headers: bearer('invalid_token'),
  },
  'ambiguous-cookies': {
    status: 401,
    detail: 'The cookies belong to several sessions; sign in again',
    headers: bearer('invalid_token'),
  },
  forbidden: {
    status: 403,
    detail: 'Your role does not allow this',
    headers: bearer('insufficient_scope'),
  },
  /** The keys cannot be fetched, so the token may be valid. */
  unavailable: {
    status: 503,
    detail: 'The service is unavailable right now; try again soon',
    headers: { 'Retry-After': '5' },
  },
} as const;

/** Why a guard refuses a request. */
export class Refusal extends Error {
  override readonly name = 'Refusal';

  constructor(
    readonly code: keyof typeof KINDS,
    cause?: unknown,
  ) {
    super(KINDS[code].detail, { cause });
  }

  /** Responds in the form of auth-service (RFC 9457). */
  send(res: Response): void {
    const { code, message } = this;
    const { status, headers } = KINDS[code];
    const body = {
      type: `urn:auth-service:problem:${code}`,
      title: STATUS_CODES[status],
      status,
      detail: message,
      errors: [{ type: code, code, msg: message, path: '', location: '' }],
    };
    res.status(status).set(headers).type('application/problem+json').json(body);
  }
}
