import type { Socket } from 'node:net';
import type { Layer } from '../request-listener.js';

/** How many requests of a connection may wait behind the one that is being answered. */
const MAX_WAITING = 32;

/**
 * Answers the requests of a connection one at a time, and other connections' in between. Node emits all requests that
 * were sent at once (RFC 9112, 9.3.2): without this, 64 KiB of small requests would be 2,000 concurrent responses that
 * the client need not read. A connection with more waiting is closed, which a server may do at any time.
 */
export function answerInTurn(): Layer {
  const waiting = new WeakMap<Socket, number>();
  return (request, response, next) => {
    // Node assigns a response its socket once the responses before it are finished
    if (response.socket) return next(request, response);
    const { socket } = request;
    if (socket.destroyed) return;
    const count = (waiting.get(socket) ?? 0) + 1;
    if (count > MAX_WAITING) {
      socket.destroy();
      return;
    }
    waiting.set(socket, count);
    response.once('socket', () => {
      waiting.set(socket, (waiting.get(socket) ?? 1) - 1);
      // Other connections have been read by then
      setImmediate(() => {
        if (!socket.destroyed) next(request, response);
      });
    });
  };
}
