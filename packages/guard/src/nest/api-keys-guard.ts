import type { IncomingMessage } from 'node:http';
import { type CanActivate, type ExecutionContext, HttpException, Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost, Reflector } from '@nestjs/core';
import { admit } from '../http/admit.js';
import { addressReader, type ClientAddress, requirement } from '../http/client-address.js';
import { rateHeaders } from '../http/rate-headers.js';
import { RefusedRequest } from '../http/refused-request.js';
import { Public, RequireScopes } from './decorators.js';
import type { GuardedRequest, PlatformRequest } from './guarded-request.js';
import { type ApiKeysGuardOptions, MODULE_OPTIONS_TOKEN } from './module-definition.js';

/**
 * Lets requests pass whose API key has the scopes of the route; refuses the others with an `HttpException` that is answered
 * as the service would. Closed to anything but HTTP.
 */
@Injectable()
export class ApiKeysGuard implements CanActivate {
  private readonly addressOf: ClientAddress<PlatformRequest>;

  constructor(
    @Inject(Reflector) private readonly reflector: Reflector,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
    @Inject(MODULE_OPTIONS_TOKEN) private readonly options: ApiKeysGuardOptions,
  ) {
    this.addressOf = addressReader(options.clientAddress);
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride(Public, targets)) return true;
    if (context.getType() !== 'http') return false;
    const request = context.switchToHttp().getRequest<GuardedRequest>();
    const scopes = this.reflector.getAllAndOverride(RequireScopes, targets) ?? [];
    const needed = requirement(scopes, this.addressOf(request));
    const admission = await admit(this.options.guard, request.raw ?? (request as IncomingMessage), needed);
    if (admission instanceof RefusedRequest) {
      this.setHeaders(context, admission.headers);
      throw new HttpException(admission.body, admission.status);
    }
    this.setHeaders(context, rateHeaders(admission));
    request.apiKey = admission;
    return true;
  }

  private setHeaders(context: ExecutionContext, headers: Record<string, string>): void {
    const response: unknown = context.switchToHttp().getResponse();
    for (const [name, value] of Object.entries(headers)) this.host.httpAdapter.setHeader(response, name, value);
  }
}
