import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ClientAddress } from '../../http/client-address.js';
import { ApiError } from '../../http/errors/api-error.js';
import type { CallerRequest } from '../../principals/caller-request.js';
import { ServicesOnly } from '../../principals/decorators/for-services.decorator.js';
import { ReplayableRotation } from '../../principals/decorators/presented-pair.decorator.js';
import { Public } from '../../principals/decorators/public.decorator.js';
import { addHeader, API_KEY_HEADER } from '@w3ipfs/api-keys-guard/decision';
import { readCredentials } from '../../principals/presented-credentials.js';
import { ServiceTokens } from '../../principals/service-tokens.js';
import { authenticate } from '../authenticate.js';
import { Denial } from '../denial.js';
import { RotationReplay } from '../rotation-replay.js';
import { API_KEY_STRATEGY } from '../strategies/api-key.strategy.js';
import { SESSION_STRATEGY } from '../strategies/session.strategy.js';

/** Admits callers with a valid session or key pair, or with a service token if the route is for services. */
@Injectable()
export class AuthenticationGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
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
      const refusal = await this.authenticate(request);
      if (!refusal) return true;
      const isReplayable = this.reflector.get(ReplayableRotation, context.getHandler()) && isInvalid(refusal);
      // A stored answer is thrown too: the caller is not admitted either way
      throw (isReplayable && (await this.rotationReplay.answerTo(request))) || refusal;
    } finally {
      this.recordCaller(request);
    }
  }

  /** Sets the request's principal. @returns the refusal if there is none */
  private async authenticate(request: CallerRequest): Promise<ApiError | undefined> {
    const credentials = readCredentials(request.raw);
    if (credentials instanceof ApiError) return credentials;
    // Where its strategy looks for it, in whichever form the pair was presented
    if ('pair' in credentials) addHeader(request.raw, API_KEY_HEADER, credentials.pair.apiKey);
    const outcome = await authenticate('token' in credentials ? SESSION_STRATEGY : API_KEY_STRATEGY, request.raw);
    if (outcome instanceof Denial) {
      if (outcome.principal) request.denied = outcome.principal;
      return outcome.error;
    }
    request.user = outcome;
    return undefined;
  }

  /** For the log and the audit trail, also of a refused call. */
  private recordCaller(request: CallerRequest): void {
    const principal = request.user ?? request.denied;
    if (principal) request.context.caller = principal.actorId;
    if (request.user) request.context.verdict = 'VALID';
    const ip = this.clientAddress.of(request.raw) ?? null;
    request.source = { actor: principal?.actor ?? 'anonymous', ip, requestId: request.id };
  }
}

function isInvalid({ code, verdict }: ApiError): boolean {
  return code === 'unauthenticated' && verdict === 'INVALID_CREDENTIALS';
}
