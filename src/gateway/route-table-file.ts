import { readFileSync } from 'node:fs';
import { METHODS as HTTP_METHODS } from 'node:http';
import { z } from 'zod';
import { SCOPES } from '../principals/scopes.js';
import { probablyMeant, unknownMember } from '../suggestions/suggestions.js';
import { BUILT_IN_ROUTES, type Route, routeKey, type RouteScope } from './route-table.js';

const MAX_ROUTES = 1_000;

/** The scopes that a route may name. */
const ROUTE_SCOPES: readonly RouteScope[] = [...SCOPES, 'any', 'public'];

/** No request has another method. */
const METHODS: ReadonlySet<string> = new Set(HTTP_METHODS);
const ONE_METHOD = 'must be one method in upper case, such as GET; for several methods, repeat the route';
/** Literal segments are plain, as in requests (`RouteTable`): `/api/users/:id`, `/api/public/*`. */
const PATH = /^\/$|^(?:\/(?::\w+|\.*[\w~-][\w.~-]*))*(?:\/\*)?$/;

const NO_PATH = 'must be a path such as /api/users/:id, or /api/public/* for all paths below';

const route = z.object(
  {
    method: z.string(ONE_METHOD).refine((method) => METHODS.has(method), ONE_METHOD),
    path: z.string(NO_PATH).min(1, NO_PATH).max(2_048, 'must not be longer than 2048 characters').regex(PATH, NO_PATH),
    scope: z.enum(ROUTE_SCOPES, {
      error: ({ input }) => `must be one of ${ROUTE_SCOPES.join(', ')}${probablyMeant(input, ROUTE_SCOPES)}`,
    }),
  },
  'must be an object with method, path and scope',
);
const MEMBERS = Object.keys(route.shape);

/** What is wrong in the file, and where: member names and indices. */
type Problems = { path: (string | number)[]; message: string }[];

/**
 * Reads the routes of a JSON file: a list, which takes precedence over the built-in table, or
 * `{"extends": null, "routes": [...]}`, which replaces it. Without a file, the built-in table. Adds every problem to the
 * context, by its path.
 */
export function readRouteTable(file: string | undefined, context: z.RefinementCtx): readonly Route[] {
  if (file === undefined) return BUILT_IN_ROUTES;
  const given = parseFile(file, context);
  if (given === undefined) return z.NEVER;
  const problems: Problems = [];
  const table = Array.isArray(given)
    ? [...readRoutes(given, [], problems), ...BUILT_IN_ROUTES]
    : readReplacement(given, problems);
  for (const problem of problems) context.addIssue({ code: 'custom', ...problem });
  return problems.length === 0 ? table : z.NEVER;
}

function readReplacement(given: unknown, problems: Problems): Route[] {
  if (typeof given !== 'object' || given === null) {
    problems.push({ path: [], message: 'must be a list of routes, or an object with extends and routes' });
    return [];
  }
  reportUnknown(given, ['extends', 'routes'], [], problems);
  const { extends: base, routes } = given as Record<string, unknown>;
  if (base !== null) {
    const message = 'must be null, which replaces the built-in table; to add to it, give a list alone';
    problems.push({ path: ['extends'], message });
  }
  if (Array.isArray(routes)) return readRoutes(routes, ['routes'], problems);
  problems.push({ path: ['routes'], message: 'must be a list of routes' });
  return [];
}

function readRoutes(list: unknown[], at: string[], problems: Problems): Route[] {
  if (list.length > MAX_ROUTES) problems.push({ path: at, message: `must not have more than ${MAX_ROUTES} routes` });
  const seen = new Map<string, number>();
  return list.slice(0, MAX_ROUTES).flatMap((entry, index) => {
    const parsed = route.safeParse(entry);
    for (const { path, message } of parsed.error?.issues ?? [])
      problems.push({ path: [...at, index, ...(path as string[])], message });
    reportUnknown(entry, MEMBERS, [...at, index], problems);
    if (!parsed.success) return [];
    const first = seen.get(routeKey(parsed.data));
    if (first === undefined) seen.set(routeKey(parsed.data), index);
    else problems.push({ path: [...at, index], message: `repeats the route of [${first}]` });
    return [parsed.data];
  });
}

/** Adds a problem for each unknown member of an object. */
function reportUnknown(
  given: unknown,
  known: readonly string[],
  at: Problems[number]['path'],
  problems: Problems,
): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return;
  for (const name of Object.keys(given).filter((one) => !known.includes(one))) {
    const { message } = unknownMember(name, known);
    problems.push({ path: [...at, name], message });
  }
}

function parseFile(file: string, context: z.RefinementCtx): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    context.addIssue(
      code === undefined
        ? 'must be the path of a JSON file; its content is not JSON'
        : `must be the path of a readable JSON file (${code})`,
    );
    return undefined;
  }
}
