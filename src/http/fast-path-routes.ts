import type { IncomingMessage } from 'node:http';
import { headerProblem } from './header-problem.js';
import type { RequestContext } from './request-context.js';
import { isSimpleRequest } from './simple-request.js';
import type { FullResponse } from './write-response.js';

export interface FastPathRequest {
  raw: IncomingMessage;
  context: RequestContext;
  /** Parsed; `undefined` without a body. */
  body: object | undefined;
}

export interface FastPathRoute {
  /** Any method but HEAD if absent. */
  method?: string;
  /** As registered with Fastify; `/*` at the end matches every path below. */
  path: string;
  /** Identifies the caller by the headers, before the body is read. @throws ApiError */
  identify?: (request: IncomingMessage) => string;
  /** The number of requests that one counts as, by its body; 1 by default. */
  weigh?: (body: object | undefined) => number;
  /** Whether the headers alone decide: the route then accepts requests that are not simple, too, and skips their bodies. */
  ignoresBody?: boolean;
  respond(request: FastPathRequest): FullResponse | Promise<FullResponse>;
}

/** The routes of the fast path. Paths are matched in any case, with or without a trailing slash. */
export class FastPathRoutes {
  /** By method and path, in lower case. */
  private readonly exact = new Map<string, FastPathRoute>();
  /** For any method, by the start of the path, in lower case. */
  private readonly prefixes: [prefix: string, route: FastPathRoute][] = [];

  add(route: FastPathRoute): void {
    const path = route.path.toLowerCase();
    if (path.endsWith('/*')) this.prefixes.push([path.slice(0, -1), route]);
    else for (const spelling of [path, `${path}/`]) this.exact.set(`${route.method} ${spelling}`, route);
  }

  /** The route that can answer the request; `undefined` leaves it to Fastify. */
  match(request: IncomingMessage): FastPathRoute | undefined {
    const route = this.find(request);
    if (!route) return undefined;
    const isAccepted = route.ignoresBody
      ? !headerProblem(request, true) && request.method !== 'HEAD'
      : isSimpleRequest(request);
    return isAccepted ? route : undefined;
  }

  private find({ method = '', url = '' }: IncomingMessage): FastPathRoute | undefined {
    const queryAt = url.indexOf('?');
    const path = (queryAt < 0 ? url : url.slice(0, queryAt)).toLowerCase();
    return (
      this.exact.get(`${method} ${path}`) ??
      this.prefixes.find(([prefix]) => path.length > prefix.length && path.startsWith(prefix))?.[1]
    );
  }
}
