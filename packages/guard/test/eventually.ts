import { setTimeout as sleep } from 'node:timers/promises';

const LIMIT_MS = 20_000;

/** Repeats an assertion until it passes. */
export async function eventually<T>(assertion: () => T | Promise<T>): Promise<T> {
  const end = performance.now() + LIMIT_MS;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (performance.now() > end) throw error;
      await sleep(5);
    }
  }
}
