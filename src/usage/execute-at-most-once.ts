import pg from 'pg';
import { type DataSource, QueryFailedError } from 'typeorm';

/**
 * Runs a statement that must not run twice. It is sent on a connection that has just responded, so that the server
 * cannot receive it long after the caller has given up and retried.
 *
 * @returns its result; `undefined` if no response arrived and it is unknown whether the statement ran
 * @throws the database's error, if the statement certainly had no effect
 */
export async function executeAtMostOnce<T>(
  dataSource: DataSource,
  statement: string,
  parameters: unknown[],
): Promise<T | undefined> {
  let isSent = false;
  try {
    return await dataSource.transaction(async (tx) => {
      isSent = true;
      return tx.query<T>(statement, parameters);
    });
  } catch (error) {
    if (isSent && !isServerReply(error)) return undefined;
    throw error;
  }
}

/** Whether the server itself reported the error; its transaction is then rolled back. */
function isServerReply(error: unknown): boolean {
  return error instanceof QueryFailedError && error.driverError instanceof pg.DatabaseError;
}
