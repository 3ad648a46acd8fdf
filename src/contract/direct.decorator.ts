import type { INestApplication, Type } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyRequest, RouteOptions } from 'fastify';
import type { DirectLane } from './direct-lane.js';
import type { ErrorCode } from './error-codes.js';
import { JSON_TYPE } from './response-headers.js';

/** What a direct handler is given: Node's request, and its body parsed, or `undefined` where there is none. */
export interface DirectRequest extends Pick<FastifyRequest, 'raw' | 'body'> {
  /**
   * Set by the handler as soon as it knows who asks, as `Principal.reference` and `ServiceTokens` name them: for the
   * log, also where the request is refused.
   */
  principal?: string | undefined;
}

/** What a direct handler answers: JSON that is text already, or headers alone. */
export interface DirectAnswer {
  body?: string;
  /** 200 unless it says otherwise. */
  status?: number;
  headers?: Record<string, string>;
  /** For the log: what was decided. */
  verdict?: string | undefined;
  /** Of a failure, its code. */
  code?: ErrorCode;
}

export type DirectHandler = (request: DirectRequest) => DirectAnswer | Promise<DirectAnswer>;

/** For how many requests one counts, by its body. */
export type Weigh = (body: unknown) => number;

interface DirectRoute {
  controller: Type<Record<string, DirectHandler>>;
  name: string;
  weigh?: Weigh | undefined;
}

/**
 * Marks a handler that is called with the bare request, because the pipeline would cost more than the work
 * (`direct-lane.ts`). Neither guards nor pipes stand before it: it does itself what they would have done.
 * What it throws is answered as everywhere.
 *
 * @param weigh for how many requests one counts where load is shed; each for one without it
 */
export function Direct({ weigh }: { weigh?: Weigh } = {}): MethodDecorator {
  return (prototype, name, descriptor) => {
    const direct = { controller: prototype.constructor, name, weigh } as DirectRoute;
    RouteConfig({ direct })(prototype, name, descriptor);
  };
}

/** Puts a marked handler into the direct lane, and in the place of the pipeline that Nest registers for its route. */
export function connectDirectly(app: INestApplication, lane: DirectLane, route: RouteOptions): void {
  const { direct } = (route.config ?? {}) as { direct?: DirectRoute };
  if (!direct) return;
  const controller = app.get(direct.controller, { strict: false });
  const handler: DirectHandler = (request) => (controller[direct.name] as DirectHandler)(request);
  for (const method of [route.method].flat()) lane.add(method, route.url, { handler, weigh: direct.weigh });
  route.handler = async (request, reply) => {
    const { body, status = 200, headers = {}, verdict } = await handler(request);
    Object.assign(request, { verdict });
    if (body !== undefined) reply.type(JSON_TYPE);
    return reply.status(status).headers(headers).send(body);
  };
}
