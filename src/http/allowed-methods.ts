import { foldedPath } from './folded-path.js';
import { percentDecoded } from './percent-encoding.js';

interface Route {
  pattern: string;
  segments: string[];
  /** One digit per segment, the most literal first: `0` a word, `1` a parameter, `2` a wildcard. */
  rank: string;
  methods: string[];
}

/**
 * The methods of every registered route, which a 405 has to list (RFC 9110, 15.5.6). Of the patterns that match a path,
 * in any case, only the most literal counts, whatever the method: `/apiKeys/list` is not an `/apiKeys/:id`.
 */
export class AllowedMethods {
  private readonly routes: Route[] = [];
  /** The number of segments of the longest pattern. */
  private maxSegments = 0;

  /** @param pattern in Fastify's syntax: `/api/apiKeys/:id`, `/docs/*` */
  add(pattern: string, methods: string | readonly string[]): void {
    const segments = segmentsOf(pattern);
    this.maxSegments = Math.max(this.maxSegments, segments.length);
    this.routes.push({ pattern, segments, rank: segments.map(rankOf).join(''), methods: [methods].flat() });
  }

  /** @returns the methods of the path, in alphabetical order; empty if no route matches */
  of(path: string): string[] {
    return [...new Set(this.routesOf(path).flatMap(({ methods }) => methods))].toSorted();
  }

  /** Whether a path that was routed by this pattern belongs to a more literal one, which lacks the method. */
  belongsElsewhere(path: string, pattern: string): boolean {
    return !this.routesOf(path).some((route) => route.pattern === pattern);
  }

  private routesOf(path: string): Route[] {
    // A path may be long, and its sender unauthenticated: segments beyond the longest pattern are not looked at
    const relevant = segmentsOf(path).slice(0, this.maxSegments + 1);
    const segments = relevant.map((segment) => percentDecoded(segment).toLowerCase());
    const matching = this.routes.filter((route) => matches(route.segments, segments));
    const [rank] = matching.map((route) => route.rank).toSorted();
    return matching.filter((route) => route.rank === rank);
  }
}

function segmentsOf(path: string): string[] {
  return foldedPath(path).split('/');
}

function rankOf(segment: string): string {
  if (segment === '*') return '2';
  return segment.startsWith(':') ? '1' : '0';
}

function matches(pattern: string[], path: string[]): boolean {
  if (pattern.length !== path.length && pattern.at(-1) !== '*') return false;
  return pattern.every((segment, index) => rankOf(segment) !== '0' || segment === path[index]);
}
