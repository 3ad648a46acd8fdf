import { types } from 'node:util';
import { QueryRunnerAlreadyReleasedError, QueryRunnerProviderAlreadyReleasedError } from 'typeorm';
import { StandbyError } from './server-parameters.js';
import { driverErrorOf } from './sql-state.js';
import { TimeoutError } from './with-timeout.js';

/**
 * The network or the server reports that the database is unavailable: the only reason to serve stale keys. A timeout of
 * ours or a full pool is not.
 */
export class DatabaseUnavailableError extends Error {
  constructor(cause: unknown) {
    super('the database is unavailable', { cause });
  }
}

/**
 * SQLSTATE classes and codes: connection exception, insufficient resources, operator intervention, system error;
 * rejected connections (failed login, no such database, database closed for the moment); a write on a standby; and
 * statements that timed out (query_canceled), did not get a lock (lock_not_available) or kept losing conflicts
 * (serialization_failure, deadlock_detected).
 */
const UNAVAILABLE_SQLSTATE = /^(08|53|57P|57014|55P03|40001|40P01|58|28|3D000|55000|25006)/;
/** System calls on sockets: errors of others concern files. */
export const SOCKET_CALLS = new Set<unknown>(['connect', 'read', 'write', 'getaddrinfo']);
/** Errors of pg without a code: a connection ended, or could not be opened in time. */
const UNAVAILABLE_MESSAGE =
  /^Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout/;

/** SQLSTATE connection exception, admin_shutdown and crash_shutdown, and system errors of a lost connection. */
const LOST_CODE = /^(08...|57P0[12]|ECONNRESET|EPIPE|ETIMEDOUT)$/;
/** SQLSTATE cannot_connect_now: the server is starting or stopping. */
const CANNOT_CONNECT_NOW = '57P03';
/** Errors of pg for a connection that the other side closed. */
const LOST_MESSAGE = /^Connection terminated unexpectedly|^Client has encountered a connection error/;

/** Whether an error means that the database is unavailable (503) instead of a faulty statement (500). */
export function isDatabaseUnavailable(error: unknown): boolean {
  // TypeORM throws either for the next query on a connection that was lost
  if (error instanceof QueryRunnerAlreadyReleasedError) return true;
  if (error instanceof QueryRunnerProviderAlreadyReleasedError) return true;
  const cause = driverErrorOf(error);
  if (!types.isNativeError(cause)) return false;
  if (cause instanceof TimeoutError || cause instanceof DatabaseUnavailableError || cause instanceof StandbyError)
    return true;
  if (cause instanceof AggregateError) return cause.errors.every(isDatabaseUnavailable);
  const { code, syscall } = cause as { code?: unknown; syscall?: unknown };
  if (typeof code !== 'string') return UNAVAILABLE_MESSAGE.test(cause.message);
  return UNAVAILABLE_SQLSTATE.test(code) || SOCKET_CALLS.has(syscall);
}

/** Whether an established connection was lost; a new one may be available at once. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof QueryRunnerAlreadyReleasedError) return true;
  const cause = driverErrorOf(error);
  if (!types.isNativeError(cause)) return false;
  const { code, syscall } = cause as { code?: unknown; syscall?: unknown };
  if (typeof code !== 'string') return LOST_MESSAGE.test(cause.message);
  return LOST_CODE.test(code) && syscall !== 'connect';
}

/** Whether a failed attempt to connect means that the network or the server refuses connections. */
export function isConnectionRefused(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isConnectionRefused);
  if (isConnectionLost(error) || error instanceof StandbyError) return true;
  if (!types.isNativeError(error)) return false;
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  return code === CANNOT_CONNECT_NOW || SOCKET_CALLS.has(syscall);
}
