import { Server as NetServer } from 'node:net';
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoggerService } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { RequestObserver } from '../telemetry/request-observer.js';
import { exitWith } from './exit.js';
import { Readiness } from './readiness.js';
import { UnwrittenCounts } from './unwritten-counts.js';

/** From the signal to the end, whatever happens. */
const SHUTDOWN_TIMEOUT_MS = 9_500;
/** A balancer that has asked whether the process is ready within this time asks again, and learns that it is not. */
const PROBED_WITHIN_MS = 15_000;
/** How long it is given for that, during which everything goes on. */
const NOTICE_MS = 3_000;
/** How long connections without a request are left open: whoever is sending one right now shall not find it closed. */
const IDLE_MS = 500;
/** How long requests under way may take to end. */
const GRACE_MS = 4_000;
const POLL_INTERVAL_MS = 20;
/** Where the log says that the lines are from. */
const CONTEXT = 'Service';

/**
 * On SIGTERM and SIGINT: the process is no longer ready; it stops listening; requests under way end; what was counted
 * is written; it exits with 0. A second signal ends it at once. The log says when it begins, and how it ended.
 */
export function enableGracefulShutdown(app: NestFastifyApplication, logger: LoggerService): void {
  const requests = app.get(RequestObserver, { strict: false });
  const unwritten = app.get(UnwrittenCounts, { strict: false });
  const abort = (why: string): never => {
    const lost = unwritten.summary ?? 'what was counted in the last second';
    logger.error(`${why}: ${countRequests(requests.underWay)} not answered, and ${lost} may be lost.`, undefined, CONTEXT);
    process.exit(1);
  };
  let isEnding = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isEnding) abort(`${signal} once more: ending at once`);
      isEnding = true;
      logger.log(`${signal}: draining, ${countRequests(requests.underWay)} in flight.`, CONTEXT);
      setTimeout(() => abort(`The end took longer than ${SHUTDOWN_TIMEOUT_MS / 1_000} s`), SHUTDOWN_TIMEOUT_MS);
      shutDown(app).then((cutOff) => {
        logOutcome(logger, unwritten.summary, cutOff);
        process.exit(0);
      }, exitWith);
    });
  }
}

function logOutcome(logger: LoggerService, lost: string | undefined, cutOff: number): void {
  const cut = cutOff > 0 ? ` ${countRequests(cutOff)} took too long and got no answer.` : '';
  if (lost === undefined) logger.log(`The end: everything is written.${cut}`, CONTEXT);
  else logger.warn(`The end: lost, since they could not be written: ${lost}.${cut}`, CONTEXT);
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
  const cutOff = await stopServing(app.getHttpServer(), app.get(RequestObserver, { strict: false }));
  await app.close();
  return cutOff;
}

/**
 * New connections are refused from now on, and each open one ends with its next answer.
 *
 * @returns how many requests were cut off
 */
async function stopServing(server: Server, requests: RequestObserver): Promise<number> {
  // Node's HTTP server would end the idle ones at the same moment, under the hands of those about to use them
  NetServer.prototype.close.call(server);
  const stoppedAt = performance.now();
  while ((await openConnections(server)) > 0) {
    const passed = performance.now() - stoppedAt;
    if (passed > IDLE_MS) server.closeIdleConnections();
    if (passed > GRACE_MS) {
      const cutOff = requests.underWay;
      server.closeAllConnections();
      return cutOff;
    }
    await sleep(POLL_INTERVAL_MS);
  }
  return 0;
}

function openConnections(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}
