import { afterLoopTime } from './loop-time.js';

/** A server did not answer in time. That does not mean that it is unavailable. */
export class TimeoutError extends Error {}

/**
 * Waits for an answer of the database or Redis, for that much event-loop time at most (`loop-time.ts`).
 *
 * @throws TimeoutError after that time; the outcome of the answer is then ignored
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
