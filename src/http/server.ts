import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from './errors/api-error.js';
import type { Cors } from './cors.js';
import { failure } from './envelope.js';
import { BODY_LIMIT } from './body/json-body.js';
import { requestId } from './request-id.js';
import { COMMON_HEADERS } from './response-headers.js';
import { carriesAnsweredBody } from './body/unread-body.js';

/**
 * In milliseconds: from the first byte of a request to the last of its body; how often Node looks for requests that
 * take longer; and how long a connection is kept without one, which is longer than proxies keep theirs (60 s), so
 * that none sends into a connection that closes. Given to Node's constructor, which bounds the time for the headers
 * by the first: set later, that stays at 60 s, and bodies are then given as long.
 */
const TIMEOUTS = { requestTimeout: 10_000, connectionsCheckingInterval: 1_000, keepAliveTimeout: 72_000 };
/** Whoever does not read what is answered is given up after once or twice as long; no answer takes longer. */
const STALLED_MS = 15_000;
/** Further ones are not accepted: each costs memory, whether it asks or not. */
const MAX_CONNECTIONS = 20_000;
/** Longer ones are refused by the router; shorter ones by the validation of the route. */
const MAX_PATH_SEGMENT = 8_192;

/** Fastify with the manners of the contract: what it refuses by itself has the envelope of every error, too. */
export function createFastify(cors: Cors): FastifyAdapter {
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT,
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
  readWholeRequests(fastify.server);
  return adapter;
}

/**
 * Node leaves out headers beyond the 2,000th, so that a credential given twice would look as if it were there
 * once: their bytes are bounded, their number need not be. And it answers an `Expect` that it does not know by
 * itself, with a 417 that has no envelope; a server may ignore it (RFC 9110, 10.1.1).
 */
function readWholeRequests(server: Server): void {
  server.maxHeadersCount = 0;
  server.on('checkExpectation', (request, response) => server.emit('request', request, response));
}

/** A URL that does not decode, or has too long a segment, reaches no route and none of the hooks. */
function answerUnroutable({ code }: { code?: string }, request: FastifyRequest, reply: FastifyReply, cors: Cors): void {
  cors.open(request, reply);
  const error = code === 'FST_ERR_MAX_PARAM_LENGTH' ? TOO_LONG : UNDECODABLE;
  const headers = { ...COMMON_HEADERS, 'X-Request-Id': request.id };
  reply.status(error.status).headers(headers).send(failure(error, request.id));
}

const UNDECODABLE = new ApiError(
  'validation_failed',
  'The path of the request is not valid percent-encoding (RFC 3986).',
);
const TOO_LONG = new ApiError(
  'route_not_found',
  `No route has a path with a segment of more than ${MAX_PATH_SEGMENT.toLocaleString('en')} characters.`,
);

/**
 * What is not HTTP, more headers than Node reads, or too slow, has no request to answer: only a socket. That a body
 * must not follow, as after HEAD (RFC 9110, 9.3.2), is known where the request's first bytes are at hand.
 */
function answerUnreadableHttp(cause: Error & { code?: string; rawPacket?: unknown }, socket: Socket): void {
  const isAnswered = cause.code === 'ECONNRESET' || carriesAnsweredBody(socket);
  if (isAnswered || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, error] = UNREADABLE[cause.code ?? ''] ?? NO_HTTP;
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

const NO_HTTP: UnreadableAnswer = [
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
