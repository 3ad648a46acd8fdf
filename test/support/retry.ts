import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './client.js';

/**
 * Asks again when it is told to, as a client would while a busy machine is too slow for a moment. A 503 that does not
 * say when is returned as it is.
 */
export async function withRetry(call: () => Promise<Answer>, told: () => void): Promise<Answer> {
  for (;;) {
    const answer = await call();
    const { 'retry-after': seconds } = answer.headers;
    if (answer.status !== 503 || seconds === undefined) return answer;
    told();
    await sleep(Number(seconds) * 1_000);
  }
}
