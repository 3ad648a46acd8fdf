import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { BODY_LIMIT } from './json-body.js';

/** By its connection, the request that was answered last before its body was there. */
const answeredEarly = new WeakMap<Socket, IncomingMessage>();

export function hasBody({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
}

/** To be called before a request is answered: decides whether its connection goes on. */
export function settleConnection(server: Server | undefined, request: IncomingMessage, response: ServerResponse): void {
  // Shutting down: close this connection so that the server can drain
  if (!server?.listening) response.shouldKeepAlive = false;
  passOverBody(request, response);
}

/**
 * Node passes over what is left of a body: where that is not more than any body may be, the connection goes on with the
 * request behind it; else it ends, rather than read on for nothing.
 */
function passOverBody(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete || !hasBody(request)) return;
  answeredEarly.set(request.socket, request);
  const isShort = Number(request.headers['content-length']) <= BODY_LIMIT;
  if (!isShort) response.shouldKeepAlive = false;
}

/** Whether the connection still carries the body of a request that was answered. */
export function carriesAnsweredBody(socket: Socket): boolean {
  return answeredEarly.get(socket)?.complete === false;
}
