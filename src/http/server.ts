import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from './errors/api-error.js';
import type { Cors } from './cors.js';
import { failure } from './envelope.js';
import { ORDINARY_BOUNDS } from './body/body-bounds.js';
import { COMMON_HEADERS, requestId } from '@w3ipfs/api-keys-guard/http';
import { hasUnreadBody } from './body/unread-body.js';

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
/** Longer segments are rejected by the router, shorter ones by the validation of the route. */
const MAX_PATH_SEGMENT = 8_192;

/** A Fastify adapter whose own errors have the envelope of the HTTP contract, too. */
export function createFastify(cors: Cors): FastifyAdapter {
  const adapter = new FastifyAdapter({
    bodyLimit: ORDINARY_BOUNDS.bytes,
    serverFactory: (listener: RequestListener) => createServer({ ...TIMEOUTS, requireHostHeader: false }, listener),
    skipMiddie: true,
    genReqId: ({ headers }: IncomingMessage) => requestId(headers),
    routerOptions: { ignoreTrailingSlash: true, caseSensitive: false, maxParamLength: MAX_PATH_SEGMENT },
    return503OnClosing: false,
    frameworkErrors: (cause: Error & { code?: string }, request: FastifyRequest, reply: FastifyReply) =>
      answerUnroutable(cause, request, reply, cors),
    clientErrorHandler: answerUnreadableHttp,
  });
  const fastify = adapter.getInstance<FastifyInstance>();
  fastify.server.maxConnections = MAX_CONNECTIONS;
  fastify.server.setTimeout(STALLED_MS);
  acceptAllHeaders(fastify.server);
  return adapter;
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

/** Answers requests whose URL cannot be decoded or has too long a segment: they reach neither a route nor a hook. */
function answerUnroutable({ code }: { code?: string }, request: FastifyRequest, reply: FastifyReply, cors: Cors): void {
  cors.setHeaders(request, reply);
  const error = code === 'FST_ERR_MAX_PARAM_LENGTH' ? SEGMENT_TOO_LONG : UNDECODABLE;
  const headers = { ...COMMON_HEADERS, 'X-Request-Id': request.id };
  reply.status(error.status).headers(headers).send(failure(error, request.id));
}

const UNDECODABLE = new ApiError(
  'validation_failed',
  'The path of the request is not valid percent-encoding (RFC 3986, 2.1).',
);
const SEGMENT_TOO_LONG = new ApiError(
  'route_not_found',
  `No route has a path with a segment of more than ${MAX_PATH_SEGMENT.toLocaleString('en')} characters.`,
);

/**
 * Answers what Node could not read as a request: invalid HTTP, too large headers, or a sender that is too slow. Only the
 * socket is available. A response to HEAD has no body (RFC 9110, 9.3.2), which `rawPacket` reveals if Node provides it.
 */
function answerUnreadableHttp(cause: Error & { code?: string; rawPacket?: unknown }, socket: Socket): void {
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
