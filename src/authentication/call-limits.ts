import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { rateStateOf } from '../limits/quota.js';
import { type NamedRate, rateLimitHeaders } from '../http/rate-limit-headers.js';
import { LoadShedding } from '../http/load/load-shedding.js';
import { Verifier } from '../verification/verifier.js';
import { RateLimitedError, refusalError } from '../principals/refusal-errors.js';
import { ManagementRates } from './management-rates.js';
import type { Principal } from '../principals/principal.js';

/**
 * Grants a principal so many calls a minute, then a place among the requests under way, and charges an API key one use
 * for each. In this order: whoever is over a rate takes no place, and whoever gets no place has paid nothing.
 */
@Injectable()
export class CallLimits {
  constructor(
    private readonly rates: ManagementRates,
    private readonly overload: LoadShedding,
    private readonly verifier: Verifier,
  ) {}

  /** @returns the headers that tell how the caller's rates stand @throws ApiError */
  async charge(request: FastifyRequest, principal: Principal): Promise<Record<string, string>> {
    const rates = await this.admit(request, principal, false);
    const { apiKey } = principal;
    const charge = apiKey && (await this.verifier.charge(apiKey, 1));
    const all = [...rates, ...rateStateOf(charge)];
    if (charge?.refusal) throw refusalError(charge.refusal, { rates: all });
    return rateLimitHeaders(all);
  }

  /** For a call that is free of charge, which has a rate of its own. @throws ApiError */
  async admitFree(request: FastifyRequest, principal: Principal): Promise<void> {
    await this.admit(request, principal, true);
  }

  /** Takes the call's rate and its place. @returns how the caller's rates stand */
  private async admit(request: FastifyRequest, principal: Principal, isFree: boolean): Promise<NamedRate[]> {
    const taken = await (isFree
      ? this.rates.takeFree(principal)
      : this.rates.take(principal, request.method === 'DELETE'));
    if (!taken.granted) throw new RateLimitedError(taken.rates);
    try {
      await this.overload.admit(request, principal.ownerId);
    } catch (refusal) {
      await taken.refund();
      throw refusal;
    }
    return taken.rates;
  }
}
