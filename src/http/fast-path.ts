import type { Server, ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import { inBackground } from '../background/background.js';
import { parseJsonBody } from './body/json-body.js';
import { RequestBodies } from './body/request-bodies.js';
import { setKeepAlive } from './body/unread-body.js';
import { ABORTED } from './completed-request.js';
import { ErrorResponses } from './errors/error-responses.js';
import { type FastPathRequest, type FastPathRoute, FastPathRoutes } from './fast-path-routes.js';
import { LoadShedding } from './load/load-shedding.js';
import { RequestContext } from './request-context.js';
import { RequestEvents } from './request-events.js';
import { requestId } from '@w3ipfs/api-keys-guard/http';
import { addLayer, type Layer } from './request-listener.js';
import { type FullResponse, writeResponse } from './write-response.js';

/** A request on the fast path, and its response. */
interface Exchange extends FastPathRequest {
  response: ServerResponse;
  route: FastPathRoute;
  /** The slots that it occupies in the limit on concurrent verifications. */
  slots: number;
}

/**
 * Answers simple requests (`simple-request.ts`) on the hottest routes straight from Node's HTTP server, because the
 * pipelines of Fastify and Nest cost more than the work. Every other request goes through them to the controller of the
 * same route, which gives the same response: without the fast path, the service is slower and otherwise the same.
 */
@Injectable()
export class FastPath {
  private readonly routes = new FastPathRoutes();
  private server: Server | undefined;

  constructor(
    private readonly errorResponses: ErrorResponses,
    private readonly events: RequestEvents,
    private readonly loadShedding: LoadShedding,
    private readonly bodies: RequestBodies,
  ) {}

  register(route: FastPathRoute): void {
    this.routes.add(route);
  }

  /** Puts the fast path in front of Fastify. */
  install(server: Server): void {
    this.server = server;
    addLayer(server, this.accept);
  }

  private readonly accept: Layer = (raw, response, next) => {
    const route = this.routes.match(raw);
    if (!route) return next(raw, response);
    this.events.started();
    const context = new RequestContext(requestId(raw.headers));
    this.receive({ raw, response, route, context, body: undefined, slots: 0 });
  };

  /** Identifies the caller, then reads the body: no caller can make the service read a body that its headers rule out. */
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

  /** Sends the route's response at once if it is not a promise: most are not. */
  private respond(exchange: Exchange, body?: Buffer): void {
    try {
      // Before the body is parsed, which is work too
      this.acquire(exchange, 1);
      exchange.body = body && parseJsonBody(body);
      // The weight of a batch is in its body
      const weight = exchange.route.weigh?.(exchange.body) ?? 1;
      if (weight > 1) {
        this.release(exchange);
        this.acquire(exchange, weight);
      }
      const answer = exchange.route.respond(exchange);
      if (answer instanceof Promise) return this.sendWhenReady(exchange, answer);
      this.send(exchange, answer);
    } catch (cause) {
      this.fail(exchange, cause);
    }
    this.release(exchange);
  }

  private sendWhenReady(exchange: Exchange, answer: Promise<FullResponse>): void {
    const sent = answer
      .then((ready) => this.send(exchange, ready))
      .catch((cause: unknown) => this.fail(exchange, cause))
      .finally(() => this.release(exchange));
    inBackground('Answering a request', sent);
  }

  /** @throws UnavailableError */
  private acquire(exchange: Exchange, slots: number): void {
    this.loadShedding.verification.acquire(slots);
    exchange.slots = slots;
  }

  private release(exchange: Exchange): void {
    this.loadShedding.verification.release(exchange.slots);
    exchange.slots = 0;
  }

  private fail(exchange: Exchange, cause: unknown): void {
    const { raw, context } = exchange;
    const { method = '', url = '' } = raw;
    const { code, verdict, ...answer } = this.errorResponses.of(cause, { id: context.id, method, url });
    context.error = code;
    context.verdict = verdict;
    this.loadShedding.finishRefusal(raw, answer.status ?? 500, () => this.send(exchange, answer));
  }

  private send(exchange: Exchange, answer: FullResponse): void {
    const { raw, response, context } = exchange;
    if (response.destroyed) return this.complete(exchange, ABORTED);
    setKeepAlive(this.server, raw, response);
    writeResponse(response, context.id, answer);
    this.complete(exchange, answer.status ?? 200);
  }

  private complete({ raw, context, route: { path: route } }: Exchange, status: number): void {
    this.events.completed(context, { raw, route, status });
  }
}
