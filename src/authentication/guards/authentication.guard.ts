import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { ClientAddress } from '../../http/client-address.js';
import type { AuthenticatedRequest, RefusedRequest } from '../../principals/decorators/current-principal.decorator.js';
import { ReplayableRotation } from '../../principals/decorators/presented-pair.decorator.js';
import { Public } from '../../principals/decorators/public.decorator.js';
import { UnauthenticatedError } from '../../principals/refusal-errors.js';
import { presentedCredentials } from '../../principals/presented-credentials.js';
import { RotationReplay } from '../rotation-replay.js';
import { ApiKeyGuard, SessionGuard } from './passport.guards.js';

/** Lets nobody through to a route that isn't `@Public()` without a valid session or key pair. */
@Injectable()
export class AuthenticationGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly sessionGuard: SessionGuard,
    private readonly apiKeyGuard: ApiKeyGuard,
    private readonly clientAddress: ClientAddress,
    private readonly rotationReplay: RotationReplay,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context
      .switchToHttp()
      .getRequest<FastifyRequest & Partial<AuthenticatedRequest & RefusedRequest>>();
    const isPublic = this.reflector.getAllAndOverride(Public, [context.getHandler(), context.getClass()]);
    try {
      return isPublic || (await this.authenticate(context, request));
    } catch (refusal) {
      const mayBeLost = this.reflector.get(ReplayableRotation, context.getHandler()) && isOfWrongPair(refusal);
      // Thrown as well: whatever it is, nobody is let through
      throw (mayBeLost && (await this.rotationReplay.answerTo(request))) || refusal;
    } finally {
      const actor = (request.user ?? request.refused)?.actor ?? 'anonymous';
      request.origin = { actor, ip: this.clientAddress.of(request.raw) ?? null, requestId: request.id };
    }
  }

  private authenticate(context: ExecutionContext, { raw }: FastifyRequest): Promise<boolean> {
    const guard = 'token' in presentedCredentials(raw) ? this.sessionGuard : this.apiKeyGuard;
    return guard.canActivate(context) as Promise<boolean>;
  }
}

function isOfWrongPair(refusal: unknown): boolean {
  return refusal instanceof UnauthenticatedError && refusal.reason === 'INVALID_CREDENTIALS';
}
