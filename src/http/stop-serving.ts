import type { Server } from 'node:http';
import { Server as NetServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long idle connections stay open, so that a request that is being sent does not find its connection closed. */
const IDLE_MS = 500;
/** Maximum time for requests in flight to finish. */
const GRACE_MS = 4_000;
const POLL_INTERVAL_MS = 20;

/**
 * Refuses new connections, and closes each open one after its next answer.
 *
 * @param inFlight the number of requests that are not answered yet
 * @returns how many requests were cut off
 */
export async function stopServing(server: Server, inFlight: () => number): Promise<number> {
  // Not the HTTP server's close(), which would close idle connections at once, while clients may be about to use them
  NetServer.prototype.close.call(server);
  const stoppedAt = performance.now();
  while ((await openConnections(server)) > 0) {
    const passed = performance.now() - stoppedAt;
    if (passed > IDLE_MS) server.closeIdleConnections();
    if (passed > GRACE_MS) {
      const cutOff = inFlight();
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
