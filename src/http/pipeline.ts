import { NotFoundException } from '@nestjs/common';
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import type { AllowedMethods } from './allowed-methods.js';
import { bodyProblem, dropTypeOfEmptyBody } from './body/body-headers.js';
import { addBodyParsers, parseServiceBody } from './body/body-parsers.js';
import type { RequestBodies } from './body/request-bodies.js';
import { settleConnection } from './body/unread-body.js';
import { ABORTED, NO_ROUTE } from './completed-request.js';
import type { Cors } from './cors.js';
import { headerProblem } from './header-problem.js';
import type { LoadShedding } from './load/load-shedding.js';
import { RequestContext } from './request-context.js';
import type { RequestEvents } from './request-events.js';
import { COMMON_HEADERS } from './response-headers.js';
import { withCanonicalIds } from './validation/canonical-id.js';

export interface PipelineParts {
  allowedMethods: AllowedMethods;
  bodies: RequestBodies;
  cors: Cors;
  events: RequestEvents;
  loadShedding: LoadShedding;
  /** Refuses a caller that its headers rule out. @throws ApiError */
  checkCredentials: (request: FastifyRequest) => Promise<void>;
}

/**
 * A request's way through Fastify, hook by hook, in the order in which they run. Between `preValidation` and `onSend` come
 * Nest's guards (`authentication.module.ts`), interceptors and pipes (`http.module.ts`), and the route's controller.
 */
export function registerPipeline(fastify: FastifyInstance, parts: PipelineParts): void {
  const { allowedMethods, bodies, cors, events, loadShedding, checkCredentials } = parts;

  fastify.addHook('onRoute', (route: RouteOptions) => allowedMethods.add(route.url, route.method));
  fastify.addHook('onRoute', (route: RouteOptions) => cors.add(route));

  fastify.addHook(
    'onRequest',
    step((request, reply) => start(events, request, reply)),
  );
  fastify.addHook('onRequest', step(setCommonHeaders));
  fastify.addHook(
    'onRequest',
    step((request, reply) => cors.open(request, reply)),
  );
  fastify.addHook('onRequest', step(canonicalizeIds));
  fastify.addHook('onRequest', step(refuseBadHeaders));
  fastify.addHook(
    'onRequest',
    step((request) => refuseMisrouted(allowedMethods, request)),
  );
  fastify.addHook('onRequest', (request) => loadShedding.waitForTurn(request));

  fastify.addHook('preParsing', (request, reply, _payload, done) => {
    if (!cors.answerPreflight(request, reply)) done();
  });
  fastify.addHook('preParsing', (request, _reply, _payload, done) => {
    dropTypeOfEmptyBody(request);
    done(bodyProblem(request));
  });
  fastify.addHook('preParsing', (request) => checkCredentials(request));

  addBodyParsers(fastify, bodies);

  fastify.addHook('preValidation', step(parseServiceBody));
  // Once the body has arrived: a slow sender must not keep others out
  fastify.addHook('preValidation', (request) => loadShedding.enter(request));

  fastify.addHook('onSend', (request, reply, payload, done) => {
    settleConnection(fastify.server, request.raw, reply.raw);
    done(null, payload);
  });
  fastify.addHook('onSend', (request, reply, payload, done) => {
    loadShedding.leave(request, reply.statusCode, () => done(null, payload));
  });
  fastify.addHook(
    'onResponse',
    step((request, reply) => complete(events, request, reply.statusCode)),
  );
}

type Step = (request: FastifyRequest, reply: FastifyReply) => void;

/** A synchronous hook. */
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

function start(events: RequestEvents, request: FastifyRequest, reply: FastifyReply): void {
  request.context = new RequestContext(request.id);
  events.started();
  // `onRequestAbort` is not emitted once the body has arrived
  reply.raw.once('close', () => complete(events, request, ABORTED));
}

/** Once for each request: when it is answered, or when its connection closes before. */
function complete(events: RequestEvents, request: FastifyRequest, status: number): void {
  const { raw, routeOptions, context } = request;
  if (context.isCompleted) return;
  context.isCompleted = true;
  events.completed(context, { raw, route: routeOptions.url ?? NO_ROUTE, status, request });
}

function setCommonHeaders({ id }: FastifyRequest, reply: FastifyReply): void {
  reply.headers({ ...COMMON_HEADERS, 'X-Request-Id': id });
}

/** For readers of the path's parameters that use no DTO. */
function canonicalizeIds({ params }: FastifyRequest): void {
  const parameters = params as Record<string, string>;
  for (const name in parameters) parameters[name] = withCanonicalIds(parameters[name] as string);
}

function refuseBadHeaders({ raw }: FastifyRequest): void {
  const problem = headerProblem(raw);
  if (problem) throw problem;
}

/** A path that matched a pattern only because the more literal route lacks the method. */
function refuseMisrouted(allowedMethods: AllowedMethods, { url, routeOptions }: FastifyRequest): void {
  const { url: pattern = '' } = routeOptions;
  const [path = ''] = url.split('?', 1);
  if (pattern.includes(':') && allowedMethods.belongsElsewhere(path, pattern)) throw new NotFoundException();
}
