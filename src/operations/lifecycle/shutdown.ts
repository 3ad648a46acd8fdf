import { setTimeout as sleep } from 'node:timers/promises';
import type { LoggerService } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { stopServing } from '../../http/stop-serving.js';
import { RequestObserver } from '../telemetry/request-observer.js';
import { exitWith } from './exit.js';
import { Readiness } from './readiness.js';
import { UnwrittenCounts } from './unwritten-counts.js';

/** Maximum time from the signal to the exit. */
const SHUTDOWN_TIMEOUT_MS = 9_500;
/** A balancer that probed readiness within this time is assumed to probe again. */
const PROBED_WITHIN_MS = 15_000;
/** Time for that balancer to notice, during which the process still serves. */
const NOTICE_MS = 3_000;
/** The context of log lines. */
const CONTEXT = 'Service';

/**
 * On SIGTERM and SIGINT: makes the process not ready, stops listening, drains requests in flight, flushes counts, and
 * exits with 0. A second signal exits at once. Logs the start and the outcome.
 */
export function enableGracefulShutdown(app: NestFastifyApplication, logger: LoggerService): void {
  const requests = app.get(RequestObserver, { strict: false });
  const unwritten = app.get(UnwrittenCounts, { strict: false });
  const abort = (why: string): never => {
    const lost = unwritten.summary ?? 'the counts of the last second';
    logger.error(`${why}: ${countRequests(requests.underWay)} unanswered; ${lost} may be lost.`, undefined, CONTEXT);
    process.exit(1);
  };
  let isShuttingDown = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isShuttingDown) abort(`${signal} again, exiting at once`);
      isShuttingDown = true;
      logger.log(`${signal}: draining, ${countRequests(requests.underWay)} in flight.`, CONTEXT);
      setTimeout(() => abort(`Shutdown timed out after ${SHUTDOWN_TIMEOUT_MS / 1_000} s`), SHUTDOWN_TIMEOUT_MS);
      shutDown(app).then((cutOff) => {
        logOutcome(logger, unwritten.summary, cutOff);
        process.exit(0);
      }, exitWith);
    });
  }
}

function logOutcome(logger: LoggerService, lost: string | undefined, cutOff: number): void {
  const cut = cutOff > 0 ? ` ${countRequests(cutOff)} timed out without an answer.` : '';
  if (lost === undefined) logger.log(`Shut down: everything is written.${cut}`, CONTEXT);
  else logger.warn(`Shut down: lost ${lost}, which could not be written.${cut}`, CONTEXT);
}

function countRequests(requests: number): string {
  return `${requests} ${requests === 1 ? 'request' : 'requests'}`;
}

/** @returns how many requests were cut off */
async function shutDown(app: NestFastifyApplication): Promise<number> {
  const readiness = app.get(Readiness, { strict: false });
  const isWatched = readiness.millisecondsSinceProbe < PROBED_WITHIN_MS;
  readiness.beginDraining();
  if (isWatched) await sleep(NOTICE_MS);
  const requests = app.get(RequestObserver, { strict: false });
  const cutOff = await stopServing(app.getHttpServer(), () => requests.underWay);
  await app.close();
  return cutOff;
}
