import { setTimeout as sleep } from 'node:timers/promises';
import { UnavailableError } from '../../http/errors/api-error.js';
import { LOCK_NOT_AVAILABLE, sqlStateOf } from '../../database/sql-state.js';

/** SQLSTATE deadlock_detected and serialization_failure: of whoever got it, nothing was done. */
const CONFLICT = new Set<unknown>(['40P01', '40001']);
const MAX_TRIES = 5;
const FIRST_PAUSE_MS = 10;

/**
 * Runs a whole transaction, and again where the database has ended it in favour of another one.
 *
 * @throws UnavailableError if that happens again and again, or a lock could not be had within `lock_timeout`;
 *   whatever else the work throws
 */
export async function retryConflicts<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await repeatConflicts(work);
  } catch (error) {
    const state = sqlStateOf(error);
    if (state !== LOCK_NOT_AVAILABLE && !CONFLICT.has(state)) throw error;
    const message = 'What this changes is being changed by others. Try again in a moment.';
    throw new UnavailableError(message, { cause: error, retryAfterSeconds: 1 });
  }
}

/**
 * The same for a single statement outside of a transaction. The pauses grow, and are drawn at random, so that two which
 * have met do not meet again.
 *
 * @throws whatever the work throws, in the end that conflict too
 */
export async function repeatConflicts<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!CONFLICT.has(sqlStateOf(error)) || tries === MAX_TRIES) throw error;
      await sleep(FIRST_PAUSE_MS * 2 ** tries * Math.random());
    }
  }
}
