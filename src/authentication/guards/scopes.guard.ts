import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { AuthenticatedRequest } from '../decorators/current-principal.decorator.js';
import { RequireScopes } from '../decorators/require-scopes.decorator.js';
import { InsufficientScopeError } from '../errors.js';

/** Refuses a principal that lacks one of the scopes its route requires. */
@Injectable()
export class ScopesGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const required = this.reflector.getAllAndOverride(RequireScopes, [context.getHandler(), context.getClass()]) ?? [];
    if (required.length === 0) return true;
    const { user: principal } = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const missing = required.filter((scope) => !principal.may(scope));
    if (missing.length > 0) throw new InsufficientScopeError(missing);
    return true;
  }
}
