import type { IncomingMessage } from 'node:http';
import { credentialsIn } from '../decision/index.js';
import type { Guard, GuardVerdict, Required } from '../types.js';
import { GuardUnavailableError } from '../unavailable-error.js';
import { RefusedRequest } from './refused-request.js';
import { credentialsError, refusalError, unavailableError } from './request-errors.js';

/** The verdict on the key of a request that may pass, or the answer to one that may not. */
export type Admission = GuardVerdict | RefusedRequest;

/**
 * Whether a request may pass, by the API key in its headers. Synchronous where the guard decides locally.
 *
 * @throws TypeError for a scope, an address or a cost that is not one, also by the promise
 */
export function admit(guard: Guard, request: IncomingMessage, required: Required): Admission | Promise<Admission> {
  const presented = credentialsIn(request);
  if (!('pair' in presented)) return new RefusedRequest(request, credentialsError(presented));
  try {
    const verdict = guard.check(presented.pair, required);
    if (!(verdict instanceof Promise)) return toAdmission(request, required, verdict);
    return verdict.then(
      (given) => toAdmission(request, required, given),
      (error: unknown) => toUnavailable(request, error),
    );
  } catch (error) {
    return toUnavailable(request, error);
  }
}

function toAdmission(request: IncomingMessage, { scope = [] }: Required, verdict: GuardVerdict): Admission {
  if (verdict.code === 'VALID') return verdict;
  return new RefusedRequest(request, refusalError(verdict, verdict.code, [scope].flat()));
}

function toUnavailable(request: IncomingMessage, error: unknown): RefusedRequest {
  if (error instanceof GuardUnavailableError) return new RefusedRequest(request, unavailableError(error));
  throw error;
}
