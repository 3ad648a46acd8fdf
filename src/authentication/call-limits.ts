import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { rateStateOf } from '../limits/quota.js';
import { type NamedRate, rateLimitHeaders } from '@w3ipfs/api-keys-guard/http';
import { LoadShedding } from '../http/load/load-shedding.js';
import { Verifier } from '../verification/verifier.js';
import { RateLimitedError, refusalError } from '../principals/refusal-errors.js';
import { ManagementRates } from './management-rates.js';
import type { Principal } from '../principals/principal.js';

/**
 * Limits the calls of a principal: first its rate per minute, then its concurrency; then charges an API key one use. In
 * this order, a caller over its rate takes no slot, and a caller without a slot is not charged.
 */
@Injectable()
export class CallLimits {
  constructor(
    private readonly rates: ManagementRates,
    private readonly loadShedding: LoadShedding,
    private readonly verifier: Verifier,
  ) {}

  /** @returns the rate-limit headers @throws ApiError */
  async charge(request: FastifyRequest, principal: Principal): Promise<Record<string, string>> {
    const rates = await this.admit(request, principal, false);
    const { apiKey } = principal;
    const charge = apiKey && (await this.verifier.charge(apiKey, 1));
    const all = [...rates, ...rateStateOf(charge)];
    if (charge?.refusal) throw refusalError(charge.refusal, { rates: all });
    return rateLimitHeaders(all);
  }

  /** For a call without a charge, which has a separate rate. @throws ApiError */
  async admitUncharged(request: FastifyRequest, principal: Principal): Promise<void> {
    await this.admit(request, principal, true);
  }

  /** Charges the rate and takes a slot. @returns the state of the caller's rates */
  private async admit(request: FastifyRequest, principal: Principal, isUncharged: boolean): Promise<NamedRate[]> {
    const taken = await (isUncharged
      ? this.rates.takeUncharged(principal)
      : this.rates.take(principal, request.method === 'DELETE'));
    if (!taken.granted) throw new RateLimitedError(taken.rates);
    try {
      await this.loadShedding.admit(request, principal.ownerId);
    } catch (refusal) {
      await taken.refund();
      throw refusal;
    }
    return taken.rates;
  }
}
