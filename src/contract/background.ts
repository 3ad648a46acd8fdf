import { Logger } from '@nestjs/common';
import { inOneLine } from './error-text.js';

const logger = new Logger('Background');

/** How many pieces of background work have failed; for the metrics. */
export const background = { failures: 0 };

/**
 * Runs work that no caller waits for. A failure is logged and counted, and never becomes an unhandled rejection, which
 * would end the process and every request in flight.
 *
 * @param what names the work in the log
 */
export function inBackground(what: string, work: Promise<unknown>): void {
  work.catch((error: unknown) => {
    background.failures++;
    logger.error(`${what} failed (${inOneLine(error)}).`);
  });
}
