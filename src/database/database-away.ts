import { types } from 'node:util';
import { DatabaseTimeoutError } from './within.js';
import { QueryFailedError, QueryRunnerAlreadyReleasedError, QueryRunnerProviderAlreadyReleasedError } from 'typeorm';

/**
 * SQLSTATE classes and codes: connection exception, insufficient resources, operator intervention, system error; what
 * a server says to a connection that it does not take (login refused, no such database, or closed for the moment);
 * what a standby says to a statement that writes; and query_canceled, of a statement that took too long.
 */
const AWAY_SQLSTATE = /^(08|53|57P|57014|58|28|3D000|55000|25006)/;
/** Of what the system says, only what it says of a socket. */
const SOCKET_CALLS = new Set<unknown>(['connect', 'read', 'write', 'getaddrinfo']);
/** What pg throws, without any code, when a connection ends or cannot be had in time. */
const AWAY_MESSAGE =
  /^Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout/;

/** SQLSTATE admin_shutdown and crash_shutdown, and what the system says of a connection that the other side has ended. */
const CUT = /^(57P0[12]|ECONNRESET|EPIPE)$/;

/** Whether an error says that the database could not be reached, rather than that a statement was wrong. */
export function isDatabaseAway(error: unknown): boolean {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  // TypeORM says either of the next query on a connection that was lost under the one before, or since
  if (error instanceof QueryRunnerAlreadyReleasedError) return true;
  if (error instanceof QueryRunnerProviderAlreadyReleasedError) return true;
  if (!types.isNativeError(cause)) return false;
  if (cause instanceof DatabaseTimeoutError) return true;
  const { code, syscall } = cause as { code?: unknown; syscall?: unknown };
  if (cause instanceof AggregateError) return cause.errors.every(isDatabaseAway);
  if (typeof code !== 'string') return AWAY_MESSAGE.test(cause.message);
  return AWAY_SQLSTATE.test(code) || SOCKET_CALLS.has(syscall);
}

/** An established connection was ended, by the server or on the way: another one may be had at once. */
export function isConnectionCut(error: unknown): boolean {
  const cause: unknown = error instanceof QueryFailedError ? error.driverError : error;
  if (error instanceof QueryRunnerAlreadyReleasedError) return true;
  if (!types.isNativeError(cause)) return false;
  const { code } = cause as { code?: unknown };
  return typeof code === 'string' ? CUT.test(code) : cause.message.startsWith('Connection terminated unexpectedly');
}
