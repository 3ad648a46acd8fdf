import type { LoggerService } from '@nestjs/common';
import { background } from '../../background/background.js';
import { describeError, summarizeError } from '../../logging/describe-error.js';

/** The events of a process for unhandled errors. */
interface Emitter {
  on(event: 'unhandledRejection' | 'uncaughtException', listener: (cause: unknown) => void): unknown;
}

/**
 * Logs and counts unhandled rejections and uncaught exceptions, and keeps the process running.
 *
 * Node would end the process, and with it every request in flight: one request that triggers a defect would be enough
 * to keep the service down. State is per request, or in the database in transactions that roll back unless committed,
 * and every wait has a timeout, so one lost request does not corrupt others. Each is still a defect: an error in the log
 * with its stack, and a count in the metrics, which has an alert.
 */
export function surviveUnhandledErrors(logger: LoggerService, emitter: Emitter = process): void {
  const survive = (kind: 'rejections' | 'exceptions', what: string) => (cause: unknown) => {
    background[kind]++;
    logger.error(`${what} (${summarizeError(cause)}).`, describeError(cause), 'Unhandled');
  };
  emitter.on('unhandledRejection', survive('rejections', 'Unhandled promise rejection'));
  emitter.on('uncaughtException', survive('exceptions', 'Uncaught exception'));
}
