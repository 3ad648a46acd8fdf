import { Server as NetServer } from 'node:net';
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { exitWith } from './exit.js';
import { Readiness } from './readiness.js';

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

/**
 * On SIGTERM and SIGINT: the process is no longer ready; it stops listening; requests under way end; what was counted
 * is written; it exits with 0. A second signal ends it at once.
 */
export function endOnSignal(app: NestFastifyApplication): void {
  let isEnding = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (isEnding) process.exit(1);
      isEnding = true;
      setTimeout(() => exitWith(new Error('The end took too long; what was counted last may be lost.')), END_WITHIN_MS);
      end(app).then(() => process.exit(0), exitWith);
    });
  }
}

async function end(app: NestFastifyApplication): Promise<void> {
  const readiness = app.get(Readiness, { strict: false });
  const isWatched = readiness.askedAgo < WATCHED_WITHIN_MS;
  readiness.end();
  if (isWatched) await sleep(NOTICE_MS);
  await stopServing(app.getHttpServer());
  await app.close();
}

/** New connections are refused from now on, and each open one ends with its next answer. */
async function stopServing(server: Server): Promise<void> {
  // Node's HTTP server would end the idle ones at the same moment, under the hands of those about to use them
  NetServer.prototype.close.call(server);
  const stoppedAt = performance.now();
  while ((await openConnections(server)) > 0) {
    const passed = performance.now() - stoppedAt;
    if (passed > IDLE_MS) server.closeIdleConnections();
    if (passed > GRACE_MS) return server.closeAllConnections();
    await sleep(LOOK_EVERY_MS);
  }
}

function openConnections(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}
