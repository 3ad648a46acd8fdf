import type { IncomingMessage } from 'node:http';
import { isScope, type Scope, SCOPES } from '../principals/scopes.js';
import { ApiError, type ErrorDetail, ValidationError } from '../http/errors/api-error.js';
import { queryParameters } from '../http/validation/query-parameters.js';
import { probablyMeant, unknownMember } from '../suggestions/suggestions.js';
import type { Access, RouteTable } from './route-table.js';
import { namesOriginalRequest, type OriginalRequest, originalQueries, originalRequest } from './original-request.js';

/** A gateway's question about a client's request. */
export interface AuthorizeRequest {
  access: Access;
  /** Whether every refusal but 401 becomes 403. */
  denyAs403: boolean;
}

const PARAMETERS = ['scope', 'deny'];

const SCOPE_MISSING: ErrorDetail = {
  path: 'scope',
  message:
    'must be given, unless the headers X-Original-Method and X-Original-URI (or X-Forwarded-Method and -Uri) are sent',
};
const ALSO_IN_CLIENT_QUERY =
  "is in the client's own query too: the gateway must not forward that query, or clients could choose the scope";

/**
 * Reads the question of a gateway: `?scope=`, scope names separated by commas, or else the route in its headers; and
 * `?deny=403`. These are the gateway operator's, whose mistakes are a 400. What a client could have tampered with, such as
 * two different routes, is denied to everyone instead.
 *
 * @throws ValidationError naming every problem; ApiError `validation_failed` if the query is the client's own
 */
export function readAuthorizeRequest(request: IncomingMessage, routes: RouteTable): AuthorizeRequest {
  const query = queryOf(request.url);
  const { scope, deny, ...unknown } = query;
  const details: ErrorDetail[] = Object.keys(unknown).map((name, rank) =>
    unknownMember(name, PARAMETERS, { kind: 'parameter', rank }),
  );
  for (const [path, values] of Object.entries({ scope, deny }))
    if (values && values.length > 1) details.push({ path, message: 'is given more than once' });
  const names = scope?.length === 1 ? scope.flatMap((list) => list.split(',')) : [];
  const unknownName = names.find((name) => !isScope(name));
  if (unknownName !== undefined) {
    const message = `must be scope names separated by commas${probablyMeant(unknownName, SCOPES)}`;
    details.push({ path: 'scope', message });
  }
  const denyAs403 = deny?.length === 1 && deny[0] === '403';
  if (deny?.length === 1 && !denyAs403) details.push({ path: 'deny', message: 'must be 403' });
  if (!scope && !namesOriginalRequest(request)) details.push(SCOPE_MISSING);
  if (details.length > 0) throw new ValidationError(details);
  const shared = sharedWithClient(query, request);
  if (shared.length > 0) throw new ClientsOwnQueryError(shared, denyAs403);
  return { access: scope ? (names as Scope[]) : accessTo(originalRequest(request), routes), denyAs403 };
}

/** What a client's request needs, by the route table. */
export function accessTo(original: OriginalRequest | undefined, routes: RouteTable): Access {
  return original ? routes.accessTo(original.method, original.uri) : 'uncertain';
}

/** The values of each parameter, by name. Without a prototype: clients choose the names. */
function queryOf(url = ''): Record<string, string[]> {
  const values: Record<string, string[]> = Object.create(null);
  if (url.includes('?')) for (const [name, value] of queryParameters(url)) (values[name] ??= []).push(value);
  return values;
}

/**
 * The parameters that the client's query has too, with the same value: a gateway that forwards that query, alone or
 * appended to its own, would let clients choose the scope.
 */
function sharedWithClient(query: Record<string, string[]>, request: IncomingMessage): ErrorDetail[] {
  const names = Object.keys(query);
  if (names.length === 0) return [];
  const clients = originalQueries(request).map((text) => new URLSearchParams(text));
  return names
    .filter((name) => clients.some((one) => one.getAll(name).some((value) => query[name]?.includes(value))))
    .map((path) => ({ path, message: ALSO_IN_CLIENT_QUERY }));
}

/** Caused by the client's request: a gateway that understands only 401 and 403 must not see a failure. */
class ClientsOwnQueryError extends ApiError {
  constructor(details: ErrorDetail[], denyAs403: boolean) {
    const message = "The query of the sub-request is the client's own; see `details`.";
    super('validation_failed', message, { details, ...(denyAs403 && { status: 403 }) });
  }
}
