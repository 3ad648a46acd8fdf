import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { ORDINARY_BOUNDS } from './body-bounds.js';

/** By connection: the last request that was answered before its body had arrived. */
const answeredEarly = new WeakMap<Socket, IncomingMessage>();

export function hasBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
}

/** Decides whether the connection stays open. To be called before the response is sent. */
export function setKeepAlive(server: Server | undefined, request: IncomingMessage, response: ServerResponse): void {
  // Shutting down: close this connection so that the server can drain
  if (!server?.listening) response.shouldKeepAlive = false;
  discardBody(request, response);
}

/**
 * Node reads and discards the rest of an unread body. If its declared length is within the ordinary limit, the connection stays
 * open for further requests; otherwise it is closed.
 */
function discardBody(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete || !hasBody(request)) return;
  answeredEarly.set(request.socket, request);
  const isShort = Number(request.headers['content-length']) <= ORDINARY_BOUNDS.bytes;
  if (!isShort) response.shouldKeepAlive = false;
}

/** Whether a connection is still receiving the body of a request that was already answered. */
export function hasUnreadBody(socket: Socket): boolean {
  return answeredEarly.get(socket)?.complete === false;
}
