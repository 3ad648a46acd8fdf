import { Server as NetServer } from 'node:net';
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoggerService } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { RequestObserver } from '../telemetry/request-observer.js';
import { exitWith } from './exit.js';
import { Readiness } from './readiness.js';
import { Unwritten } from './unwritten.js';

/** From the signal to the end, whatever happens. */
const END_WITHIN_MS = 9_500;
/** A balancer that has asked whether the process is ready within this time asks again, and learns that it is not. */
const WATCHED_WITHIN_MS = 15_000;
/** How long it is given for that, during which everything goes on. */
const NOTICE_MS = 3_000;
/** How long connections without a request are left open: whoever is sending one right now shall not find it closed. */
const IDLE_MS = 500;
/** How long requests under way may take to end. */
const GRACE_MS = 4_000;
const LOOK_EVERY_MS = 20;
/** Where the log says that the lines are from. */
const CONTEXT = 'Service';

/**
 * On SIGTERM and SIGINT: the process is no longer ready; it stops listening; requests under way end; what was counted
 * is written; it exits with 0. A second signal ends it at once. The log says when it begins, and how it ended.
 */
export function enableGracefulShutdown(app: NestFastifyApplication, logger: LoggerService): void {
  const requests = app.get(RequestObserver, { strict: false });
  const unwritten = app.get(Unwritten, { strict: false });
  const abort = (why: string): never => {
    const lost = unwritten.summary ?? 'what was counted in the last second';
    logger.error(`${why}: ${counted(requests.underWay)} not answered, and ${lost} may be lost.`, undefined, CONTEXT);
    process.exit(1);
  };
  let isEnding = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isEnding) abort(`${signal} once more: ending at once`);
      isEnding = true;
      logger.log(`${signal}: draining, ${counted(requests.underWay)} in flight.`, CONTEXT);
      setTimeout(() => abort(`The end took longer than ${END_WITHIN_MS / 1_000} s`), END_WITHIN_MS);
      shutDown(app).then((cutOff) => {
        tellOfEnd(logger, unwritten.summary, cutOff);
        process.exit(0);
      }, exitWith);
    });
  }
}

function tellOfEnd(logger: LoggerService, lost: string | undefined, cutOff: number): void {
  const cut = cutOff > 0 ? ` ${counted(cutOff)} took too long and got no answer.` : '';
  if (lost === undefined) logger.log(`The end: everything is written.${cut}`, CONTEXT);
  else logger.warn(`The end: lost, since they could not be written: ${lost}.${cut}`, CONTEXT);
}

function counted(requests: number): string {
  return `${requests} ${requests === 1 ? 'request' : 'requests'}`;
}

/** @returns how many requests were cut off */
async function shutDown(app: NestFastifyApplication): Promise<number> {
  const readiness = app.get(Readiness, { strict: false });
  const isWatched = readiness.askedAgo < WATCHED_WITHIN_MS;
  readiness.end();
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
    await sleep(LOOK_EVERY_MS);
  }
  return 0;
}

function openConnections(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}
