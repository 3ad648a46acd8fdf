import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { inBackground } from '../background/background.js';
import { parseJsonBody } from './body/json-body.js';
import { RequestBodies } from './body/request-bodies.js';
import { settleConnection } from './body/unread-body.js';
import { ErrorAnswers } from './errors/error-answers.js';
import { headerProblem } from './header-problem.js';
import { LoadShedding } from './load/load-shedding.js';
import { RequestContext } from './request-context.js';
import { ABORTED } from './completed-request.js';
import { RequestEvents } from './request-events.js';
import { requestId } from './request-id.js';
import { addLayer, type Layer } from './request-listener.js';
import { isSimpleRequest } from './simple-request.js';
import { type FullResponse, writeResponse } from './write-response.js';

/** A request as a fast route gets it. */
export interface FastPathRequest {
  raw: IncomingMessage;
  context: RequestContext;
  /** Parsed; `undefined` without one. */
  body: object | undefined;
}

export interface FastPathRoute {
  /** Any but HEAD, if absent. */
  method?: string;
  /** As registered with Fastify; with `/*` at its end, all paths below. */
  path: string;
  /** Identifies the caller by the headers, before the body is read. @throws ApiError */
  identify?: (request: IncomingMessage) => string;
  /** How many requests one counts as, by its body. */
  weigh?: (body: object | undefined) => number;
  /** Whether it decides by the headers alone: then it takes requests that are not simple, too, and skips a body. */
  ignoresBody?: boolean;
  respond(request: FastPathRequest): FullResponse | Promise<FullResponse>;
}

interface Exchange extends FastPathRequest {
  response: ServerResponse;
  route: FastPathRoute;
}

/**
 * Answers simple requests (`simple-request.ts`) of the hottest routes straight from Node's HTTP server, since Fastify's and
 * Nest's pipelines cost more than the work. Every other request takes the ordinary way to the same route's controller,
 * which gives the same response; without this file the service is slower and otherwise the same.
 */
@Injectable()
export class FastPath {
  /** By method and path, in lower case. */
  private readonly routes = new Map<string, FastPathRoute>();
  /** Of any method, by the beginning of the path, in lower case. */
  private readonly prefixes: [prefix: string, route: FastPathRoute][] = [];
  private server: Server | undefined;

  constructor(
    private readonly errors: ErrorAnswers,
    private readonly events: RequestEvents,
    private readonly loadShedding: LoadShedding,
    private readonly bodies: RequestBodies,
  ) {}

  register(route: FastPathRoute): void {
    const path = route.path.toLowerCase();
    if (path.endsWith('/*')) this.prefixes.push([path.slice(0, -1), route]);
    else for (const spelling of [path, `${path}/`]) this.routes.set(`${route.method} ${spelling}`, route);
  }

  /** Puts it in front of Fastify. */
  install(server: Server): void {
    this.server = server;
    addLayer(server, this.handle);
  }

  private readonly handle: Layer = (raw, response, next) => {
    const route = this.match(raw);
    if (!route) return next(raw, response);
    this.events.started();
    const context = new RequestContext(requestId(raw.headers));
    this.receive({ raw, response, route, context, body: undefined });
  };

  private match(request: IncomingMessage): FastPathRoute | undefined {
    const { method = '', url = '' } = request;
    const queryAt = url.indexOf('?');
    const path = (queryAt < 0 ? url : url.slice(0, queryAt)).toLowerCase();
    const route =
      this.routes.get(`${method} ${path}`) ??
      this.prefixes.find(([prefix]) => path.length > prefix.length && path.startsWith(prefix))?.[1];
    if (!route) return undefined;
    const isTaken = route.ignoresBody ? !headerProblem(request) && method !== 'HEAD' : isSimpleRequest(request);
    return isTaken ? route : undefined;
  }

  /** Refuses a caller by its headers before the body is read. */
  private receive(exchange: Exchange): void {
    const { raw, route, context } = exchange;
    try {
      context.caller = route.identify?.(raw);
    } catch (cause) {
      return this.fail(exchange, cause);
    }
    if (route.ignoresBody || raw.headers['content-length'] === undefined) return this.respond(exchange);
    this.bodies.receive(raw, route.identify ? 'services' : 'clients', (cause, body) => {
      if (cause === undefined) this.respond(exchange, body);
      else if (raw.errored) this.complete(exchange, ABORTED);
      else this.fail(exchange, cause);
    });
  }

  private respond(exchange: Exchange, body?: Buffer): void {
    const limit = this.loadShedding.verification;
    let weight = 0;
    try {
      // Before the body is parsed, which is work too
      limit.acquire();
      weight = 1;
      exchange.body = body && parseJsonBody(body);
      const heavier = exchange.route.weigh?.(exchange.body) ?? 1;
      if (heavier > 1) {
        limit.release(weight);
        weight = 0;
        limit.acquire(heavier);
        weight = heavier;
      }
      const answer = exchange.route.respond(exchange);
      if (answer instanceof Promise) return this.sendLater(exchange, answer, weight);
      this.send(exchange, answer);
    } catch (cause) {
      this.fail(exchange, cause);
    }
    limit.release(weight);
  }

  private sendLater(exchange: Exchange, answer: Promise<FullResponse>, weight: number): void {
    const sent = answer
      .then((one) => this.send(exchange, one))
      .catch((cause: unknown) => this.fail(exchange, cause))
      .finally(() => this.loadShedding.verification.release(weight));
    inBackground('Answering a request', sent);
  }

  private fail(exchange: Exchange, cause: unknown): void {
    const { method = '', url = '' } = exchange.raw;
    const { code, verdict, ...answer } = this.errors.of(cause, { id: exchange.context.id, method, url });
    exchange.context.error = code;
    exchange.context.verdict = verdict;
    this.send(exchange, answer);
  }

  private send(exchange: Exchange, answer: FullResponse): void {
    const { raw, response, context } = exchange;
    if (response.destroyed) return this.complete(exchange, ABORTED);
    settleConnection(this.server, raw, response);
    writeResponse(response, context.id, answer);
    this.complete(exchange, answer.status ?? 200);
  }

  private complete({ raw, context, route: { path: route } }: Exchange, status: number): void {
    this.events.completed(context, { raw, route, status });
  }
}
