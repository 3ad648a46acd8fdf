import { randomUUID } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { COMMON_HEADERS } from '@w3ipfs/api-keys-guard/http';
import { hasUnreadBody } from './body/unread-body.js';
import { failure } from './envelope.js';
import { ApiError } from './errors/api-error.js';

/**
 * In milliseconds: from the first byte of a request to the last of its body; between Node's checks for requests over
 * that; and until an idle connection is closed, which is longer than proxies keep theirs (60 s), so that none sends a
 * request on a connection that is closing. Passed to Node's constructor, which derives `headersTimeout` from the first:
 * set later, `headersTimeout` would stay at 60 s, and bodies would be given as much time.
 */
const TIMEOUTS = { requestTimeout: 10_000, connectionsCheckingInterval: 1_000, keepAliveTimeout: 72_000 };
/** A client that does not read its response is disconnected after one to two of these; no response takes longer. */
const STALLED_MS = 15_000;
/** Connections over the limit are not accepted: each costs memory, even if idle. */
const MAX_CONNECTIONS = 20_000;

/** Node's server with bounds on time and connections. It answers no `clientError`; see `answerUnreadableHttp()`. */
export function createHttpServer(listener: RequestListener): Server {
  const server = createServer({ ...TIMEOUTS, requireHostHeader: false }, listener);
  server.maxConnections = MAX_CONNECTIONS;
  server.setTimeout(STALLED_MS);
  acceptAllHeaders(server);
  return server;
}

/**
 * Node ignores headers after the 2,000th, which would hide that a credential is repeated: the bound on their bytes
 * suffices. And it answers an unknown `Expect` itself, with a 417 without the envelope; a server may ignore the header
 * (RFC 9110, 10.1.1).
 */
function acceptAllHeaders(server: Server): void {
  server.maxHeadersCount = 0;
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
}

/**
 * Answers what Node could not read as a request: invalid HTTP, too large headers, or a sender that is too slow. Only the
 * socket is available. A response to HEAD has no body (RFC 9110, 9.3.2), which `rawPacket` reveals if Node provides it.
 */
export function answerUnreadableHttp(cause: Error & { code?: string; rawPacket?: unknown }, socket: Socket): void {
  const isAnswered = cause.code === 'ECONNRESET' || hasUnreadBody(socket);
  if (isAnswered || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, error] = UNREADABLE[cause.code ?? ''] ?? NOT_HTTP;
  const id = randomUUID();
  const body = JSON.stringify(failure(error, id));
  const headers = { ...COMMON_HEADERS, 'Content-Type': 'application/json', 'X-Request-Id': id, Connection: 'close' };
  const lines = Object.entries({ ...headers, 'Content-Length': Buffer.byteLength(body) }).map((line) =>
    line.join(': '),
  );
  const isHead = cause.rawPacket instanceof Buffer && cause.rawPacket.indexOf('HEAD ') === 0;
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join('\r\n')}\r\n\r\n${isHead ? '' : body}`);
}

type UnreadableAnswer = readonly [status: string, error: ApiError];

const NOT_HTTP: UnreadableAnswer = [
  '400 Bad Request',
  new ApiError('validation_failed', 'The request is not valid HTTP (RFC 9112).'),
];

/** By the code of Node's error. */
const UNREADABLE: Record<string, UnreadableAnswer> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    new ApiError('payload_too_large', 'The headers are too large.'),
  ],
  ERR_HTTP_REQUEST_TIMEOUT: [
    '408 Request Timeout',
    new ApiError('validation_failed', `The request was not complete after ${TIMEOUTS.requestTimeout / 1_000} seconds.`),
  ],
};
