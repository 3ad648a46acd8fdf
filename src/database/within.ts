/** The database took longer than the caller could wait; counts as away. */
export class DatabaseTimeoutError extends Error {}

/**
 * Waits for an answer of the database, so long at the most.
 *
 * @throws DatabaseTimeoutError when the time is over; what the answer comes to is then ignored
 */
export async function within<T>(milliseconds: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new DatabaseTimeoutError(`no answer within ${milliseconds} ms`);
    timer = setTimeout(() => reject(error), milliseconds);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
    answer.catch(() => undefined);
  }
}
