import createError, { type HttpError } from 'http-errors';
import type { AuditEvent, AuditFields } from '../types/audit';
import type { FieldErrorCode } from './fieldErrorCodes';

/** An entry of `errors`, in express-validator's form, without the submitted value. */
export interface ProblemError {
  type: string;
  /** The problem's own code if no field is at fault. */
  code: FieldErrorCode | ProblemCode;
  msg: string;
  path: string;
  location: string;
}

interface ProblemKind {
  status: number;
  detail: string;
  /** The security event to record. */
  event?: AuditEvent;
  headers?: Readonly<Record<string, string>>;
}

const bearer = (error?: string) => ({
  'WWW-Authenticate': `Bearer realm="auth-service"${error ? `, error="${error}"` : ''}`,
});

/** Every way in which a request can fail, by stable code. */
export const CATALOGUE = {
  'invalid-input': { status: 400, detail: 'The request has invalid fields' },
  'malformed-request': { status: 400, detail: 'The request cannot be read' },
  'wrong-credentials': {
    status: 401,
    detail: 'E-mail or password is wrong',
    event: 'authn_login_fail',
    headers: bearer(),
  },
  'missing-token': { status: 401, detail: 'A token is missing', headers: bearer() },
  'invalid-token': {
    status: 401,
    detail: 'The token is invalid or expired',
    event: 'authz_fail',
    headers: bearer('invalid_token'),
  },
  'ambiguous-cookies': {
    status: 401,
    detail: 'The cookies belong to several sessions; sign in again',
    event: 'authz_fail',
    headers: bearer('invalid_token'),
  },
  'expired-token': {
    status: 401,
    detail: 'The token is invalid or expired',
    headers: bearer('invalid_token'),
  },
  'session-ended': {
    status: 401,
    detail: 'The session has ended',
    event: 'session_use_after_expire',
    headers: bearer('invalid_token'),
  },
  'token-reused': {
    status: 401,
    detail: 'The session has ended',
    event: 'authn_token_reuse',
    headers: bearer('invalid_token'),
  },
  'foreign-origin': {
    status: 403,
    detail: 'Requests from this origin are not allowed',
    event: 'malicious_cors',
  },
  'not-found': { status: 404, detail: 'There is nothing at this address' },
  'method-not-allowed': { status: 405, detail: 'This address does not accept this method' },
  'request-timeout': { status: 408, detail: 'The request did not arrive in time' },
  'email-taken': { status: 409, detail: 'The e-mail is already registered' },
  'body-too-large': { status: 413, detail: 'The body is larger than 16 KiB' },
  'unsupported-media-type': { status: 415, detail: 'The body must be JSON in UTF-8' },
  'unknown-expectation': { status: 417, detail: 'Only Expect: 100-continue is supported' },
  'headers-too-large': {
    status: 431,
    detail: 'The headers are larger than 16 KiB, or more than 100',
  },
  'internal-error': { status: 500, detail: 'Something went wrong on our side' },
  'too-many-attempts': {
    status: 429,
    detail: 'Too many attempts; try again later',
    event: 'excess_rate_limit_exceeded',
  },
  overloaded: {
    status: 503,
    detail: 'Too many people are signing in right now; try again soon',
    headers: { 'Retry-After': '2' },
  },
  unavailable: {
    status: 503,
    detail: 'The service is unavailable right now; try again soon',
    headers: { 'Retry-After': '1' },
  },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof CATALOGUE;

export const PROBLEM_CODES = Object.keys(CATALOGUE) as readonly ProblemCode[];

/** An error of the catalogue. */
export interface Problem extends HttpError {
  code: ProblemCode;
  event?: AuditEvent;
  audit?: AuditFields;
  errors?: ProblemError[];
}

interface ProblemExtra {
  headers?: Record<string, string>;
  errors?: ProblemError[];
  /** The one field of the body at fault; its `msg` is the problem's own by default. */
  field?: { code: FieldErrorCode; path: string; msg?: string };
  /** More fields for the audit log. */
  audit?: AuditFields;
  /** Only for the log. */
  cause?: unknown;
}

/** Creates the error of the catalogue with this code, to be thrown. */
export function problem(code: ProblemCode, { field, ...extra }: ProblemExtra = {}): Problem {
  const kind: ProblemKind = CATALOGUE[code];
  return createError(kind.status, kind.detail, {
    ...extra,
    ...(field && { errors: [{ type: code, msg: kind.detail, location: 'body', ...field }] }),
    code,
    event: kind.event,
    headers: { ...kind.headers, ...extra.headers },
  }) as Problem;
}

export function isProblem(error: unknown): error is Problem {
  return createError.isHttpError(error) && String(error.code) in CATALOGUE;
}
