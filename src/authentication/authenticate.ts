import type { IncomingMessage } from 'node:http';
import passport from 'passport';
import { ApiError } from '../http/errors/api-error.js';
import type { Principal } from '../principals/principal.js';
import { Denial } from './denial.js';
import { logRefusal, sessionRefusal } from './strategies/session-refusal.js';

type Middleware = (request: IncomingMessage, response: unknown, next: (error?: unknown) => void) => void;

/**
 * Authenticates a request by a Passport strategy.
 *
 * @throws UnavailableError, or the database's error, if that cannot be decided now
 */
export function authenticate(strategy: string, request: IncomingMessage): Promise<Principal | Denial> {
  return new Promise((resolve, reject) => {
    const middleware = passport.authenticate(
      strategy,
      { session: false },
      (error: unknown, principal: Principal | false, info: unknown) => {
        try {
          resolve(outcomeOf(error, principal, info));
        } catch (failure) {
          reject(failure);
        }
      },
    ) as Middleware;
    middleware(request, {}, reject);
  });
}

/** A strategy's `error()` arrives as `error`, its `fail()` as `info`. @throws an error that reports no verdict */
export function outcomeOf(error: unknown, principal: Principal | false, info: unknown): Principal | Denial {
  if (principal && !error) return principal;
  if (!error && info instanceof Denial) return info;
  const refusal = error || (info instanceof ApiError ? info : sessionRefusal(info));
  if (!(refusal instanceof ApiError) || refusal.verdict === undefined) throw refusal;
  logRefusal(refusal);
  return new Denial(refusal);
}
