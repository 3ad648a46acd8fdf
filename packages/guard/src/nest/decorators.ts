import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { readRouteScopes } from '../input/required.js';
import type { GuardedRequest } from './guarded-request.js';

/** The scopes that a route needs, one or several (a list), all of them; the method's override its class's. */
export const RequireScopes = Reflector.createDecorator<string | string[], string[]>({
  transform: (scopes) => [...readRouteScopes(scopes)],
});

/** Opens a route to everyone; every other one needs a valid API key. */
export const Public = Reflector.createDecorator<void, true>({ transform: () => true });

/** The verdict on the key that the request was let through with; `undefined` on public routes. */
export const CurrentKey = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<GuardedRequest>().apiKey,
);
