import { types } from 'node:util';
import pg from 'pg';
import type { DatabaseLocation } from '../../config/environment.js';
import { StartError } from '../../config/start-error.js';
import { DatabaseUnavailableError, SOCKET_CALLS } from '../../database/database-unavailable.js';
import { missingRight } from '../../database/rights.js';
import { connectionOptions } from '../../database/safe-client.js';
import { driverErrorOf } from '../../database/sql-state.js';
import { type OperatorOutput, writeLogLine } from '../../logging/standard-streams.js';

/**
 * Does work on a database: names it on standard error first, so that nobody takes what is said of one for another, and
 * tells in words what is wrong with it.
 *
 * @throws StartError if the database is why the work failed; else whatever the work throws
 */
export async function withDatabaseErrors<T>(
  location: DatabaseLocation,
  work: () => Promise<T>,
  tell: OperatorOutput = writeLogLine,
): Promise<T> {
  try {
    tell({ level: 'info', context: 'Database', message: `Database: ${databaseName(location)}` });
    return await work();
  } catch (error) {
    throw toStartError(error, location) ?? error;
  }
}

/** Never with the password. */
export function databaseName(location: DatabaseLocation): string {
  if ('dataDir' in location) return `the embedded one in ${location.dataDir}`;
  const { host, port, database = '' } = settingsOf(location);
  return `${host.includes(':') ? `[${host}]` : host}:${port}/${database}`;
}

/** As the driver understands the URL, and what it takes from elsewhere. */
function settingsOf(location: DatabaseLocation): pg.Client {
  return new pg.Client(connectionOptions(location, { statementTimeoutMs: 0, lockTimeoutMs: 0 }));
}

function toStartError(error: unknown, location: DatabaseLocation): StartError | undefined {
  const cause = causeOf(error);
  if (!types.isNativeError(cause)) return undefined;
  const { code = '', syscall } = cause as { code?: string; syscall?: string };
  // Of a file, which the system's own words name
  if (syscall !== undefined && !SOCKET_CALLS.has(syscall)) return undefined;
  const words = explain(code, cause.message, location);
  if (words === undefined) return undefined;
  const subject = 'url' in location ? `DATABASE_URL (${databaseName(location)})` : `DATA_DIR (${location.dataDir})`;
  return new StartError(`${subject}: ${words}`, { cause: error });
}

function causeOf(error: unknown): unknown {
  if (error instanceof DatabaseUnavailableError) return causeOf(error.cause);
  // Of each address of a host
  if (error instanceof AggregateError) return error.errors[0];
  return driverErrorOf(error);
}

/** What the driver says without a code. */
const DRIVER_MESSAGES: readonly (readonly [RegExp, string])[] = [
  [/^SASL: .*password must be/, 'a password is needed, and there is none'],
  [/^The server does not support SSL/, 'TLS: the server has none; take sslmode out of the URL, or set ssl = on there'],
  [/timeout exceeded when trying to connect|^Connection terminated due to connection timeout/, 'no answer'],
  [/^Connection terminated unexpectedly|^Client has encountered/, 'the connection was closed; is it PostgreSQL?'],
  [/^received invalid response/, 'what answers there is not PostgreSQL'],
  [/^There was an error establishing an SSL/, 'TLS: the server does not understand it; is it PostgreSQL?'],
];

/** What the system and OpenSSL say of a connection. */
const SYSTEM_CODES: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ENOENT: 'connection refused: there is no socket of a server',
  EACCES: 'connection refused: the socket is closed to this user',
  ENOTFOUND: 'unknown host',
  EAI_AGAIN: 'unknown host: no name server answers',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to the host',
  ETIMEDOUT: 'no answer',
  ECONNRESET: 'the connection was closed; is it PostgreSQL?',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'TLS: self-signed certificate (see docs/operations.md)',
  SELF_SIGNED_CERT_IN_CHAIN: 'TLS: self-signed certificate (see docs/operations.md)',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'TLS: certificate of an unknown authority (see docs/operations.md)',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'TLS: certificate of an unknown authority (see docs/operations.md)',
  CERT_HAS_EXPIRED: 'TLS: the certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'TLS: the certificate is for another host',
};

/** SQLSTATE classes in which the server speaks of itself, its accounts and its databases, and quotes nothing that is stored. */
const SERVER_STATE = /^(08|28|53|55|57|58)/;

function explain(code: string, message: string, location: DatabaseLocation): string | undefined {
  if (Object.hasOwn(SYSTEM_CODES, code)) return SYSTEM_CODES[code];
  if (/^(ERR_SSL|ERR_TLS|CERT)_/.test(code)) return `TLS: ${message}`;
  const known = DRIVER_MESSAGES.find(([text]) => text.test(message))?.[1];
  return known ?? explainSqlState(code, message, settingsOf(location).user ?? '');
}

function explainSqlState(state: string, message: string, role: string): string | undefined {
  const [, schema] = /^permission denied for schema (.+)$/.exec(message) ?? [];
  switch (state) {
    case '28P01':
      return `password wrong (or no role ${role})`;
    case '3D000':
      return 'there is no such database';
    case '42501':
      return schema === undefined
        ? `role ${role} lacks a right: ${missingRight(message, message)}`
        : `role ${role} may not create tables in schema ${schema} (GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${role})`;
    case '3F000':
      return `role ${role} may not create tables in any schema of its search_path`;
    case '25006':
      return 'it may only be read (a standby?)';
    default:
      return SERVER_STATE.test(state) ? message : undefined;
  }
}
