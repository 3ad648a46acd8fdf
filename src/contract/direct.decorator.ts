import type { INestApplication, Type } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown;

interface DirectRoute {
  controller: Type<Record<string, Handler>>;
  method: string;
}

/**
 * Marks a handler that Fastify calls directly with its request, because Nest's pipeline would cost more
 * than the work. Neither guards nor pipes stand before it: it does itself what they would have done.
 * What it throws is answered by the error filter all the same.
 */
export function Direct(): MethodDecorator {
  return (prototype, method, descriptor) => {
    const direct = { controller: prototype.constructor, method } as DirectRoute;
    RouteConfig({ direct })(prototype, method, descriptor);
  };
}

/** Puts a marked handler in the place of the pipeline that Nest registers for its route. */
export function connectDirectly(app: INestApplication, route: RouteOptions): void {
  const { direct } = (route.config ?? {}) as { direct?: DirectRoute };
  if (!direct) return;
  const controller = app.get(direct.controller, { strict: false });
  route.handler = (request, reply) => {
    const result = controller[direct.method]?.(request, reply);
    return result instanceof Promise ? result : reply.send(result);
  };
}
