import type { IncomingMessage } from 'node:http';
import { ApiError } from './errors/api-error.js';
import { repeatsHeaders } from './header-values.js';

/**
 * What is wrong with the head of a request, whatever its route; `undefined` if nothing is.
 *
 * The router ends the path at a `#` and takes what follows for a query, where other readers see none. `Host` is required
 * once (RFC 9112, 3.2), except in HTTP/1.0, which health checks of load balancers still use; which of two counts would
 * depend on the reader. Of transfer codings Node decodes `chunked` alone, and ignores any before it.
 */
export function headerProblem(request: IncomingMessage): ApiError | undefined {
  const { headers, httpVersion, url } = request;
  if (url?.includes('#')) return invalid('The target of a request has no fragment (RFC 9112, 3.2).');
  if (headers.host === undefined && httpVersion !== '1.0') return invalid('The header Host is missing.');
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && !/^(?:chunked)?$/i.test(coding))
    return invalid('The only Transfer-Encoding that is read is chunked.');
  if (!repeatsHeaders(request)) return undefined;
  const repeated = ['host', 'content-type'].find((name) => (request.headersDistinct[name]?.length ?? 0) > 1);
  return repeated === undefined ? undefined : invalid(`The header ${repeated} is there more than once.`);
}

function invalid(message: string): ApiError {
  return new ApiError('validation_failed', message);
}
