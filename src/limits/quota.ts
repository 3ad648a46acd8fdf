import { Injectable } from '@nestjs/common';
import type { KeyLimits, RateLimit } from '../principals/key-limits.js';
import type { NamedRate } from '../http/rate-limit-headers.js';
import { type RateDecision, RateLimiter } from './rate-limiter.js';
import { UsageLimiter } from '../usage/usage-limiter.js';

/** Of a key, what its charges go by. */
export type LimitedKey = Pick<KeyLimits, 'maxUses' | 'rateLimit'> & { id: string; ownerId: string };

/** What came of a charge. Refused, the key has paid nothing. */
export interface QuotaDecision {
  refusal: 'RATE_LIMITED' | 'USAGE_EXCEEDED' | 'REVOKED' | null;
  /** How the key stands to its rate limit; `null` without one, and where the uses have refused. */
  rate: RateDecision | null;
  /** `null` without `max_uses`. */
  remainingUses: number | null;
}

/** Of a key without limits, or of a question that is not charged. */
export const NO_CHARGE: QuotaDecision = { refusal: null, rate: null, remainingUses: null };

/** How a charged key stands to its rate limit, under the name that clients know the limit by. */
export function rateStateOf(charge: QuotaDecision | null | undefined): NamedRate[] {
  return charge?.rate ? [{ name: 'key', ...charge.rate }] : [];
}

/** Charges keys for what they do: first their rate, then their uses. */
@Injectable()
export class Quota {
  constructor(
    private readonly rateLimiter: RateLimiter,
    private readonly usageMeter: UsageLimiter,
  ) {}

  /**
   * Charges all of the cost or none. At once for a key whose limits are kept in this process.
   *
   * @throws UnavailableError, or what the database throws, where rates or uses cannot be counted now
   */
  charge(key: LimitedKey, cost: number): QuotaDecision | Promise<QuotaDecision> {
    if (!key.rateLimit) return this.chargeUses(key, cost, null);
    const decision = this.take(key, key.rateLimit, cost);
    if (decision instanceof Promise) return decision.then((one) => this.chargeUses(key, cost, one));
    return this.chargeUses(key, cost, decision);
  }

  /** Gives back what a key was charged whose verdict has become a refusal before it was given. */
  async refund({ id }: LimitedKey, cost: number, { rate, remainingUses }: QuotaDecision): Promise<void> {
    await rate?.refund();
    if (remainingUses !== null && cost > 0) this.usageMeter.count(id, -cost);
  }

  /** Whoever asks for several goes on with the others: what is thrown at once is thrown by a promise. */
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
    if (this.usageMeter.isExact(key.id)) return this.consume(key.id, cost, rate);
    this.usageMeter.count(key.id, cost);
    return rate ? { ...NO_CHARGE, rate } : NO_CHARGE;
  }

  private async consume(keyId: string, cost: number, rate: RateDecision | null): Promise<QuotaDecision> {
    try {
      const { granted, remaining, isRevoked } = await this.usageMeter.consume(keyId, cost);
      if (granted) return { refusal: null, rate, remainingUses: remaining };
      // What it said of the rate is no longer so
      await rate?.refund();
      return { refusal: isRevoked ? 'REVOKED' : 'USAGE_EXCEEDED', rate: null, remainingUses: remaining };
    } catch (error) {
      await rate?.refund();
      throw error;
    }
  }
}
