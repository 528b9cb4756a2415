import { isNativeError } from 'node:util/types';
import { QueryFailedError } from 'typeorm';

/** SQLSTATE classes and codes of a database that is away, full, closing, hung or read-only. */
const UNAVAILABLE_STATES = /^(?:08|53|57P|25006|55P03|57014|25P03|40)/;

/** Node's codes for a connection that cannot be made or was lost. */
const NETWORK_CODES =
  /^(?:ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;

/** pg and TypeORM report a lost connection without a code. */
const UNAVAILABLE_MESSAGES =
  /Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|timeout expired|Query read timeout|QueryRunnerAlreadyReleased|Driver not Connected|pool after calling end|connection is closed|Client was closed/i;

function driverError(error: unknown): { code?: unknown; constraint?: unknown; message?: unknown } {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  return isNativeError(cause) ? cause : {};
}

/** Whether the database cannot serve for now, as opposed to a request that is wrong. */
export function isDatabaseUnavailable(error: unknown): boolean {
  const { code, message } = driverError(error);
  if (typeof code === 'string') return UNAVAILABLE_STATES.test(code) || NETWORK_CODES.test(code);
  return (
    (isNativeError(error) && /QueryRunner.*Released/.test(error.name)) ||
    UNAVAILABLE_MESSAGES.test(String(message))
  );
}

/** Whether the error violates (SQLSTATE 23505) one of the named unique constraints. */
export function isUniqueViolation(error: unknown, constraints: readonly string[]): boolean {
  const { code, constraint } = driverError(error);
  return code === '23505' && constraints.includes(String(constraint));
}
