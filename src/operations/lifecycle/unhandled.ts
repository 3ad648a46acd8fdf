import type { LoggerService } from '@nestjs/common';
import { background } from '../../background/background.js';
import { describeError, summarizeError } from '../../logging/describe-error.js';

/** What a process emits that nobody has caught. */
interface Emitter {
  on(event: 'unhandledRejection' | 'uncaughtException', listener: (cause: unknown) => void): unknown;
}

/**
 * Logs and counts whatever nobody has caught, and lets the process go on.
 *
 * Node would end it, and with it every request in flight: whoever finds one request that breaks ours could keep the
 * service down by sending it. What a request works on is its own or in the database, in transactions that are rolled
 * back when nobody commits them, and all that waits has a timeout; so the others are better served by a process that
 * has lost track of one request than by none. It is a defect all the same, and never silent: each is an error in the
 * log with its stack, and a count in the metrics, for which there is an alert.
 */
export function surviveUnhandledErrors(logger: LoggerService, emitter: Emitter = process): void {
  const survive = (kind: 'rejections' | 'exceptions', what: string) => (cause: unknown) => {
    background[kind]++;
    logger.error(`${what} (${summarizeError(cause)}).`, describeError(cause), 'Unhandled');
  };
  emitter.on('unhandledRejection', survive('rejections', 'A promise was rejected, and nobody had asked for it'));
  emitter.on('uncaughtException', survive('exceptions', 'An exception was thrown, and nobody has caught it'));
}
