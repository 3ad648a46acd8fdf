import { Injectable } from '@nestjs/common';
import type { KeyLimits, RateLimit } from '../principals/key-limits.js';
import type { NamedRate } from '@w3ipfs/api-keys-guard/http';
import { type RateDecision, RateLimiter } from './rate-limiter.js';
import { UsageLimiter } from '../usage/usage-limiter.js';

/** The parts of a key that determine its charges. */
export type LimitedKey = Pick<KeyLimits, 'maxUses' | 'rateLimit'> & { id: string; ownerId: string };

/** The result of a charge. A denied charge costs the key nothing. */
export interface QuotaDecision {
  refusal: 'RATE_LIMITED' | 'USAGE_EXCEEDED' | 'REVOKED' | null;
  /** The state of the rate limit; `null` if there is none, or if the uses were denied. */
  rate: RateDecision | null;
  /** `null` without `max_uses`. */
  remainingUses: number | null;
}

/** The decision for a key without limits, or for a request that is not charged. */
export const NO_CHARGE: QuotaDecision = { refusal: null, rate: null, remainingUses: null };

/** The state of a charged key's rate limit, under the name that clients see. */
export function rateStateOf(charge: QuotaDecision | null | undefined): NamedRate[] {
  return charge?.rate ? [{ name: 'key', ...charge.rate }] : [];
}

/** Charges keys for requests: first their rate limit, then their uses. */
@Injectable()
export class Quota {
  constructor(
    private readonly rateLimiter: RateLimiter,
    private readonly usageLimiter: UsageLimiter,
  ) {}

  /**
   * Charges the whole cost or nothing. Synchronous if the key's limits are kept in this process.
   *
   * @throws UnavailableError, or the database's errors, if rates or uses cannot be counted now
   */
  charge(key: LimitedKey, cost: number): QuotaDecision | Promise<QuotaDecision> {
    if (!key.rateLimit) return this.chargeUses(key, cost, null);
    const decision = this.take(key, key.rateLimit, cost);
    if (decision instanceof Promise) return decision.then((one) => this.chargeUses(key, cost, one));
    return this.chargeUses(key, cost, decision);
  }

  /** Refunds a charge whose request was denied after all, before its verdict was returned. */
  async refund({ id }: LimitedKey, cost: number, { rate, remainingUses }: QuotaDecision): Promise<void> {
    await rate?.refund();
    if (remainingUses !== null && cost > 0) this.usageLimiter.count(id, -cost);
  }

  /** Turns a synchronous error into a rejection, so that a batch continues with its other requests. */
  private take({ id, ownerId }: LimitedKey, rateLimit: RateLimit, cost: number): RateDecision | Promise<RateDecision> {
    try {
      return this.rateLimiter.take(`key:${id}`, rateLimit, cost, ownerId);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  private chargeUses(key: LimitedKey, cost: number, rate: RateDecision | null): QuotaDecision | Promise<QuotaDecision> {
    if (rate && !rate.granted) return { ...NO_CHARGE, refusal: 'RATE_LIMITED', rate };
    if (key.maxUses !== null) return this.consume(key.id, cost, rate);
    if (cost === 0) return rate ? { ...NO_CHARGE, rate } : NO_CHARGE;
    if (this.usageLimiter.isExact(key.id)) return this.consume(key.id, cost, rate);
    this.usageLimiter.count(key.id, cost);
    return rate ? { ...NO_CHARGE, rate } : NO_CHARGE;
  }

  private async consume(keyId: string, cost: number, rate: RateDecision | null): Promise<QuotaDecision> {
    try {
      const { granted, remaining, isRevoked } = await this.usageLimiter.consume(keyId, cost);
      if (granted) return { refusal: null, rate, remainingUses: remaining };
      // The refund makes the reported rate state outdated, so it is left out
      await rate?.refund();
      return { refusal: isRevoked ? 'REVOKED' : 'USAGE_EXCEEDED', rate: null, remainingUses: remaining };
    } catch (error) {
      await rate?.refund();
      throw error;
    }
  }
}
