import type { FastifyInstance } from 'fastify';
import { traitsOf } from '../route-config.js';
import { notJson } from './body-headers.js';
import { parseJsonBody } from './json-body.js';
import type { RequestBodies } from './request-bodies.js';

/**
 * Has Fastify receive bodies as buffers, which are parsed once their sender is known to be allowed in. Those of services
 * are parsed at once: a service is identified before its body is received.
 */
export function addBodyParsers(fastify: FastifyInstance, bodies: RequestBodies): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', ({ raw, routeOptions }, _payload, done) => {
    const { isForServices = false, ignoresBody } = traitsOf(routeOptions.config);
    if (ignoresBody) return done(null, undefined);
    bodies.receive(raw, isForServices ? 'services' : 'clients', (cause, body) => {
      const parsed = isForServices && body ? parsedOrProblem(body) : { body };
      done((cause ?? parsed.problem ?? null) as Error | null, parsed.body);
    });
  });
  // A chunked body that is not declared as JSON: an empty one is accepted
  fastify.addContentTypeParser('*', ({ raw, routeOptions }, _payload, done) => {
    if (traitsOf(routeOptions.config).ignoresBody) return done(null, undefined);
    bodies.receive(raw, 'clients', (cause, body) => {
      done((cause ?? (body?.length === 0 ? null : notJson())) as Error | null, undefined);
    });
  });
}

function parsedOrProblem(body: Buffer): { body?: object | undefined; problem?: unknown } {
  try {
    return { body: parseJsonBody(body) };
  } catch (problem) {
    return { problem };
  }
}
