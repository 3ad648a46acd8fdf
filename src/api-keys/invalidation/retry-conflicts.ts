import { isConflict, retryOnConflict } from '../../database/retry-on-conflict.js';
import { LOCK_NOT_AVAILABLE, sqlStateOf } from '../../database/sql-state.js';
import { UnavailableError } from '../../http/errors/api-error.js';

/**
 * Runs a whole transaction, and retries it if the database aborted it in favour of another one.
 *
 * @throws UnavailableError if the conflict persists, or a lock was not acquired within `lock_timeout`; whatever else the
 *   work throws
 */
export async function retryConflicts<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await retryOnConflict(work);
  } catch (error) {
    if (sqlStateOf(error) !== LOCK_NOT_AVAILABLE && !isConflict(error)) throw error;
    const message = 'Other requests are changing the same keys. Retry in a moment.';
    throw new UnavailableError(message, { cause: error, retryAfterSeconds: 1 });
  }
}
