import { afterLoopTime } from './loop-time.js';

/** A server took longer than its caller could wait. That says nothing about whether it is away. */
export class TimeoutError extends Error {}

/**
 * Waits for an answer of the database or of Redis, so long at the most: only time in which this process was able to
 * read it counts.
 *
 * @throws LateAnswerError when the time is over; what the answer comes to is then ignored
 */
export async function withTimeout<T>(milliseconds: number, answer: Promise<T>): Promise<T> {
  let cancel: (() => void) | undefined;
  const late = new Promise<never>((_, reject) => {
    cancel = afterLoopTime(milliseconds, () => reject(new TimeoutError(`no answer within ${milliseconds} ms`)));
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    cancel?.();
    answer.catch(() => undefined);
  }
}
