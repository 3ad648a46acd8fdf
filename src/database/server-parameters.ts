import type { EventEmitter } from 'node:events';
import type pg from 'pg';
import { StartError } from '../config/start-error.js';

/** What a server said of itself when it took the connection, and since (ParameterStatus of PostgreSQL's protocol). */
export type ServerParameters = ReadonlyMap<string, string>;

/** The connection leads to a standby: it takes no changes, and what it tells may be old. */
export class StandbyError extends StartError {
  constructor() {
    super('The database is a standby, which takes no changes: lead DATABASE_URL to the primary.');
  }
}

/** Keeps them up to date: it costs no round trip. */
export function watchParameters(client: pg.Client): ServerParameters {
  const parameters = new Map<string, string>();
  const { connection } = client as unknown as { connection: EventEmitter };
  connection.on('parameterStatus', (status: { parameterName: string; parameterValue: string }) => {
    parameters.set(status.parameterName, status.parameterValue);
  });
  return parameters;
}

/**
 * That the service can work with this server at all. What a pooler does not pass on is taken to be as it should.
 *
 * @throws StandbyError, StartError
 */
export function assertUsableServer(parameters: ServerParameters): void {
  // PostgreSQL 14 and later
  if (parameters.get('in_hot_standby') === 'on') throw new StandbyError();
  const encoding = parameters.get('server_encoding') ?? 'UTF8';
  if (encoding === 'UTF8') return;
  throw new StartError(
    `The database's encoding is ${encoding}, which cannot store every name: it has to be UTF8 ` +
      `(CREATE DATABASE ... TEMPLATE template0 ENCODING 'UTF8').`,
  );
}

/** What PgBouncer says of what a client wants to set for its session, unless it is told to ignore that. */
export function poolerError(error: unknown): StartError | undefined {
  if (!(error instanceof Error) || !error.message.startsWith('unsupported startup parameter')) return undefined;
  return new StartError(
    `The pooler in front of the database refuses the limits of a connection (${error.message}). Have it ignore them, each ` +
      'transaction says them again: ignore_startup_parameters = ' +
      'statement_timeout,lock_timeout,idle_in_transaction_session_timeout',
    { cause: error },
  );
}
