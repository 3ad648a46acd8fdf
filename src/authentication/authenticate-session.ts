import type { IncomingMessage } from 'node:http';
import passport from 'passport';
import { principalOrError } from './guards/passport.guards.js';
import type { Principal } from '../principals/principal.js';
import { SESSION_STRATEGY } from './strategies/session.strategy.js';

type Middleware = (request: IncomingMessage, response: unknown, next: (error?: unknown) => void) => void;

/**
 * The principal of the session that a request presents, for handlers that no guard stands before.
 *
 * @throws UnauthenticatedError, or UnavailableError if it cannot be told now
 */
export function authenticateSession(request: IncomingMessage): Promise<Principal> {
  return new Promise((resolve, reject) => {
    const authenticate = passport.authenticate(
      SESSION_STRATEGY,
      { session: false },
      (error: unknown, principal: Principal | false, info: unknown) => {
        try {
          resolve(principalOrError(error, principal, info));
        } catch (refusal) {
          reject(refusal);
        }
      },
    ) as Middleware;
    authenticate(request, {}, reject);
  });
}
