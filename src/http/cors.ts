import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { foldedPath } from './folded-path.js';
import { percentDecoded } from './percent-encoding.js';
import { traitsOf } from './route-config.js';

/** What scripts may send, beside what every script may (Fetch, 2.2.2). */
const REQUEST_HEADERS = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'X-Request-Id',
  'pinning_api_key',
  'pinning_secret_key',
  'pinning-api-key',
  'pinning-secret-key',
  'traceparent',
  'tracestate',
].join(', ');

/** What they may read, beside what every script may. */
const EXPOSED_HEADERS = [
  'Allow',
  'ETag',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'WWW-Authenticate',
  'X-Request-Id',
].join(', ');

/** Fixed, so that a method that a path does not take is answered 405, which a script can read. */
const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';

/** As long as most browsers remember a preflight at all; in seconds. */
const MAX_AGE = '7200';

/**
 * Lets the scripts of some origins call (Fetch, 3.3): all routes for clients, and nothing that services or gateways ask.
 * No credentials that browsers send by themselves are of use here, so `Access-Control-Allow-Credentials` is not sent.
 *
 * Not `@fastify/cors`: it takes OPTIONS of every path for a route of its own, in place of what a 404 and a 405 say.
 */
export class Cors {
  private readonly origins: ReadonlySet<string>;
  /** In lower case: the paths of services and gateways, and the beginnings of those below which all is theirs. */
  private readonly closedPaths = new Set<string>();
  private readonly closedPrefixes = new Set<string>();

  /** @param origins as browsers send them */
  constructor(origins: readonly string[]) {
    this.origins = new Set(origins);
  }

  /** Learns of a route. */
  add({ url, config = {} }: RouteOptions): void {
    if (!traitsOf(config).isPlatformOnly) return;
    const path = foldedPath(url);
    if (path.endsWith('/*')) this.closedPrefixes.add(path.slice(0, -1));
    else this.closedPaths.add(path);
  }

  /** Gives an answer what a browser needs to hand it to the script, whatever it will be. */
  open(request: FastifyRequest, reply: FastifyReply): void {
    if (this.origins.size === 0 || !this.isForClients(request)) return;
    // Whoever keeps the answer must not give it to another origin
    reply.header('Vary', 'Origin');
    const { origin } = request.headers;
    if (origin === undefined || !this.origins.has(origin)) return;
    reply.headers({ 'Access-Control-Allow-Origin': origin, 'Access-Control-Expose-Headers': EXPOSED_HEADERS });
  }

  /**
   * Answers a preflight from one of the origins, for which nobody needs credentials, since browsers send none.
   *
   * @returns whether it was one
   */
  answerPreflight({ method, headers }: FastifyRequest, reply: FastifyReply): boolean {
    if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return false;
    // Of another origin, or none, it is a request as any other
    if (!reply.hasHeader('Access-Control-Allow-Origin')) return false;
    reply.removeHeader('Access-Control-Expose-Headers');
    const allowed = { 'Access-Control-Allow-Methods': METHODS, 'Access-Control-Allow-Headers': REQUEST_HEADERS };
    reply
      .status(204)
      .headers({ ...allowed, 'Access-Control-Max-Age': MAX_AGE, Vary: VARY_OF_PREFLIGHTS })
      .send();
    return true;
  }

  private isForClients({ url, routeOptions }: FastifyRequest): boolean {
    // As the router reads it: a preflight has no route that would tell
    const path = foldedPath(percentDecoded(url.split('?', 1)[0] ?? ''));
    if (!path.startsWith('/api/') || traitsOf(routeOptions.config).isPlatformOnly || this.closedPaths.has(path))
      return false;
    return ![...this.closedPrefixes].some((prefix) => path.startsWith(prefix));
  }
}

const VARY_OF_PREFLIGHTS = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers';
