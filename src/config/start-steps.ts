import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { StartError } from './start-error.js';

const START_TIMEOUT_MS = 30_000;

/** What the start waits for at this moment, and whether that is work of its own, which takes as long as it does. */
const steps = new Map<string, { isOwnWork: boolean }>();

/**
 * Names what the start waits for until it has come, for the line that ends a start which takes too long.
 *
 * @param isOwnWork what is done, such as a migration, and not only waited for
 */
export async function startStep<T>(what: string, step: Promise<T>, isOwnWork = false): Promise<T> {
  steps.set(what, { isOwnWork });
  try {
    return await step;
  } finally {
    steps.delete(what);
  }
}

/**
 * The one deadline of every start, of the service and of its commands.
 *
 * @throws StartError after 30 s, with what it was waiting for; not while it does work of its own, of which a line tells
 */
export async function withStartDeadline<T>(start: Promise<T>, milliseconds = START_TIMEOUT_MS): Promise<T> {
  const over = new AbortController();
  try {
    return await Promise.race([start, deadline(milliseconds, over.signal)]);
  } finally {
    over.abort();
    start.catch(() => undefined);
  }
}

async function deadline(milliseconds: number, signal: AbortSignal): Promise<never> {
  for (;;) {
    await sleep(milliseconds, undefined, { signal, ref: false }).catch(() => new Promise<never>(() => undefined));
    const work = [...steps].filter(([, { isOwnWork }]) => isOwnWork).map(([what]) => what);
    if (work.length === 0) throw new StartError(timeoutMessage(milliseconds));
    new Logger('Start').warn(`Still at work after ${milliseconds / 1_000} s: ${work.join('; ')}.`);
  }
}

function timeoutMessage(milliseconds: number): string {
  const waitedFor = steps.size > 0 ? [...steps.keys()].join('; ') : 'nothing that it knows of';
  return `The start was given up after ${milliseconds / 1_000} s. It was waiting for: ${waitedFor}.`;
}
