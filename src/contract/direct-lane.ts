import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import type { DirectAnswer, DirectHandler } from './direct.decorator.js';
import { repeatsHeaders } from './header-values.js';
import { BODY_LIMIT, parseJsonBody } from './json-body.js';
import { requestId } from './request-id.js';
import { COMMON_HEADERS, JSON_TYPE } from './response-headers.js';

/** Answers a failure of a direct route as the error filter would: with the envelope, and a log of what is ours. */
export type AnswerFailure = (cause: unknown, request: { id: string; method: string; url: string }) => DirectAnswer;

/**
 * Answers the requests of direct routes (`@Direct()`) straight from Node's HTTP server: Fastify's and Nest's
 * pipelines around them cost more than the work itself.
 *
 * It takes plain requests alone: the exact path, no header twice, a body of known length that is JSON and not
 * encoded. Whatever is out of the ordinary goes the ordinary way to the same handler, or to its refusal.
 */
export class DirectLane {
  private readonly handlers = new Map<string, DirectHandler>();
  private answerFailure: AnswerFailure | undefined;
  private server: Server | undefined;

  /** Opens it; until then everything goes the ordinary way. */
  open(answerFailure: AnswerFailure): void {
    this.answerFailure = answerFailure;
  }

  add(method: string, path: string, handler: DirectHandler): void {
    for (const spelling of [path, `${path}/`]) this.handlers.set(`${method} ${spelling}`, handler);
  }

  /** @param ordinary what answers the requests that are not taken */
  createServer(options: ServerOptions, ordinary: RequestListener): Server {
    this.server = createServer(options, (request, response) => {
      const handler = this.handlerOf(request);
      if (handler) this.receive(request, response, handler);
      else ordinary(request, response);
    });
    return this.server;
  }

  private handlerOf(request: IncomingMessage): DirectHandler | undefined {
    const { method = '', url = '' } = request;
    const queryAt = url.indexOf('?');
    const handler = this.handlers.get(`${method} ${queryAt < 0 ? url : url.slice(0, queryAt)}`);
    return handler && this.answerFailure && isPlain(request) ? handler : undefined;
  }

  private receive(request: IncomingMessage, response: ServerResponse, handler: DirectHandler): void {
    if (request.headers['content-length'] === undefined) return this.answer(request, response, handler, undefined);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      this.answer(request, response, handler, chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
    });
  }

  private answer(request: IncomingMessage, response: ServerResponse, handler: DirectHandler, body?: Buffer): void {
    const id = requestId(request.headers);
    try {
      const answer = handler({ raw: request, body: body && parseJsonBody(body) });
      if (!(answer instanceof Promise)) return this.send(response, id, answer);
      answer.then((one) => this.send(response, id, one)).catch((cause) => this.fail(request, response, id, cause));
    } catch (cause) {
      this.fail(request, response, id, cause);
    }
  }

  private fail({ method = '', url = '' }: IncomingMessage, response: ServerResponse, id: string, cause: unknown): void {
    const failure = this.answerFailure?.(cause, { id, method, url });
    if (failure) this.send(response, id, failure);
  }

  private send(response: ServerResponse, id: string, { status = 200, headers, body = '' }: DirectAnswer): void {
    const length = Buffer.byteLength(body);
    const lines = [...COMMON_LINES, 'X-Request-Id', id, 'Content-Length', String(length)];
    if (length > 0) lines.push('Content-Type', JSON_TYPE);
    for (const name in headers) lines.push(name, headers[name] ?? '');
    // A server that is ending waits for its connections: this one is not to be used again
    if (!this.server?.listening) response.shouldKeepAlive = false;
    response.writeHead(status, lines);
    // What is ASCII alone need not be encoded once more
    response.end(body, length === body.length ? 'latin1' : 'utf8');
  }
}

/** As `writeHead()` takes them, names and values in turn: an object of them costs more to make and to read. */
const COMMON_LINES = Object.entries(COMMON_HEADERS).flat();

function isPlain(request: IncomingMessage): boolean {
  const { method, headers } = request;
  if (headers.host === undefined || headers['transfer-encoding'] !== undefined || headers.expect !== undefined)
    return false;
  if (repeatsHeaders(request)) return false;
  const length = headers['content-length'];
  if (method === 'GET') return length === undefined;
  const isReadable = headers['content-type'] === 'application/json' && headers['content-encoding'] === undefined;
  return isReadable && length !== undefined && length !== '0' && Number(length) <= BODY_LIMIT;
}
