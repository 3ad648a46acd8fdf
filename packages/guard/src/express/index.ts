import type { IncomingMessage, ServerResponse } from 'node:http';
import { admit, type Admission } from '../http/admit.js';
import { addressReader, type ClientAddress, requirement } from '../http/client-address.js';
import { rateHeaders } from '../http/rate-headers.js';
import { RefusedRequest } from '../http/refused-request.js';
import { readRouteScopes } from '../input/required.js';
import type { Guard, GuardVerdict } from '../types.js';

declare global {
  namespace Express {
    interface Request {
      /** The verdict on the key that the request was let through with. */
      apiKey?: GuardVerdict;
    }
  }
}

/** Options of the middleware. */
export interface MiddlewareOptions<Request> {
  /** The socket's address by default; with Express's `trust proxy`, `(request) => request.ip`. */
  clientAddress?: ClientAddress<Request>;
}

type GuardedRequest = IncomingMessage & { apiKey?: GuardVerdict };
type Next = (error?: unknown) => void;

/**
 * Middleware for Express and Connect: lets requests pass whose API key has the scopes, all of them, and sets
 * `request.apiKey`; answers the others as the service would.
 *
 * @param scopes none (`[]`) for any valid key
 * @throws TypeError for other arguments
 */
export function requireScopes<Request extends GuardedRequest = GuardedRequest>(
  guard: Guard,
  scopes: string | readonly string[],
  options: MiddlewareOptions<Request> = {},
  ...surplus: never[]
): (request: Request, response: ServerResponse, next: Next) => void {
  if (typeof guard?.check !== 'function') throw new TypeError('requireScopes() takes the guard first, then the scopes');
  if (typeof options !== 'object' || surplus.length > 0) throw new TypeError('give several scopes as a list');
  const needed = readRouteScopes(scopes);
  const addressOf = addressReader(options.clientAddress);
  return (request, response, next) => {
    try {
      const admission = admit(guard, request, requirement(needed, addressOf(request)));
      if (admission instanceof Promise) admission.then((given) => settle(given, request, response, next), next);
      else settle(admission, request, response, next);
    } catch (error) {
      next(error);
    }
  };
}

function settle(admission: Admission, request: GuardedRequest, response: ServerResponse, next: Next): void {
  if (admission instanceof RefusedRequest) {
    admission.send(response);
    return;
  }
  request.apiKey = admission;
  if (admission.rateLimit) response.setHeaders(new Map(Object.entries(rateHeaders(admission))));
  next();
}
