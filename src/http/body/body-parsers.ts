import type { FastifyInstance, FastifyRequest } from 'fastify';
import { bodyBoundsOf, traitsOf } from '../route-config.js';
import { notJson } from './declared-body.js';
import type { BodyCallback } from './body-receiver.js';
import { parseJsonBody } from './json-body.js';
import type { RequestBodies } from './request-bodies.js';

/** Makes Fastify receive bodies as buffers, which are parsed once the sender is authenticated. */
export function addBodyParsers(fastify: FastifyInstance, bodies: RequestBodies): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser('application/json', ({ raw, routeOptions, context }, _payload, done) => {
    const { isForServices, ignoresBody } = traitsOf(routeOptions.config);
    if (ignoresBody) return done(null, undefined);
    const receive: BodyCallback = (cause, body) => {
      context.bodyBytes = body?.length ?? 0;
      done((cause ?? null) as Error | null, body);
    };
    bodies.receive(raw, isForServices ? 'services' : 'clients', receive, bodyBoundsOf(routeOptions.config));
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
  const { config } = request.routeOptions;
  if (traitsOf(config).isForServices && Buffer.isBuffer(request.body))
    request.body = parseJsonBody(request.body, bodyBoundsOf(config));
}
