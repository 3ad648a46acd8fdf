import { type DataSource, QueryFailedError } from 'typeorm';
import { sqlStateOf } from '../../database/sql-state.js';

const UNIQUE_VIOLATION = '23505';
const MAX_TRIES = 5;
const ADVANCE_NUMBERS = `
  SELECT setval(numbers, greatest(max(seq), pg_sequence_last_value(numbers)))
  FROM key_changes, CAST(pg_get_serial_sequence('key_changes', 'seq') AS regclass) AS numbers GROUP BY numbers`;

/**
 * Retries a transaction whose sequence numbers are taken, behind the last one in use: a database that was restored or
 * moved without the state of its sequence assigns the same numbers again.
 */
export async function withFreeNumbers<T>(dataSource: DataSource, attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isNumberTaken(error) || tries === MAX_TRIES) throw error;
      await dataSource.query(ADVANCE_NUMBERS);
    }
  }
}

function isNumberTaken(error: unknown): boolean {
  if (sqlStateOf(error) !== UNIQUE_VIOLATION || !(error instanceof QueryFailedError)) return false;
  return (error.driverError as { constraint?: string }).constraint === 'key_changes_pkey';
}
