import { isNativeError } from 'node:util/types';
import { QueryFailedError } from 'typeorm';

/** A database that is away, full, closing, hung, read-only or closed to us, or lacks migrations. */
const UNAVAILABLE_STATES =
  /^(?:08|28|40|53|57P|58|25006|25P0[34]|3D000|3F000|42P01|42703|42704|42883|42P10|55P03|57014)/;

/** The server refuses these settings: waiting does not help. */
const MISCONFIGURED_STATES = /^(?:28|3D000)/;

/** OpenSSL's and Node's codes for a connection that cannot be made secure. */
const TLS_CODES = /^(?:ERR_TLS|ERR_SSL|CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|HOSTNAME_MISMATCH)/;

/** node-postgres has no code for it. */
const NO_TLS = 'server does not support SSL';

/** A server that only reads: after a failover, the former primary. */
const READ_ONLY_STATE = '25006';

/** The server ends or has lost the session. */
const LOST_STATES = /^(?:08|57P0|25P0[34])/;

const CONFLICT_STATES = /^40(?:001|P01)$/;

const NETWORK_CODES =
  /^(?:ECONNABORTED|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTDOWN|EHOSTUNREACH|ENETDOWN|ENETUNREACH)$/;

/** pg and TypeORM report a lost connection without a code. */
const UNAVAILABLE_MESSAGES =
  /Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|timeout expired|Query read timeout|QueryRunnerAlreadyReleased|Driver not Connected|pool after calling end|connection is closed|Client was closed/i;

function driverError(error: unknown): { code?: unknown; constraint?: unknown; message?: unknown } {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  return isNativeError(cause) ? cause : {};
}

/** Whether the database cannot serve for now; false for an error of the statement itself. */
export function isDatabaseUnavailable(error: unknown): boolean {
  const { code, message } = driverError(error);
  if (isInsecure(error)) return true;
  if (typeof code === 'string') return UNAVAILABLE_STATES.test(code) || NETWORK_CODES.test(code);
  return (
    (isNativeError(error) && /QueryRunner.*Released/.test(error.name)) ||
    UNAVAILABLE_MESSAGES.test(String(message))
  );
}

/** Whether TLS is required, and the server has none or is not the right one. */
function isInsecure(error: unknown): boolean {
  const { code, message } = driverError(error);
  return TLS_CODES.test(String(code)) || String(message).includes(NO_TLS);
}

function stateOf(error: unknown): string {
  const { code } = driverError(error);
  return typeof code === 'string' ? code : '';
}

/** Whether the server refuses the account or the name of the database, or TLS fails. */
export function isMisconfigured(error: unknown): boolean {
  return MISCONFIGURED_STATES.test(stateOf(error)) || isInsecure(error);
}

/** Whether a write reached a read-only server, such as the former primary after a failover. */
export function isReadOnly(error: unknown): boolean {
  return stateOf(error) === READ_ONLY_STATE;
}

/** Whether the connection must not be used again. */
export function isConnectionSpent(error: unknown): boolean {
  return isReadOnly(error) || LOST_STATES.test(stateOf(error));
}

/** Whether PostgreSQL rolled back because of another transaction, so that a retry may succeed. */
export function isConflict(error: unknown): boolean {
  return CONFLICT_STATES.test(stateOf(error));
}

/** Whether a table is missing: no migration has run. */
export function isTableMissing(error: unknown): boolean {
  return stateOf(error) === '42P01';
}

/** Whether the error is a violation of one of these unique constraints. */
export function isUniqueViolation(error: unknown, constraints: readonly string[]): boolean {
  const { code, constraint } = driverError(error);
  return code === '23505' && constraints.includes(String(constraint));
}
