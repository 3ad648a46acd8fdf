import { types } from 'node:util';
import { QueryRunnerAlreadyReleasedError, QueryRunnerProviderAlreadyReleasedError } from 'typeorm';
import { StandbyError } from './server-parameters.js';
import { driverErrorOf } from './sql-state.js';
import { TimeoutError } from './with-timeout.js';

/**
 * The network or the server itself says that nobody gets through to the database now: the one reason to trust what is
 * remembered. A timer of ours, or a pool that is full, says nothing of the kind.
 */
export class DatabaseUnavailableError extends Error {
  constructor(cause: unknown) {
    super('the database is away', { cause });
  }
}

/**
 * SQLSTATE classes and codes: connection exception, insufficient resources, operator intervention, system error; what
 * a server says to a connection that it does not take (login refused, no such database, or closed for the moment);
 * what a standby says to a statement that writes; and what it says of one that took too long, for itself
 * (query_canceled) or for a lock (lock_not_available), or that others got ahead of again and again
 * (serialization_failure, deadlock_detected).
 */
const UNAVAILABLE_SQLSTATE = /^(08|53|57P|57014|55P03|40001|40P01|58|28|3D000|55000|25006)/;
/** Of what the system says, only what it says of a socket, and not of a file. */
export const SOCKET_CALLS = new Set<unknown>(['connect', 'read', 'write', 'getaddrinfo']);
/** What pg throws, without any code, when a connection ends or cannot be had in time. */
const UNAVAILABLE_MESSAGE =
  /^Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Query read timeout/;

/** SQLSTATE connection exception, admin_shutdown and crash_shutdown, and what the system says of a connection that is gone. */
const LOST_CODE = /^(08...|57P0[12]|ECONNRESET|EPIPE|ETIMEDOUT)$/;
/** SQLSTATE of a server that is starting or stopping. */
const CANNOT_CONNECT_NOW = '57P03';
/** What pg says of a connection that the other side has ended. */
const LOST_MESSAGE = /^Connection terminated unexpectedly|^Client has encountered a connection error/;

/** Whether an error says that the database could not be used, rather than that a statement was wrong: 503. */
export function isDatabaseUnavailable(error: unknown): boolean {
  // TypeORM says either of the next query on a connection that was lost under the one before, or since
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

/** A connection was ended, by the server or on the way: another one may be had at once. */
export function isConnectionLost(error: unknown): boolean {
  if (error instanceof QueryRunnerAlreadyReleasedError) return true;
  const cause = driverErrorOf(error);
  if (!types.isNativeError(cause)) return false;
  const { code, syscall } = cause as { code?: unknown; syscall?: unknown };
  if (typeof code !== 'string') return LOST_MESSAGE.test(cause.message);
  return LOST_CODE.test(code) && syscall !== 'connect';
}

/** Whether the failure of an attempt to connect is the network's word, or the server's, that nobody gets through. */
export function isConnectionRefused(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.every(isConnectionRefused);
  if (isConnectionLost(error) || error instanceof StandbyError) return true;
  if (!types.isNativeError(error)) return false;
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  return code === CANNOT_CONNECT_NOW || SOCKET_CALLS.has(syscall);
}
