import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** How many requests of a connection may wait behind the one that is being answered. */
const MAX_WAITING = 32;

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Answers the requests of a connection one after the other, and others' in between. Node calls its listener for all that
 * were sent at once (RFC 9112, 9.3.2): without this, 64 KiB of small requests were 2,000 answers under way, none of which
 * anybody need read. A connection with more waiting is ended, which a server may do at any time.
 */
export function answerInTurn(listener: Listener): Listener {
  const waiting = new WeakMap<Socket, number>();
  return (request, response) => {
    // Node gives a response its socket once those before it are finished
    if (response.socket) return listener(request, response);
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
        if (!socket.destroyed) listener(request, response);
      });
    });
  };
}
