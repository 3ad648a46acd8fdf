import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type NamedRate, rateLimitHeaders } from '../../limits/rate-limit-headers.js';
import { rateOf } from '../../limits/metering.js';
import { Overload } from '../../operations/overload.js';
import { Verifier } from '../../verification/verifier.js';
import type { AuthenticatedRequest } from '../decorators/current-principal.decorator.js';
import { FreeOfCharge } from '../decorators/free-of-charge.decorator.js';
import { Public } from '../decorators/public.decorator.js';
import { RateLimitedError, refusalError } from '../errors.js';
import { ManagementRates } from '../management-rates.js';

/**
 * Grants a principal so many calls a minute, then a place among the requests under way, and charges an API key one use
 * for each. In this order: whoever is over a rate takes no place, and whoever gets no place has paid nothing.
 */
@Injectable()
export class AllowanceGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly rates: ManagementRates,
    private readonly overload: Overload,
    private readonly verifier: Verifier,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride(Public, targets)) return true;
    const isFree = this.reflector.getAllAndOverride(FreeOfCharge, targets) ?? false;
    const http = context.switchToHttp();
    const request = http.getRequest<FastifyRequest & AuthenticatedRequest>();
    const rates = await this.admit(request, isFree);
    if (isFree) return true;
    const { apiKey } = request.user;
    const charge = apiKey && (await this.verifier.charge(apiKey, 1));
    const all = [...rates, ...rateOf(charge)];
    if (charge?.refusal) throw refusalError(charge.refusal, { rates: all });
    http.getResponse<FastifyReply>().headers(rateLimitHeaders(all));
    return true;
  }

  /** Takes the call's rate and its place. @returns how the caller's rates stand */
  private async admit(request: FastifyRequest & AuthenticatedRequest, isFree: boolean): Promise<NamedRate[]> {
    const { user: principal } = request;
    const taken = await (isFree ? this.rates.takeFree(principal) : this.rates.take(principal));
    if (!taken.granted) throw new RateLimitedError(taken.rates);
    try {
      await this.overload.admit(request, principal.ownerId);
    } catch (refusal) {
      await taken.giveBack();
      throw refusal;
    }
    return taken.rates;
  }
}
