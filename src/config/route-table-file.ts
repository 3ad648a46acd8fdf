import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { SCOPES } from '../api-keys/scopes.js';
import { BUILT_IN_ROUTES, type Route, routeKey, type RouteScope } from '../verification/route-table.js';

const MAX_ROUTES = 1_000;

/** The scopes that a route may name. */
const ROUTE_SCOPES: readonly RouteScope[] = [...SCOPES, 'any', 'public'];

/** RFC 9110, 9.1; the platform's methods are in capitals, as all that are registered. */
const METHOD = /^[A-Z][A-Z-]{0,31}$/;
/** Literal segments are plain, as requests have to be: `/api/users/:id`, `/api/public/*`. */
const PATH = /^\/$|^(?:\/(?::\w+|\.*[\w~-][\w.~-]*))*(?:\/\*)?$/;

const route = z.strictObject(
  {
    method: z.string().regex(METHOD, 'must be a method in capitals, such as GET'),
    path: z
      .string()
      .min(1, 'must be a path')
      .max(2_048, 'must not be longer than 2048 characters')
      .regex(PATH, 'must be a path such as /api/users/:id, or /api/public/* for all below'),
    scope: z.enum(ROUTE_SCOPES as [RouteScope, ...RouteScope[]], `must be one of ${ROUTE_SCOPES.join(', ')}`),
  },
  'must be an object with method, path and scope',
);

const routes = z
  .array(route)
  .max(MAX_ROUTES, `must not have more than ${MAX_ROUTES} routes`)
  .superRefine((list, context) => {
    const seen = new Map<string, number>();
    for (const [index, one] of list.entries()) {
      const first = seen.get(routeKey(one));
      if (first === undefined) seen.set(routeKey(one), index);
      else context.addIssue({ code: 'custom', path: [index], message: `is the route of ${first} again` });
    }
  });

const replacement = z.strictObject({
  extends: z.null('must be null, for a table in place of the built-in one; a list adds to it'),
  routes,
});

/**
 * The routes of a JSON file: a list, which comes before the built-in table, or `{"extends": null, "routes": [...]}` in
 * its place. What is wrong is added to the context, by its path.
 */
export function readRouteTable(file: string, context: z.RefinementCtx): readonly Route[] {
  const given = parseFile(file, context);
  if (given === undefined) return z.NEVER;
  const isList = Array.isArray(given);
  const parsed = (isList ? routes : replacement).safeParse(given);
  if (!parsed.success) {
    for (const { path, message } of parsed.error.issues)
      context.addIssue(path.length > 0 ? `${path.join('.')}: ${message}` : message);
    return z.NEVER;
  }
  return Array.isArray(parsed.data) ? [...parsed.data, ...BUILT_IN_ROUTES] : parsed.data.routes;
}

function parseFile(file: string, context: z.RefinementCtx): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    context.addIssue(
      code === undefined
        ? `must be the path of a JSON file; what it holds is not JSON`
        : `must be the path of a JSON file that can be read (${code})`,
    );
    return undefined;
  }
}
