import type { IncomingMessage } from 'node:http';
import type { INestApplication, Type } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { RouteOptions } from 'fastify';
import type { DirectLane } from './direct-lane.js';
import type { ErrorCode } from './error-codes.js';
import { parseJsonBody } from './json-body.js';
import { JSON_TYPE } from './response-headers.js';

/** What a direct handler is given. */
export interface DirectRequest {
  raw: IncomingMessage;
  /** Parsed; `undefined` where there is none. */
  body: object | undefined;
  /** Who asks, as the route's `identify` has it. */
  caller: string | undefined;
}

/** What a direct handler answers: JSON that is text already, or headers alone. */
export interface DirectAnswer {
  body?: string;
  /** 200 unless it says otherwise. */
  status?: number;
  headers?: Record<string, string>;
  /** For the log: who asked, as `Principal.reference` and `ServiceTokens` name them. */
  principal?: string | undefined;
  /** For the log: what was decided. */
  verdict?: string | undefined;
  /** Of a failure, its code. */
  code?: ErrorCode;
}

export type DirectHandler = (request: DirectRequest) => DirectAnswer | Promise<DirectAnswer>;

/** Tells from the headers who asks, before any of the body is read. @throws ApiError for whoever may not */
export type Identify = (request: IncomingMessage) => string;

interface DirectRoute {
  controller: Type<object>;
  /** Of the handler's method, and of the one that identifies. */
  name: string;
  identify: string | undefined;
}

/**
 * Marks a handler that is called with the bare request, because the pipeline would cost more than the work
 * (`direct-lane.ts`). Neither guards nor pipes stand before it: it does itself what they would have done.
 * What it throws is answered as everywhere.
 *
 * @param identify the name of the controller's method that tells from the headers who asks: a route that takes a body
 * has one, so that nobody's body is read who would be refused anyway
 */
export function Direct(identify?: string): MethodDecorator {
  return (prototype, name, descriptor) => {
    const direct = { controller: prototype.constructor, name, identify } as DirectRoute;
    RouteConfig({ direct })(prototype, name, descriptor);
  };
}

/** Whether a route's callers are known, by the time that its body is read, to be services of the platform. */
export function knowsItsCallers(config: object): boolean {
  return (config as { direct?: DirectRoute }).direct?.identify !== undefined;
}

/** Puts a marked handler into the direct lane, and in the place of the pipeline that Nest registers for its route. */
export function connectDirectly(app: INestApplication, lane: DirectLane, route: RouteOptions): void {
  const { direct } = (route.config ?? {}) as { direct?: DirectRoute };
  if (!direct) return;
  const controller = app.get(direct.controller, { strict: false });
  const handler = methodOf(controller, direct.name) as DirectHandler;
  const identify = direct.identify === undefined ? undefined : (methodOf(controller, direct.identify) as Identify);
  for (const method of [route.method].flat()) lane.add(method, route.url, handler, identify);
  if (identify) route.preParsing = async ({ raw }) => void identify(raw);
  route.handler = async ({ raw, body }, reply) => {
    const caller = identify?.(raw);
    const request = { raw, body: Buffer.isBuffer(body) ? parseJsonBody(body) : undefined, caller };
    const { body: text, status = 200, headers = {} } = await handler(request);
    if (text !== undefined) reply.type(JSON_TYPE);
    return reply.status(status).headers(headers).send(text);
  };
}

function methodOf(controller: object, name: string): unknown {
  return (controller as Record<string, DirectHandler | Identify>)[name]?.bind(controller);
}
