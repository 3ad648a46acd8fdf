import type { IncomingMessage } from 'node:http';
import { headerValues } from '@w3ipfs/api-keys-guard/decision';

/** The client's request, which a gateway asks about: its method, and its path with its query. */
export interface OriginalRequest {
  method: string;
  uri: string;
}

/** The headers of gateways that name it: nginx (ingress-nginx sends the whole URL); Traefik and Caddy. */
const FAMILIES = [
  { method: 'x-original-method', uris: ['x-original-uri', 'x-original-url'] },
  { method: 'x-forwarded-method', uris: ['x-forwarded-uri'] },
] as const;

type Family = (typeof FAMILIES)[number];

/** Captures path and query of a URL whose authority is a host with an optional port (RFC 3986, 3.2). */
const URL_PARTS = /^https?:\/\/(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?(\/.*)$/is;

/** The prefix under which a gateway sends the client's path. */
const PREFIX = /^\/api\/apikeys\/authorize\/at(?=\/)/i;

/** Whether the headers name a request, valid or not. */
export function namesOriginalRequest({ headers }: IncomingMessage): boolean {
  return FAMILIES.some(
    ({ method, uris }) => headers[method] !== undefined && uris.some((uri) => headers[uri] !== undefined),
  );
}

/**
 * The request that the headers name; `undefined` if a header is repeated or missing, or if they disagree: a client could
 * have sent one of them.
 */
export function originalRequest(request: IncomingMessage): OriginalRequest | undefined {
  const named = FAMILIES.filter((family) => isPresent(family, request)).map((family) => ofFamily(family, request));
  const [first, ...others] = named;
  if (!first || others.some((other) => other?.method !== first.method || other.uri !== first.uri)) return undefined;
  return first;
}

/** The request whose method is the sub-request's own, and whose path follows the prefix. */
export function prefixedRequest({ method = '', url = '' }: IncomingMessage): OriginalRequest | undefined {
  return PREFIX.test(url) ? { method, uri: url.replace(PREFIX, '') } : undefined;
}

/** The queries of all paths in the headers, valid or not. */
export function originalQueries(request: IncomingMessage): string[] {
  return FAMILIES.flatMap(({ uris }) => headerValues(request, ...uris)).flatMap((uri) => {
    const at = uri.indexOf('?');
    return at < 0 ? [] : [uri.slice(at + 1)];
  });
}

function isPresent({ method, uris }: Family, { headers }: IncomingMessage): boolean {
  return [method, ...uris].some((name) => headers[name] !== undefined);
}

function ofFamily({ method: methodHeader, uris }: Family, request: IncomingMessage): OriginalRequest | undefined {
  const method = onlyOne(headerValues(request, methodHeader));
  const present = uris.filter((name) => request.headers[name] !== undefined);
  const [uri, ...others] = present.map((name) => uriIn(name, onlyOne(headerValues(request, name))));
  if (method === undefined || uri === undefined || others.some((other) => other !== uri)) return undefined;
  return { method, uri };
}

function uriIn(header: string, value: string | undefined): string | undefined {
  return header === 'x-original-url' && value !== undefined ? (URL_PARTS.exec(value)?.[1] ?? undefined) : value;
}

function onlyOne(values: readonly string[]): string | undefined {
  return values.length === 1 ? values[0] : undefined;
}
