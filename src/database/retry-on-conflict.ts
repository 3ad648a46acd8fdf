import { setTimeout as sleep } from 'node:timers/promises';
import { sqlStateOf } from './sql-state.js';

/** SQLSTATE deadlock_detected and serialization_failure: the statement or transaction had no effect. */
const CONFLICT_STATES = new Set<unknown>(['40P01', '40001']);
const MAX_ATTEMPTS = 5;
const FIRST_PAUSE_MS = 10;

export function isConflict(error: unknown): boolean {
  return CONFLICT_STATES.has(sqlStateOf(error));
}

/**
 * Runs a statement or a whole transaction, and retries it after a deadlock or serialization failure, with exponential
 * backoff and jitter.
 *
 * @throws any error of the work; the conflict after five attempts
 */
export async function retryOnConflict<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (!isConflict(error) || attempt === MAX_ATTEMPTS) throw error;
      await sleep(FIRST_PAUSE_MS * 2 ** attempt * Math.random());
    }
  }
}
