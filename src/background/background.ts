import { Logger } from '@nestjs/common';
import { summarizeError } from '../logging/describe-error.js';

const logger = new Logger('Background');

/**
 * Counters for the metrics: failed background work, unhandled promise rejections and uncaught exceptions.
 */
export const background = { failures: 0, rejections: 0, exceptions: 0 };

/**
 * Runs work that no caller awaits. A failure is logged and counted instead of becoming an unhandled rejection.
 *
 * @param what names the work in the log
 */
export function inBackground(what: string, work: Promise<unknown>): void {
  work.catch((error: unknown) => {
    background.failures++;
    logger.error(`${what} failed (${summarizeError(error)}).`);
  });
}
