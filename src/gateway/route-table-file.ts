import { readFileSync } from 'node:fs';
import { METHODS as HTTP_METHODS } from 'node:http';
import { z } from 'zod';
import { SCOPES } from '../principals/scopes.js';
import { probablyMeant, unknownMember } from '../suggestions/suggestions.js';
import { BUILT_IN_ROUTES, type Route, routeKey, type RouteScope } from './route-table.js';

const MAX_ROUTES = 1_000;

/** The scopes that a route may name. */
const ROUTE_SCOPES: readonly RouteScope[] = [...SCOPES, 'any', 'public'];

/** A route with any other would be asked for by nobody. */
const METHODS: ReadonlySet<string> = new Set(HTTP_METHODS);
const ONE_METHOD = 'must be one method in capitals, such as GET; for several, give the route once for each';
/** Literal segments are plain, as requests have to be: `/api/users/:id`, `/api/public/*`. */
const PATH = /^\/$|^(?:\/(?::\w+|\.*[\w~-][\w.~-]*))*(?:\/\*)?$/;

const NO_PATH = 'must be a path such as /api/users/:id, or /api/public/* for all below';

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

/** What is wrong in the file, and where: names and indices. */
type Offences = { path: (string | number)[]; message: string }[];

/**
 * The routes of a JSON file: a list, which comes before the built-in table, or `{"extends": null, "routes": [...]}` in
 * its place; without a file, the built-in table. What is wrong is added to the context, by its path.
 */
export function readRouteTable(file: string | undefined, context: z.RefinementCtx): readonly Route[] {
  if (file === undefined) return BUILT_IN_ROUTES;
  const given = parseFile(file, context);
  if (given === undefined) return z.NEVER;
  const offences: Offences = [];
  const table = Array.isArray(given)
    ? [...readRoutes(given, [], offences), ...BUILT_IN_ROUTES]
    : readReplacement(given, offences);
  for (const offence of offences) context.addIssue({ code: 'custom', ...offence });
  return offences.length === 0 ? table : z.NEVER;
}

function readReplacement(given: unknown, offences: Offences): Route[] {
  if (typeof given !== 'object' || given === null) {
    offences.push({ path: [], message: 'must be a list of routes, or an object with extends and routes' });
    return [];
  }
  refuseUnknown(given, ['extends', 'routes'], [], offences);
  const { extends: base, routes } = given as Record<string, unknown>;
  if (base !== null) {
    const message = 'must be null, for a table in place of the built-in one; a list alone adds to it';
    offences.push({ path: ['extends'], message });
  }
  if (Array.isArray(routes)) return readRoutes(routes, ['routes'], offences);
  offences.push({ path: ['routes'], message: 'must be a list of routes' });
  return [];
}

function readRoutes(list: unknown[], at: string[], offences: Offences): Route[] {
  if (list.length > MAX_ROUTES) offences.push({ path: at, message: `must not have more than ${MAX_ROUTES} routes` });
  const seen = new Map<string, number>();
  return list.slice(0, MAX_ROUTES).flatMap((entry, index) => {
    const parsed = route.safeParse(entry);
    for (const { path, message } of parsed.error?.issues ?? [])
      offences.push({ path: [...at, index, ...(path as string[])], message });
    refuseUnknown(entry, MEMBERS, [...at, index], offences);
    if (!parsed.success) return [];
    const first = seen.get(routeKey(parsed.data));
    if (first === undefined) seen.set(routeKey(parsed.data), index);
    else offences.push({ path: [...at, index], message: `is the route of [${first}] again` });
    return [parsed.data];
  });
}

/** The members of an object that are none of those that are known. */
function refuseUnknown(
  given: unknown,
  known: readonly string[],
  at: Offences[number]['path'],
  offences: Offences,
): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return;
  for (const name of Object.keys(given).filter((one) => !known.includes(one))) {
    const { message } = unknownMember(name, known);
    offences.push({ path: [...at, name], message });
  }
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
