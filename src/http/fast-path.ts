import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import type { ConcurrencyLimit } from './load/concurrency-limit.js';
import { ABORTED, type CompletedRequest } from './completed-request.js';
import { inBackground } from '../background/background.js';
import type { DirectAnswer, DirectHandler, DirectOptions, DirectRequest, Identify } from './direct.decorator.js';
import { parseJsonBody } from './body/json-body.js';
import { isPlainRequest } from './simple-request.js';
import type { RequestBodies } from './body/request-bodies.js';
import { requestId } from './request-id.js';
import { originForm } from './request-target.js';
import { settleConnection } from './body/unread-body.js';
import { answerInTurn } from './load/pipelined-requests.js';
import { writeAnswer } from './write-answer.js';

/** What the ordinary way would have done around a handler. */
export interface LaneDuties {
  /** Answers a failure as the error filter would: with the envelope, and a log of what is ours. */
  answerFailure(cause: unknown, request: { id: string; method: string; url: string }): DirectAnswer;
  /** Learns of every request that the lane has taken, */
  begin(): void;
  /** and of every one that was answered. */
  tell(request: CompletedRequest): void;
  /** Where requests are traced: answers one, on whichever way, within its span. */
  trace?: ((request: IncomingMessage, response: ServerResponse, answer: () => void) => void) | undefined;
  /** Bounds how many requests may wait for the database at once. */
  admission: ConcurrencyLimit;
  bodies: RequestBodies;
}

interface DirectRoute {
  handler: DirectHandler;
  weigh: DirectOptions['weigh'] | undefined;
  identify: Identify | undefined;
  headersOnly: boolean | undefined;
  path: string;
}

/** A request that the lane has taken. */
interface Taken {
  request: IncomingMessage;
  response: ServerResponse;
  route: DirectRoute;
  duties: LaneDuties;
  id: string;
  began: number;
  /** What the handler is given; whatever is known of the caller is there, for the log. */
  asked: DirectRequest;
}

/**
 * Answers the requests of direct routes (`@Direct()`) straight from Node's HTTP server: Fastify's and Nest's
 * pipelines around them cost more than the work itself.
 *
 * It takes plain requests alone (`plain-request.ts`), by the path as it is but for its case; of routes that decide by the
 * headers alone, any that name a host. Others go the ordinary way to the same handler, or to its refusal.
 */
export class DirectLane {
  /** By method and path, the path in lower case. */
  private readonly routes = new Map<string, DirectRoute>();
  /** Of any method, by what their paths begin with, in lower case. */
  private readonly prefixes = new Map<string, DirectRoute>();
  private duties: LaneDuties | undefined;
  private server: Server | undefined;

  /** Opens it; until then everything goes the ordinary way. */
  open(duties: LaneDuties): void {
    this.duties = duties;
  }

  add(method: string, path: string, route: Omit<DirectRoute, 'path'>): void {
    const lowerCase = path.toLowerCase();
    if (lowerCase.endsWith('/*')) this.prefixes.set(lowerCase.slice(0, -1), { ...route, path });
    else
      for (const spelling of [lowerCase, `${lowerCase}/`]) this.routes.set(`${method} ${spelling}`, { ...route, path });
  }

  /** @param ordinary what answers the requests that are not taken */
  createServer(options: ServerOptions, ordinary: RequestListener): Server {
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      request.url = originForm(request.url ?? '');
      const trace = this.duties?.trace;
      if (trace) trace(request, response, () => this.answer(request, response, ordinary));
      else this.answer(request, response, ordinary);
    };
    this.server = createServer(options, answerInTurn(listener));
    return this.server;
  }

  private answer(request: IncomingMessage, response: ServerResponse, ordinary: RequestListener): void {
    const { duties } = this;
    const route = duties && this.routeOf(request);
    if (!route) return ordinary(request, response);
    duties.begin();
    const id = requestId(request.headers);
    const asked: DirectRequest = { raw: request, body: undefined, caller: undefined };
    this.receive({ request, response, route, duties, id, began: performance.now(), asked });
  }

  private routeOf(request: IncomingMessage): DirectRoute | undefined {
    const { method = '', url = '' } = request;
    const queryAt = url.indexOf('?');
    const path = (queryAt < 0 ? url : url.slice(0, queryAt)).toLowerCase();
    const route = this.routes.get(`${method} ${path}`) ?? this.prefixRouteOf(path);
    if (!route) return undefined;
    const isTaken = route.headersOnly ? request.headers.host !== undefined : isPlainRequest(request);
    return isTaken ? route : undefined;
  }

  private prefixRouteOf(path: string): DirectRoute | undefined {
    for (const [prefix, route] of this.prefixes) if (path.startsWith(prefix)) return route;
    return undefined;
  }

  /** Whoever may not ask is told so before the body is read. */
  private receive(taken: Taken): void {
    const { request, route, duties } = taken;
    try {
      taken.asked.caller = route.identify?.(request);
    } catch (cause) {
      return this.fail(taken, cause);
    }
    if (route.headersOnly || request.headers['content-length'] === undefined) return this.decide(taken);
    duties.bodies.receive(request, route.identify ? 'services' : 'clients', (cause, body) => {
      if (cause === undefined) this.decide(taken, body);
      else if (request.errored) this.tell(taken, { status: ABORTED });
      else this.fail(taken, cause);
    });
  }

  private decide(taken: Taken, body?: Buffer): void {
    const { route, asked, duties } = taken;
    let weight = 0;
    try {
      // Before the body is parsed, which is work too
      duties.admission.acquire();
      weight = 1;
      const parsed = body && parseJsonBody(body);
      const heavier = route.weigh ? route.weigh(parsed) : 1;
      if (heavier > 1) {
        duties.admission.release(weight);
        weight = 0;
        duties.admission.acquire(heavier);
        weight = heavier;
      }
      asked.body = parsed;
      const answer = route.handler(asked);
      if (answer instanceof Promise) return this.sendLater(taken, answer, weight);
      this.send(taken, answer);
    } catch (cause) {
      this.fail(taken, cause);
    }
    duties.admission.release(weight);
  }

  private sendLater(taken: Taken, answer: Promise<DirectAnswer>, weight: number): void {
    const answered = answer
      .then((one) => this.send(taken, one))
      .catch((cause: unknown) => this.fail(taken, cause))
      .finally(() => taken.duties.admission.release(weight));
    inBackground('Answering a request', answered);
  }

  private fail(taken: Taken, cause: unknown): void {
    const { method = '', url = '' } = taken.request;
    this.send(taken, taken.duties.answerFailure(cause, { id: taken.id, method, url }));
  }

  private send(taken: Taken, answer: DirectAnswer): void {
    const { request, response, id } = taken;
    if (response.destroyed) return this.tell(taken, { ...answer, status: ABORTED });
    settleConnection(this.server, request, response);
    writeAnswer(response, id, answer);
    this.tell(taken, answer);
  }

  private tell({ request, route, id, began, duties, asked }: Taken, answer: DirectAnswer): void {
    const { status = 200, verdict, keyId, code: error } = answer;
    const seconds = (performance.now() - began) / 1_000;
    const method = request.method ?? '';
    const principal = asked.caller;
    duties.tell({ raw: request, id, method, route: route.path, status, seconds, principal, verdict, keyId, error });
  }
}
