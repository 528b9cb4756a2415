import { STATUS_CODES } from 'node:http';
import type { Problem } from './problems';

/** The body of every error response (RFC 9457); `instance` is the request id. */
export function problemBody(error: Problem, instance: string) {
  const { code, status, message: detail } = error;
  return {
    type: `urn:auth-service:problem:${code}`,
    title: STATUS_CODES[status],
    status,
    detail,
    instance,
    errors: error.errors ?? [{ type: code, code, msg: detail, path: '', location: '' }],
  };
}
