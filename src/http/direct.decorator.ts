import type { IncomingMessage } from 'node:http';
import type { INestApplication, Type } from '@nestjs/common';
import type { FastifyRequest, RouteOptions } from 'fastify';
import type { DirectLane } from './fast-path.js';
import type { ErrorCode } from './errors/error-codes.js';
import { JSON_TYPE } from './response-headers.js';
import { addRouteConfig } from './route-config.js';

/** What a direct handler is given. */
export interface DirectRequest {
  raw: IncomingMessage;
  /** Parsed; `undefined` where there is none. */
  body: object | undefined;
  /**
   * Who asks, as `Principal.reference` and `ServiceTokens` name them: by the route's `identify`, or set by the handler as
   * soon as it knows. It is logged, also where the request is refused.
   */
  caller: string | undefined;
}

/** What a direct handler answers: JSON that is text already, or headers alone. */
export interface DirectAnswer {
  body?: string;
  /** 200 unless it says otherwise. */
  status?: number;
  headers?: Record<string, string>;
  /** For the log: what was decided. */
  verdict?: string | undefined;
  /** And of which key, where that is not the caller. */
  keyId?: string | undefined;
  /** Of a failure, its code. */
  code?: ErrorCode;
}

export type DirectHandler = (request: DirectRequest) => DirectAnswer | Promise<DirectAnswer>;

/** Tells from the headers who asks, before any of the body is read. @throws ApiError for whoever may not */
export type Identify = (request: IncomingMessage) => string;

export interface DirectOptions {
  /**
   * The name of the controller's method that tells from the headers who asks: a route that takes a body has one, so that
   * nobody's body is read who would be refused anyway.
   */
  identify?: string;
  /** For how many requests one counts where load is shed, by its body; each for one without it. */
  weigh?: (body: unknown) => number;
  /** Whether the route takes every method, and decides by the headers alone: a body is passed over. */
  headersOnly?: boolean;
}

interface DirectRoute {
  controller: Type<object>;
  name: string;
  options: DirectOptions;
}

/**
 * Marks a handler that is called with the bare request, because the pipeline would cost more than the work
 * (`direct-lane.ts`). Neither guards nor pipes stand before it: it does itself what they would have done.
 * What it throws is answered as everywhere.
 */
export function Direct(options: DirectOptions = {}): MethodDecorator {
  return (prototype, name, descriptor) => {
    const direct = { controller: prototype.constructor, name, options } as DirectRoute;
    addRouteConfig({ direct })(prototype, name, descriptor);
  };
}

/** Whether a route's callers are known, by the time that its body is read, to be services of the platform. */
export function knowsItsCallers(config: object): boolean {
  return (config as { direct?: DirectRoute }).direct?.options.identify !== undefined;
}

/** What is known of a request that took the ordinary way to a direct handler, for the log. */
type AnsweredDirectly = FastifyRequest &
  Partial<Pick<DirectRequest, 'caller'>> &
  Pick<DirectAnswer, 'verdict' | 'keyId'>;

/** Puts a marked handler into the direct lane, and in the place of the pipeline that Nest registers for its route. */
export function connectDirectly(app: INestApplication, lane: DirectLane, route: RouteOptions): void {
  const { direct } = (route.config ?? {}) as { direct?: DirectRoute };
  if (!direct) return;
  const controller = app.get(direct.controller, { strict: false });
  const { identify: identifyName, weigh, headersOnly } = direct.options;
  const handler = methodOf(controller, direct.name) as DirectHandler;
  const identify = identifyName === undefined ? undefined : (methodOf(controller, identifyName) as Identify);
  for (const method of [route.method].flat()) lane.add(method, route.url, { handler, identify, weigh, headersOnly });
  if (identify) {
    route.preParsing = async (request: AnsweredDirectly) => {
      request.caller = identify(request.raw);
    };
  }
  route.handler = async (request: AnsweredDirectly, reply) => {
    const { raw, body, caller } = request;
    const asked: DirectRequest = { raw, body: body as object | undefined, caller };
    try {
      const { body: text, status = 200, headers = {}, verdict, keyId } = await handler(asked);
      Object.assign(request, { verdict, keyId });
      if (text !== undefined) reply.type(JSON_TYPE);
      return reply.status(status).headers(headers).send(text);
    } finally {
      request.caller = asked.caller;
    }
  };
}

function methodOf(controller: object, name: string): unknown {
  return (controller as Record<string, DirectHandler | Identify>)[name]?.bind(controller);
}
