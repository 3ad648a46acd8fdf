import pg from 'pg';
import { type DataSource, QueryFailedError } from 'typeorm';

/**
 * Runs a statement that must not run twice. It is sent on a connection that has just answered, not on one that
 * the server may read much later, when the statement has long been given up and sent again.
 *
 * @returns its result; `undefined` if no answer came, and nobody can tell whether it has run
 * @throws whatever the database throws, if it has certainly not run
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
    if (isSent && !isAnswer(error)) return undefined;
    throw error;
  }
}

/** What the server says of a statement itself, and then nothing of its transaction stays. */
function isAnswer(error: unknown): boolean {
  return error instanceof QueryFailedError && error.driverError instanceof pg.DatabaseError;
}
