import type { Socket } from 'node:net';
import type { Layer } from '../request-listener.js';

/** The number of requests that may wait on a connection, besides the one that is being answered. */
const MAX_WAITING = 32;

/**
 * Answers the requests of a connection one at a time, interleaved with those of other connections. Node emits pipelined
 * requests (RFC 9112, 9.3.2) all at once: 64 KiB of small ones would be 2,000 concurrent responses, which the client need
 * not even read. A connection with more waiting is closed, which a server may do at any time.
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
      // After other connections have been read
      setImmediate(() => {
        if (!socket.destroyed) next(request, response);
      });
    });
  };
}
