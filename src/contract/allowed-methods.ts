/** Knows, for every registered route, whatever its case, which methods it takes: what a 405 has to say (RFC 9110, 15.5.6). */
export class AllowedMethods {
  private readonly routes: { segments: string[]; methods: string[] }[] = [];

  /** @param pattern as Fastify has it: `/api/apiKeys/:id`, perhaps with a `*` at its end */
  add(pattern: string, methods: string | readonly string[]): void {
    this.routes.push({ segments: segmentsOf(pattern), methods: [methods].flat() });
  }

  /** @returns the methods that the path takes, in alphabetical order; none if there is no such route */
  of(path: string): string[] {
    const segments = segmentsOf(path);
    const routes = this.routes.filter((route) => matches(route.segments, segments));
    return [...new Set(routes.flatMap(({ methods }) => methods))].toSorted();
  }
}

function segmentsOf(path: string): string[] {
  return path.toLowerCase().replace(/\/$/, '').split('/');
}

function matches(pattern: string[], path: string[]): boolean {
  if (pattern.length !== path.length && pattern.at(-1) !== '*') return false;
  return pattern.every((segment, index) => segment === '*' || segment.startsWith(':') || segment === path[index]);
}
