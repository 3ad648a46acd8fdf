import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import type { Principal } from '../principal.js';

/** What Passport leaves in a request that a guard has let through. */
export interface AuthenticatedRequest {
  user: Principal;
}

/** Hands a handler the principal that its guard has let in. */
export const CurrentPrincipal = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<AuthenticatedRequest>().user,
);
