import { STATUS_CODES } from 'node:http';
import type { Request } from 'express';
import { errorEntries } from './errorEntries';
import type { Problem } from './problems';

/** The body of every error response (RFC 9457). `instance` is the request id. */
export function problemBody(error: Problem, instance: string, req?: Request) {
  const { code, status, message: detail } = error;
  return {
    type: `urn:auth-service:problem:${code}`,
    title: STATUS_CODES[status],
    status,
    detail,
    instance,
    errors: errorEntries(error, req),
  };
}
