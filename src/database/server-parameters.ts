import type { EventEmitter } from 'node:events';
import type pg from 'pg';
import { StartError } from '../config/start-error.js';

/** Parameters that the server reports on connecting and on change (ParameterStatus of PostgreSQL's protocol). */
export type ServerParameters = ReadonlyMap<string, string>;

/** The server is a standby: it rejects writes, and its rows may be outdated. */
export class StandbyError extends StartError {
  constructor() {
    super('The database is a standby, which rejects writes: point DATABASE_URL to the primary.');
  }
}

/** Tracks the parameters, without round trips. */
export function watchParameters(client: pg.Client): ServerParameters {
  const parameters = new Map<string, string>();
  const connection = Reflect.get(client, 'connection') as EventEmitter;
  connection.on('parameterStatus', (status: { parameterName: string; parameterValue: string }) => {
    parameters.set(status.parameterName, status.parameterValue);
  });
  return parameters;
}

/**
 * Checks that the service can work with this server. Parameters that a pooler does not pass on are assumed to be valid.
 *
 * @throws StandbyError, StartError
 */
export function assertUsableServer(parameters: ServerParameters): void {
  // PostgreSQL 14 and later
  if (parameters.get('in_hot_standby') === 'on') throw new StandbyError();
  const encoding = parameters.get('server_encoding') ?? 'UTF8';
  if (encoding === 'UTF8') return;
  throw new StartError(
    `The database's encoding is ${encoding}, which cannot store every name: it must be UTF8 ` +
      `(CREATE DATABASE ... TEMPLATE template0 ENCODING 'UTF8').`,
  );
}

/** Explains PgBouncer's rejection of session settings that it is not configured to ignore. */
export function poolerError(error: unknown): StartError | undefined {
  if (!(error instanceof Error) || !error.message.startsWith('unsupported startup parameter')) return undefined;
  return new StartError(
    `The pooler in front of the database rejects the limits of a connection (${error.message}). Configure it to ignore ` +
      'them; each transaction sets them again: ignore_startup_parameters = ' +
      'statement_timeout,lock_timeout,idle_in_transaction_session_timeout',
    { cause: error },
  );
}
