import type { IncomingMessage } from 'node:http';
import { isScope, type Scope } from '../api-keys/scopes.js';
import { type ErrorDetail, ValidationError } from '../contract/api-error.js';
import { headerValues } from '../contract/header-values.js';
import { queryParameters } from '../contract/query-parameters.js';
import { unknownMember } from '../contract/unknown-member.js';
import { scopeOfRoute } from '../verification/route-table.js';

/** What a gateway asks about a request that it holds. */
export interface AuthorizeRequest {
  /** All of them are needed; `undefined` if no scope opens the route. */
  scopes: readonly Scope[] | undefined;
  /** Whether every refusal but 401 is to be answered with 403. */
  denyAs403: boolean;
}

/** The headers by which a gateway says what it holds: nginx as it is configured here, and Traefik. */
const FAMILIES = [
  { method: 'x-original-method', uri: 'x-original-uri' },
  { method: 'x-forwarded-method', uri: 'x-forwarded-uri' },
] as const;

const PARAMETERS = ['scope', 'deny'];

const NOTHING_ASKED: ErrorDetail = {
  path: 'scope',
  message: 'must be given, or the headers X-Original-Method and X-Original-URI (or X-Forwarded-Method and -Uri)',
};

/**
 * Reads what a gateway asks: `?scope=`, one name or several with commas between them, or else the request's
 * route; and `?deny=403`. Of these the gateway's operator decides, and is told by a 400 what does not fit.
 * What clients could have a hand in, two different routes say, is refused as a route that no scope opens.
 *
 * @throws ValidationError naming every offence
 */
export function readAuthorizeRequest(request: IncomingMessage): AuthorizeRequest {
  const { scope, deny, ...unknown } = queryOf(request.url);
  const details: ErrorDetail[] = Object.keys(unknown).map((name, rank) =>
    unknownMember(name, PARAMETERS, { kind: 'parameter', rank }),
  );
  const names = scope?.length === 1 ? scope.flatMap((list) => list.split(',')) : [];
  if (scope && (names.length === 0 || !names.every(isScope))) {
    details.push({ path: 'scope', message: 'must be there once: names of scopes, with commas between them' });
  }
  const denyAs403 = deny?.length === 1 && deny[0] === '403';
  if (deny && !denyAs403) details.push({ path: 'deny', message: 'must be 403, once' });
  if (!scope && !FAMILIES.some((family) => isComplete(family, request))) details.push(NOTHING_ASKED);
  if (details.length > 0) throw new ValidationError(details);
  return { scopes: scope ? (names as Scope[]) : scopesOfRoute(request), denyAs403 };
}

/** The values of each parameter, by its name; without inherited names, any of which a client may write. */
function queryOf(url = ''): Record<string, string[]> {
  const values: Record<string, string[]> = Object.create(null);
  if (url.includes('?')) for (const [name, value] of queryParameters(url)) (values[name] ??= []).push(value);
  return values;
}

/** The route in the headers: each of them once, and all that are there of one mind. */
function scopesOfRoute(request: IncomingMessage): readonly Scope[] | undefined {
  const present = FAMILIES.filter(({ method, uri }) => (request.headers[method] ?? request.headers[uri]) !== undefined);
  const [route, ...others] = present.map(({ method, uri }) => ({
    method: onlyOne(headerValues(request, method)),
    uri: onlyOne(headerValues(request, uri)),
  }));
  if (route?.method === undefined || route.uri === undefined) return undefined;
  if (others.some(({ method, uri }) => method !== route.method || uri !== route.uri)) return undefined;
  const scope = scopeOfRoute(route.method, route.uri);
  return scope && [scope];
}

function isComplete({ method, uri }: (typeof FAMILIES)[number], { headers }: IncomingMessage): boolean {
  return headers[method] !== undefined && headers[uri] !== undefined;
}

function onlyOne(values: readonly string[]): string | undefined {
  return values.length === 1 ? values[0] : undefined;
}
