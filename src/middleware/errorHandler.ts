import type { ErrorRequestHandler } from 'express';
import { isHttpError } from 'http-errors';
import { isDatabaseUnavailable } from '../database/databaseErrors';
import type { Logger } from '../config/logger';
import { originOf } from '../errors/originOf';
import { problemBody } from '../errors/problemBody';
import { isProblem, problem, type Problem, type ProblemCode } from '../errors/problems';
import type { AuditLog } from '../service/AuditLog';

/** Our codes for the errors of libraries, whose texts stay out of the response. */
const CODE_OF_STATUS: Partial<Record<number, ProblemCode>> = {
  404: 'not-found',
  413: 'body-too-large',
  415: 'unsupported-media-type',
};

function problemOf(error: unknown): Problem {
  if (isProblem(error)) return error;
  if (isDatabaseUnavailable(error)) return problem('unavailable', { cause: error });
  // From the router, for a parameter that is not percent-encoded UTF-8.
  if (error instanceof URIError) return problem('not-found', { cause: error });
  if (isHttpError(error) && error.status < 500)
    return problem(CODE_OF_STATUS[error.status] ?? 'malformed-request', { cause: error });
  return problem('internal-error', { cause: error });
}

/** Responds to every failed request in one shape (RFC 9457). */
export function errorHandler(logger: Logger, audit: AuditLog): ErrorRequestHandler {
  return (thrown: unknown, req, res, next) => {
    if (res.headersSent) {
      // A complete response came from the deadline; Express would close the connection.
      if (!res.writableEnded) next(thrown);
      return;
    }
    const error = problemOf(thrown);
    const { requestId, ipAddress, trace } = req.caller;
    if (error.event) audit.record(error.event, req.caller, error.audit);
    if (error.status >= 500) {
      logger.error('request failed', {
        event: 'request_failed',
        requestId,
        ipAddress,
        ...trace,
        userId: req.auth?.userId,
        code: error.code,
        ...originOf(error.cause),
      });
    }
    res.set(error.headers ?? {});
    // Otherwise the rest of the refused body would be read.
    if (error.status === 413) res.set('Connection', 'close');
    res.status(error.status).type('application/problem+json').json(problemBody(error, requestId));
  };
}
