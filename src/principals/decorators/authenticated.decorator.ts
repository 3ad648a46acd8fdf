import { applyDecorators } from '@nestjs/common';
import { Routes } from '../../http/route-config.js';
import { ApiCredentials } from '../../openapi/security.js';
import type { Scope } from '../scopes.js';
import { RequireScopes } from './require-scopes.decorator.js';

/**
 * Requires a session or an API key with these scopes for all routes of a controller, and documents that. Enforced by
 * `AuthenticationGuard` and `ScopesGuard`.
 */
export function Authenticated(...scopes: Scope[]): ClassDecorator {
  return applyDecorators(RequireScopes(scopes), Routes({ load: 'management' }), ApiCredentials());
}
