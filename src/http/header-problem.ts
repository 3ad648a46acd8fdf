import type { IncomingMessage } from 'node:http';
import { ApiError } from './errors/api-error.js';
import { repeatsHeaders } from '@w3ipfs/api-keys-guard/decision';

/**
 * The problem with the head of a request, on any route; `undefined` if it is valid.
 *
 * The router ends the path at a `#` and reads the rest as a query, which other parsers do not. Exactly one `Host` is
 * required (RFC 9112, 3.2), except in HTTP/1.0, which health checks of load balancers still use: with two, parsers would
 * differ in the one that they use. The only transfer coding that Node decodes is `chunked`; it ignores any before it.
 *
 * @param ignoresBody whether the route skips the body, whatever its type
 */
export function headerProblem(request: IncomingMessage, ignoresBody = false): ApiError | undefined {
  const { headers, httpVersion, url } = request;
  if (url?.includes('#')) return invalid('The request target must not contain a fragment, #... (RFC 9112, 3.2).');
  if (headers.host === undefined && httpVersion !== '1.0') return invalid('The header Host is missing.');
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && !/^(?:chunked)?$/i.test(coding))
    return invalid('Transfer-Encoding must be chunked; no other coding is supported.');
  if (!repeatsHeaders(request)) return undefined;
  const unique = ignoresBody ? ['host'] : ['host', 'content-type'];
  const repeated = unique.find((name) => (request.headersDistinct[name]?.length ?? 0) > 1);
  return repeated === undefined ? undefined : invalid(`The header ${repeated} is given more than once.`);
}

function invalid(message: string): ApiError {
  return new ApiError('validation_failed', message);
}
