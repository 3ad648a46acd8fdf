import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './client.js';

/**
 * Retries a 503 after its `Retry-After`, as a client would while a busy machine is too slow for a moment. A 503
 * without one is returned unchanged.
 */
export async function withRetry(call: () => Promise<Answer>, onRetry: () => void): Promise<Answer> {
  for (;;) {
    const answer = await call();
    const { 'retry-after': seconds } = answer.headers;
    if (answer.status !== 503 || seconds === undefined) return answer;
    onRetry();
    await sleep(Number(seconds) * 1_000);
  }
}
