import { setTimeout as sleep } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { StartError } from './start-error.js';

const START_TIMEOUT_MS = 30_000;

/** The steps that the start is waiting for now. Its own work, such as a migration, has no deadline. */
const steps = new Map<string, { isOwnWork: boolean }>();

/**
 * Registers a step until it settles, so that a timeout can name it.
 *
 * @param isOwnWork whether the process is working, such as on a migration, instead of waiting
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
 * Limits every start, of the service and of its commands, to 30 s.
 *
 * @throws StartError naming the steps that it was waiting for; while its own work is in progress, a line is logged instead
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
    new Logger('Start').warn(`Still in progress after ${milliseconds / 1_000} s: ${work.join('; ')}.`);
  }
}

function timeoutMessage(milliseconds: number): string {
  const waitedFor = steps.size > 0 ? [...steps.keys()].join('; ') : 'an unknown step';
  return `The start timed out after ${milliseconds / 1_000} s. It was waiting for: ${waitedFor}.`;
}
