import type { IncomingMessage } from 'node:http';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from './errors/api-error.js';
import type { Cors } from './cors.js';
import { failure } from './envelope.js';
import { ORDINARY_BOUNDS } from './body/body-bounds.js';
import { COMMON_HEADERS, requestId } from '@w3ipfs/api-keys-guard/http';
import { answerUnreadableHttp, createHttpServer } from './http-server.js';

/** Longer segments are rejected by the router, shorter ones by the validation of the route. */
const MAX_PATH_SEGMENT = 8_192;

/** A Fastify adapter whose own errors have the envelope of the HTTP contract, too. */
export function createFastify(cors: Cors): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: ORDINARY_BOUNDS.bytes,
    serverFactory: createHttpServer,
    skipMiddie: true,
    genReqId: ({ headers }: IncomingMessage) => requestId(headers),
    routerOptions: { ignoreTrailingSlash: true, caseSensitive: false, maxParamLength: MAX_PATH_SEGMENT },
    return503OnClosing: false,
    frameworkErrors: (cause: Error & { code?: string }, request: FastifyRequest, reply: FastifyReply) =>
      answerUnroutable(cause, request, reply, cors),
    clientErrorHandler: answerUnreadableHttp,
  });
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
