import type { IncomingMessage, ServerResponse } from 'node:http';
import { admit, type Admission } from '../http/admit.js';
import { readableAddress, requirement } from '../http/client-address.js';
import { rateHeaders } from '../http/rate-headers.js';
import { RefusedRequest } from '../http/refused-request.js';
import type { Guard, GuardVerdict, Required } from '../types.js';

/**
 * Lets a request of `node:http` pass if its API key has the scopes, or answers it as the service would: 400, 401, 403, 429 or
 * 503.
 *
 * @param required `ip` is the socket's address by default; behind a proxy, pass the address that it reports
 * @returns the verdict on the key, or `undefined` once the request is answered; a promise unless the guard decides locally
 * @throws TypeError for a scope or a cost that is not one
 */
export function authorize(
  guard: Guard,
  request: IncomingMessage,
  response: ServerResponse,
  { scope = [], ip, ...rest }: Required = {},
): GuardVerdict | undefined | Promise<GuardVerdict | undefined> {
  const address = ip === undefined ? request.socket.remoteAddress : readableAddress(ip);
  const admission = admit(guard, request, { ...rest, ...requirement(scope, address) });
  if (admission instanceof Promise) return admission.then((given) => settle(given, response));
  return settle(admission, response);
}

function settle(admission: Admission, response: ServerResponse): GuardVerdict | undefined {
  if (admission instanceof RefusedRequest) {
    admission.send(response);
    return undefined;
  }
  if (admission.rateLimit) response.setHeaders(new Map(Object.entries(rateHeaders(admission))));
  return admission;
}
