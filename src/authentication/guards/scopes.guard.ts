import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { requiresCaller } from '../../principals/requires-caller.js';
import type { AdmittedRequest } from '../../principals/caller-request.js';
import { RequireScopes } from '../../principals/decorators/require-scopes.decorator.js';
import { InsufficientScopeError } from '../../principals/refusal-errors.js';

/** Refuses principals that lack a scope that the route requires. A route that declares no scopes is closed to all. */
@Injectable()
export class ScopesGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const targets = [context.getHandler(), context.getClass()];
    if (!requiresCaller(this.reflector, context)) return true;
    const required = this.reflector.getAllAndOverride(RequireScopes, targets);
    if (!required) throw new Error(`${context.getClass().name} does not declare the scopes that its routes require`);
    const { user: principal } = context.switchToHttp().getRequest<AdmittedRequest>();
    const missing = required.filter((scope) => !principal.may(scope));
    if (missing.length > 0) throw new InsufficientScopeError(missing);
    return true;
  }
}
