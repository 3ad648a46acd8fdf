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
 * Runs work on a database: names the database on standard error first, and explains errors of the database.
 *
 * @throws StartError if the database caused the error; otherwise any error of the work
 */
export async function withDatabaseErrors<T>(
  location: DatabaseLocation,
  work: () => Promise<T>,
  write: OperatorOutput = writeLogLine,
): Promise<T> {
  try {
    write({ level: 'info', context: 'Database', message: `Database: ${databaseName(location)}` });
    return await work();
  } catch (error) {
    throw toStartError(error, location) ?? error;
  }
}

/** The database's name in messages, without its password. */
export function databaseName(location: DatabaseLocation): string {
  if ('dataDir' in location) return `the embedded one in ${location.dataDir}`;
  const { host, port, database = '' } = settingsOf(location);
  return `${host.includes(':') ? `[${host}]` : host}:${port}/${database}`;
}

/** The settings that the driver takes from the URL and the environment. */
function settingsOf(location: DatabaseLocation): pg.Client {
  return new pg.Client(connectionOptions(location, { statementTimeoutMs: 0, lockTimeoutMs: 0 }));
}

function toStartError(error: unknown, location: DatabaseLocation): StartError | undefined {
  const cause = causeOf(error);
  if (!types.isNativeError(cause)) return undefined;
  const { code = '', syscall } = cause as { code?: string; syscall?: string };
  // An error of a file: the system's message names it
  if (syscall !== undefined && !SOCKET_CALLS.has(syscall)) return undefined;
  const explanation = explain(code, cause.message, location);
  if (explanation === undefined) return undefined;
  const subject = 'url' in location ? `DATABASE_URL (${databaseName(location)})` : `DATA_DIR (${location.dataDir})`;
  return new StartError(`${subject}: ${explanation}`, { cause: error });
}

function causeOf(error: unknown): unknown {
  if (error instanceof DatabaseUnavailableError) return causeOf(error.cause);
  // One error for each address of the host
  if (error instanceof AggregateError) return error.errors[0];
  return driverErrorOf(error);
}

/** Explanations of driver errors without a code. */
const DRIVER_MESSAGES: readonly (readonly [RegExp, string])[] = [
  [/^SASL: .*password must be/, 'a password is required but not set'],
  [
    /^The server does not support SSL/,
    'TLS: the server does not support it; remove sslmode from the URL, or set ssl = on on the server',
  ],
  [/timeout exceeded when trying to connect|^Connection terminated due to connection timeout/, 'no answer'],
  [/^Connection terminated unexpectedly|^Client has encountered/, 'the connection was closed; is it PostgreSQL?'],
  [/^received invalid response/, 'the server there is not PostgreSQL'],
  [/^There was an error establishing an SSL/, 'TLS: the server does not understand it; is it PostgreSQL?'],
];

/** Explanations of error codes of the system and OpenSSL. */
const SYSTEM_CODES: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ENOENT: 'connection refused: the socket does not exist',
  EACCES: 'connection refused: this user may not connect to the socket',
  ENOTFOUND: 'unknown host',
  EAI_AGAIN: 'unknown host: no name server answers',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the host',
  ETIMEDOUT: 'no answer',
  ECONNRESET: 'the connection was closed; is it PostgreSQL?',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'TLS: self-signed certificate (see docs/operations.md)',
  SELF_SIGNED_CERT_IN_CHAIN: 'TLS: self-signed certificate (see docs/operations.md)',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'TLS: certificate of an unknown authority (see docs/operations.md)',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'TLS: certificate of an unknown authority (see docs/operations.md)',
  CERT_HAS_EXPIRED: 'TLS: the certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'TLS: the certificate is for another host',
};

/** SQLSTATE classes of errors about the server, its roles and its databases, whose messages quote no stored values. */
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
      return `wrong password (or no role ${role})`;
    case '3D000':
      return 'the database does not exist';
    case '42501':
      return schema === undefined
        ? `role ${role} lacks a right: ${missingRight(message, message)}`
        : `role ${role} may not create tables in schema ${schema} (GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${role})`;
    case '3F000':
      return `role ${role} may not create tables in any schema of its search_path`;
    case '25006':
      return 'the database is read-only (a standby?)';
    default:
      return SERVER_STATE.test(state) ? message : undefined;
  }
}
