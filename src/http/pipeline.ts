import { NotFoundException } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { AllowedMethods } from './allowed-methods.js';
import { bodyProblem, dropEmptyBodyType } from './body/body-headers.js';
import { addBodyParsers, parseServiceBody } from './body/body-parsers.js';
import type { RequestBodies } from './body/request-bodies.js';
import { setKeepAlive } from './body/unread-body.js';
import { ABORTED, NO_ROUTE } from './completed-request.js';
import type { Cors } from './cors.js';
import { headerProblem } from './header-problem.js';
import type { LoadShedding } from './load/load-shedding.js';
import { RequestContext } from './request-context.js';
import type { RequestEvents } from './request-events.js';
import { traitsOf } from './route-config.js';
import { COMMON_HEADERS } from '@w3ipfs/api-keys-guard/http';
import { withCanonicalIds } from './validation/canonical-id.js';

export interface PipelineParts {
  allowedMethods: AllowedMethods;
  bodies: RequestBodies;
  cors: Cors;
  events: RequestEvents;
  loadShedding: LoadShedding;
  /** Rejects a caller that its headers rule out. @throws ApiError */
  checkCredentials: (request: FastifyRequest) => Promise<void>;
}

/**
 * The way of a request through Fastify: every hook, in the order in which they run. Nest's guards
 * (`authentication.module.ts`), interceptors and pipes (`http.module.ts`) and the route's controller run after the last
 * `preValidation` hook and before the first `onSend` hook.
 */
export function registerPipeline(fastify: FastifyInstance, parts: PipelineParts): void {
  registerRoutes(fastify, parts);
  checkHead(fastify, parts);
  checkBodyHeaders(fastify, parts);
  receiveBody(fastify, parts);
  finishResponse(fastify, parts);
}

/** At start, for each route. */
function registerRoutes(fastify: FastifyInstance, { allowedMethods, cors }: PipelineParts): void {
  fastify.addHook('onRoute', (route: RouteOptions) => allowedMethods.add(route.url, route.method));
  fastify.addHook('onRoute', (route: RouteOptions) => cors.register(route));
}

/** Once the head of a request has been read and routed, even if no route matches. */
function checkHead(fastify: FastifyInstance, { events, cors, allowedMethods, loadShedding }: PipelineParts): void {
  const onRequest = (run: Step) => fastify.addHook('onRequest', step(run));
  onRequest((request, reply) => startRequest(events, request, reply));
  onRequest(setCommonHeaders);
  onRequest((request, reply) => cors.setHeaders(request, reply));
  onRequest(canonicalizeIds);
  onRequest(rejectInvalidHeaders);
  onRequest((request) => rejectMisrouted(allowedMethods, request));
  fastify.addHook('onRequest', (request) => loadShedding.waitForTurn(request));
}

/** Before any of the body is read. */
function checkBodyHeaders(fastify: FastifyInstance, { cors, checkCredentials }: PipelineParts): void {
  fastify.addHook('preParsing', (request, reply, _payload, done) => {
    if (!cors.answerPreflight(request, reply)) done();
  });
  fastify.addHook('preParsing', (request, _reply, _payload, done) => {
    dropEmptyBodyType(request);
    done(bodyProblem(request));
  });
  fastify.addHook('preParsing', (request) => checkCredentials(request));
}

/** Clients' bodies are parsed after the guards, by `JsonBodyInterceptor`. */
function receiveBody(fastify: FastifyInstance, { bodies, loadShedding }: PipelineParts): void {
  addBodyParsers(fastify, bodies);
  fastify.addHook('preValidation', step(parseServiceBody));
  // Only now that the body has arrived: slow senders must not occupy slots
  fastify.addHook('preValidation', (request) => loadShedding.accept(request));
}

function finishResponse(fastify: FastifyInstance, { events, loadShedding }: PipelineParts): void {
  fastify.addHook('onSend', (request, reply, payload, done) => {
    setKeepAlive(fastify.server, request.raw, reply.raw);
    done(null, payload);
  });
  fastify.addHook('onSend', (request, reply, payload, done) => {
    loadShedding.finish(request, reply.statusCode, () => done(null, payload));
  });
  fastify.addHook(
    'onResponse',
    step((request, reply) => completeRequest(events, request, reply.statusCode)),
  );
}

type Step = (request: FastifyRequest, reply: FastifyReply) => void;

/** Makes a hook of a synchronous step; an error that it throws is the response. */
function step(run: Step) {
  return (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
    try {
      run(request, reply);
    } catch (error) {
      return done(error as Error);
    }
    done();
  };
}

function startRequest(events: RequestEvents, request: FastifyRequest, reply: FastifyReply): void {
  request.context = new RequestContext(request.id);
  events.started();
  // `onRequestAbort` is not emitted once the body has arrived
  reply.raw.once('close', () => completeRequest(events, request, ABORTED));
}

/** Reports a request once: when it is answered, or when its connection closes before. */
function completeRequest(events: RequestEvents, request: FastifyRequest, status: number): void {
  const { raw, routeOptions, context } = request;
  if (context.isCompleted) return;
  context.isCompleted = true;
  events.completed(context, { raw, route: routeOptions.url ?? NO_ROUTE, status, request });
}

function setCommonHeaders({ id }: FastifyRequest, reply: FastifyReply): void {
  reply.headers({ ...COMMON_HEADERS, 'X-Request-Id': id });
}

/** For handlers that read parameters of the path without a DTO. */
function canonicalizeIds({ params }: FastifyRequest): void {
  const parameters = params as Record<string, string>;
  for (const name in parameters) parameters[name] = withCanonicalIds(parameters[name] as string);
}

function rejectInvalidHeaders({ raw, routeOptions }: FastifyRequest): void {
  const problem = headerProblem(raw, traitsOf(routeOptions.config).ignoresBody);
  if (problem) throw problem;
}

/** Rejects a path that matched a pattern only because the more literal route lacks the method. */
function rejectMisrouted(allowedMethods: AllowedMethods, { url, routeOptions }: FastifyRequest): void {
  const { url: pattern = '' } = routeOptions;
  const [path = ''] = url.split('?', 1);
  if (pattern.includes(':') && allowedMethods.belongsElsewhere(path, pattern)) throw new NotFoundException();
}
