import { afterLoopTime } from './loop-time.js';

/** The database took longer than the caller could wait. That says nothing about whether it is away. */
export class DatabaseTimeoutError extends Error {}

/**
 * Waits for an answer of the database, so long at the most: only time in which this process was able to read it counts.
 *
 * @throws DatabaseTimeoutError when the time is over; what the answer comes to is then ignored
 */
export async function within<T>(milliseconds: number, answer: Promise<T>): Promise<T> {
  let cancel: (() => void) | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new DatabaseTimeoutError(`no answer within ${milliseconds} ms`);
    cancel = afterLoopTime(milliseconds, () => reject(error));
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    cancel?.();
    answer.catch(() => undefined);
  }
}
