import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ClientAddress } from '../../http/client-address.js';
import type { CallerRequest } from '../../principals/caller-request.js';
import { ServicesOnly } from '../../principals/decorators/for-services.decorator.js';
import { ReplayableRotation } from '../../principals/decorators/presented-pair.decorator.js';
import { Public } from '../../principals/decorators/public.decorator.js';
import { presentedCredentials } from '../../principals/presented-credentials.js';
import { UnauthenticatedError } from '../../principals/refusal-errors.js';
import { ServiceTokens } from '../../principals/service-tokens.js';
import { RotationReplay } from '../rotation-replay.js';
import { ApiKeyGuard, SessionGuard } from './passport.guards.js';

/** Passport's guards, by what a request presents. */
@Injectable()
export class CallerGuards {
  constructor(
    private readonly sessionGuard: SessionGuard,
    private readonly apiKeyGuard: ApiKeyGuard,
  ) {}

  for({ raw }: CallerRequest): { canActivate(context: ExecutionContext): Promise<boolean> } {
    const guard = 'token' in presentedCredentials(raw) ? this.sessionGuard : this.apiKeyGuard;
    return guard as { canActivate(context: ExecutionContext): Promise<boolean> };
  }
}

/** Admits only callers with a valid session or key pair, or a service token where the route is for services. */
@Injectable()
export class AuthenticationGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly guards: CallerGuards,
    private readonly serviceTokens: ServiceTokens,
    private readonly clientAddress: ClientAddress,
    private readonly rotationReplay: RotationReplay,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<CallerRequest>();
    const targets = [context.getHandler(), context.getClass()];
    try {
      if (this.reflector.getAllAndOverride(Public, targets)) return true;
      if (this.reflector.getAllAndOverride(ServicesOnly, targets)) {
        request.context.caller = this.serviceTokens.identify(request.raw);
        return true;
      }
      return await this.guards.for(request).canActivate(context);
    } catch (refusal) {
      const mayBeLost = this.reflector.get(ReplayableRotation, context.getHandler()) && isWrongPair(refusal);
      // Thrown as well: either way the caller is not admitted
      throw (mayBeLost && (await this.rotationReplay.answerTo(request))) || refusal;
    } finally {
      const principal = request.user ?? request.denied;
      if (principal) Object.assign(request.context, { caller: principal.actorId, verdict: 'VALID' });
      const actor = principal?.actor ?? 'anonymous';
      request.source = { actor, ip: this.clientAddress.of(request.raw) ?? null, requestId: request.id };
    }
  }
}

function isWrongPair(refusal: unknown): boolean {
  return refusal instanceof UnauthenticatedError && refusal.reason === 'INVALID_CREDENTIALS';
}
