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
 * Runs a statement or a whole transaction, and retries it if the database ended it in favour of another one. The pauses
 * grow and are random, so that two that collided do not collide again.
 *
 * @throws whatever the work throws; after five tries the conflict too
 */
export async function retryOnConflict<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!isConflict(error) || tries === MAX_ATTEMPTS) throw error;
      await sleep(FIRST_PAUSE_MS * 2 ** tries * Math.random());
    }
  }
}
