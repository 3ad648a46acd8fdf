import { foldedPath } from './folded-path.js';
import { percentDecoded } from './percent-encoding.js';

interface Route {
  pattern: string;
  segments: string[];
  /** How far the pattern is from a path, segment by segment: `0` a word, `1` a parameter, `2` whatever there is. */
  rank: string;
  methods: string[];
}

/**
 * Knows, for every registered route, which methods it takes: what a 405 has to say (RFC 9110, 15.5.6). Of the patterns
 * that fit a path, in whatever case, the most literal one counts, whatever the method: `/apiKeys/list` is no
 * `/apiKeys/:id`.
 */
export class AllowedMethods {
  private readonly routes: Route[] = [];
  /** How many segments the longest pattern has. */
  private longest = 0;

  /** @param pattern as Fastify has it: `/api/apiKeys/:id`, perhaps with a `*` at its end */
  add(pattern: string, methods: string | readonly string[]): void {
    const segments = segmentsOf(pattern);
    this.longest = Math.max(this.longest, segments.length);
    this.routes.push({ pattern, segments, rank: segments.map(rankOf).join(''), methods: [methods].flat() });
  }

  /** @returns the methods that the path takes, in alphabetical order; none if there is no such route */
  of(path: string): string[] {
    return [...new Set(this.routesOf(path).flatMap(({ methods }) => methods))].toSorted();
  }

  /** Whether a path that was routed by a pattern, for want of the method, belongs to a more literal one. */
  belongsElsewhere(path: string, pattern: string): boolean {
    return !this.routesOf(path).some((route) => route.pattern === pattern);
  }

  private routesOf(path: string): Route[] {
    // Of a path that is longer than any pattern, no more is looked at: whoever asks need not be known
    const looked = segmentsOf(path).slice(0, this.longest + 1);
    const segments = looked.map((segment) => percentDecoded(segment).toLowerCase());
    const fitting = this.routes.filter((route) => matches(route.segments, segments));
    const [rank] = fitting.map((route) => route.rank).toSorted();
    return fitting.filter((route) => route.rank === rank);
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
