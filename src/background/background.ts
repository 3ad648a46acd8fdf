import { Logger } from '@nestjs/common';
import { summarizeError } from '../logging/describe-error.js';

const logger = new Logger('Background');

/**
 * For the metrics: how many pieces of background work have failed, and how many promises were rejected and exceptions
 * thrown that nobody has caught.
 */
export const background = { failures: 0, rejections: 0, exceptions: 0 };

/**
 * Runs work that no caller waits for. A failure is logged and counted, and never becomes an unhandled rejection, which
 * would end the process and every request in flight.
 *
 * @param what names the work in the log
 */
export function inBackground(what: string, work: Promise<unknown>): void {
  work.catch((error: unknown) => {
    background.failures++;
    logger.error(`${what} failed (${summarizeError(error)}).`);
  });
}
