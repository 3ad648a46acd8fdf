import type { FastifyInstance, FastifyRequest } from 'fastify';
import { traitsOf } from '../route-config.js';
import { notJson } from './body-headers.js';
import { parseJsonBody } from './json-body.js';
import type { RequestBodies } from './request-bodies.js';

/** Makes Fastify receive bodies as buffers, which are parsed once the sender is authenticated. */
export function addBodyParsers(fastify: FastifyInstance, bodies: RequestBodies): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', ({ raw, routeOptions, context }, _payload, done) => {
    const { isForServices, ignoresBody } = traitsOf(routeOptions.config);
    if (ignoresBody) return done(null, undefined);
    bodies.receive(raw, isForServices ? 'services' : 'clients', (cause, body) => {
      context.bodyBytes = body?.length ?? 0;
      done((cause ?? null) as Error | null, body);
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

/** Parses the body of a service, which its headers have authenticated. @throws ApiError; see `parseJsonBody()` */
export function parseServiceBody(request: FastifyRequest): void {
  const { isForServices } = traitsOf(request.routeOptions.config);
  if (isForServices && Buffer.isBuffer(request.body)) request.body = parseJsonBody(request.body);
}
