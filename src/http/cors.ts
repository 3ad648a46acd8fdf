import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import { foldedPath } from './folded-path.js';
import { percentDecoded } from './percent-encoding.js';
import { traitsOf } from './route-config.js';

/** What scripts may send besides the safelisted headers (Fetch, 2.2.2). */
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

/** What scripts may read besides the safelisted headers. */
const EXPOSED_HEADERS = [
  'Allow',
  'ETag',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'WWW-Authenticate',
  'X-Request-Id',
].join(', ');

/** The same for every path, so that a method that a path does not allow gets a 405, which the script can read. */
const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';

/** The most that browsers honour. */
const MAX_AGE_SECONDS = '7200';

/**
 * Lets scripts of the configured origins call the routes for clients (Fetch, 3.3), but not those for services and
 * gateways. The service uses no credentials that browsers send by themselves, so it does not send
 * `Access-Control-Allow-Credentials`.
 *
 * Not `@fastify/cors`, which registers OPTIONS for every path: unknown paths and methods would not get their 404 and 405.
 */
export class Cors {
  private readonly origins: ReadonlySet<string>;
  /** Paths, and prefixes of paths, that only services and gateways may call; in lower case. */
  private readonly platformPaths = new Set<string>();
  private readonly platformPrefixes = new Set<string>();

  /** @param origins as browsers send them */
  constructor(origins: readonly string[]) {
    this.origins = new Set(origins);
  }

  /** Takes note of a route that browsers may not call. */
  register({ url, config = {} }: RouteOptions): void {
    if (!traitsOf(config).isPlatformOnly) return;
    const path = foldedPath(url);
    if (path.endsWith('/*')) this.platformPrefixes.add(path.slice(0, -1));
    else this.platformPaths.add(path);
  }

  /** Sets the headers that let a browser pass the response to the script, even if it is an error. */
  setHeaders(request: FastifyRequest, reply: FastifyReply): void {
    if (this.origins.size === 0 || !this.isForClients(request)) return;
    // A cache must not serve the response to another origin
    reply.header('Vary', 'Origin');
    const { origin } = request.headers;
    if (origin === undefined || !this.origins.has(origin)) return;
    reply.headers({ 'Access-Control-Allow-Origin': origin, 'Access-Control-Expose-Headers': EXPOSED_HEADERS });
  }

  /**
   * Answers a preflight from one of the origins. It needs no credentials: browsers send none with it.
   *
   * @returns whether the request was one
   */
  answerPreflight({ method, headers }: FastifyRequest, reply: FastifyReply): boolean {
    if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return false;
    // From any other origin, or from none, it is an ordinary request
    if (!reply.hasHeader('Access-Control-Allow-Origin')) return false;
    reply.removeHeader('Access-Control-Expose-Headers');
    const allowed = { 'Access-Control-Allow-Methods': METHODS, 'Access-Control-Allow-Headers': REQUEST_HEADERS };
    reply
      .status(204)
      .headers({ ...allowed, 'Access-Control-Max-Age': MAX_AGE_SECONDS, Vary: PREFLIGHT_VARY })
      .send();
    return true;
  }

  private isForClients({ url, routeOptions }: FastifyRequest): boolean {
    // Decoded like the router does: a preflight has no route whose traits could be read
    const path = foldedPath(percentDecoded(url.split('?', 1)[0] ?? ''));
    if (!path.startsWith('/api/') || traitsOf(routeOptions.config).isPlatformOnly || this.platformPaths.has(path))
      return false;
    return ![...this.platformPrefixes].some((prefix) => path.startsWith(prefix));
  }
}

const PREFLIGHT_VARY = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers';
