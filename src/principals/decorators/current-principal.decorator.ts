import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import type { Caller } from '../caller.js';
import type { AuditSource } from '../audit-source.js';
import type { Principal } from '../principal.js';

/** What the guards leave in a request that they have let through. */
export interface AuthenticatedRequest {
  user: Principal;
  origin: AuditSource;
}

/** What they leave in one that they have refused, although its key pair is right. */
export interface RefusedRequest {
  refused: Principal;
  origin: AuditSource;
}

/** Hands a handler the principal that its guard has let in. */
export const CurrentPrincipal = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<AuthenticatedRequest>().user,
);

/** The same as what changes keys wants it: the owner, the key and the secret that it calls with, and from where. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { user, origin } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  return { ownerId: user.ownerId, key: user.apiKey, origin };
});

/** Where a call comes from, for routes that want no principal. */
export const CallOrigin = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<AuthenticatedRequest>().origin,
);
