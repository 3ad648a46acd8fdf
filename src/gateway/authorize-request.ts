import type { IncomingMessage } from 'node:http';
import { isScope, type Scope, SCOPES } from '../principals/scopes.js';
import { ApiError, type ErrorDetail, ValidationError } from '../http/errors/api-error.js';
import { queryParameters } from '../http/validation/query-parameters.js';
import { probablyMeant, unknownMember } from '../suggestions/suggestions.js';
import type { Access, RouteTable } from './route-table.js';
import { namesOriginalRequest, type OriginalRequest, originalQueries, originalRequest } from './original-request.js';

/** What a gateway asks about a request that it holds. */
export interface AuthorizeRequest {
  access: Access;
  /** Whether every refusal but 401 is to be answered with 403. */
  denyAs403: boolean;
}

const PARAMETERS = ['scope', 'deny'];

const NOTHING_ASKED: ErrorDetail = {
  path: 'scope',
  message: 'must be given, or the headers X-Original-Method and X-Original-URI (or X-Forwarded-Method and -Uri)',
};
const CLIENTS_OWN =
  "is in the client's own query too: the gateway must not pass that on, or clients would choose what they need";

/**
 * Reads what a gateway asks: `?scope=`, one name or several with commas between them, or else the request's
 * route; and `?deny=403`. Of these the gateway's operator decides, and is told by a 400 what does not fit.
 * What clients could have a hand in, two different routes say, is refused to everyone.
 *
 * @throws ValidationError naming every offence
 */
export function readAuthorizeRequest(request: IncomingMessage, routes: RouteTable): AuthorizeRequest {
  const query = queryOf(request.url);
  const { scope, deny, ...unknown } = query;
  const details: ErrorDetail[] = Object.keys(unknown).map((name, rank) =>
    unknownMember(name, PARAMETERS, { kind: 'parameter', rank }),
  );
  for (const [path, values] of Object.entries({ scope, deny }))
    if (values && values.length > 1) details.push({ path, message: 'is there more than once' });
  const names = scope?.length === 1 ? scope.flatMap((list) => list.split(',')) : [];
  const wrong = names.find((name) => !isScope(name));
  if (wrong !== undefined) {
    const message = `must be names of scopes, with commas between them${probablyMeant(wrong, SCOPES)}`;
    details.push({ path: 'scope', message });
  }
  const denyAs403 = deny?.length === 1 && deny[0] === '403';
  if (deny?.length === 1 && !denyAs403) details.push({ path: 'deny', message: 'must be 403' });
  if (!scope && !namesOriginalRequest(request)) details.push(NOTHING_ASKED);
  if (details.length > 0) throw new ValidationError(details);
  const taken = clientsOwn(query, request);
  if (taken.length > 0) throw new ClientsOwnQueryError(taken, denyAs403);
  return { access: scope ? (names as Scope[]) : accessTo(originalRequest(request), routes), denyAs403 };
}

/** What the request needs by the route table. */
export function accessTo(original: OriginalRequest | undefined, routes: RouteTable): Access {
  return original ? routes.accessTo(original.method, original.uri) : 'uncertain';
}

/** The values of each parameter, by its name; without inherited names, any of which a client may write. */
function queryOf(url = ''): Record<string, string[]> {
  const values: Record<string, string[]> = Object.create(null);
  if (url.includes('?')) for (const [name, value] of queryParameters(url)) (values[name] ??= []).push(value);
  return values;
}

/**
 * The parameters that stand in the client's query as well, whatever else does: a gateway that passes the client's query
 * on, alone or behind its own, would let the client choose its scope.
 */
function clientsOwn(query: Record<string, string[]>, request: IncomingMessage): ErrorDetail[] {
  const names = Object.keys(query);
  if (names.length === 0) return [];
  const clients = originalQueries(request).map((text) => new URLSearchParams(text));
  return names
    .filter((name) => clients.some((one) => one.getAll(name).some((value) => query[name]?.includes(value))))
    .map((path) => ({ path, message: CLIENTS_OWN }));
}

/** It depends on the client's request: a gateway that understands 401 and 403 alone must not take it for a failure. */
class ClientsOwnQueryError extends ApiError {
  constructor(details: ErrorDetail[], denyAs403: boolean) {
    const message = "The query of the sub-request is the client's own; see `details`.";
    super('validation_failed', message, { details, ...(denyAs403 && { status: 403 }) });
  }
}
