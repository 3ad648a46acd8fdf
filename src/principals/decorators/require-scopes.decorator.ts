import { Reflector } from '@nestjs/core';
import type { Scope } from '../scopes.js';

/** The scopes that an API key needs for a route, all of them; a session has every scope. */
export const RequireScopes = Reflector.createDecorator<Scope | Scope[], Scope[]>({
  transform: (scopes) => [scopes].flat(),
});
