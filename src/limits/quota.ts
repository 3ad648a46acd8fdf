import { Injectable } from '@nestjs/common';
import type { KeyLimits, RateLimit } from '../principals/key-limits.js';
import type { NamedRate } from '../http/rate-limit-headers.js';
import { type RateDecision, RateLimiter } from './rate-limiter.js';
import { UsageMeter } from '../usage/usage-limiter.js';

/** Of a key, what its charges go by. */
export type Metered = Pick<KeyLimits, 'maxUses' | 'rateLimit'> & { id: string; ownerId: string };

/** What came of a charge. Refused, the key has paid nothing. */
export interface Charge {
  refusal: 'RATE_LIMITED' | 'USAGE_EXCEEDED' | 'REVOKED' | null;
  /** How the key stands to its rate limit; `null` without one, and where the uses have refused. */
  rate: RateDecision | null;
  /** `null` without `max_uses`. */
  remainingUses: number | null;
}

/** Of a key without limits, or of a question that is not charged. */
export const FREE_OF_CHARGE: Charge = { refusal: null, rate: null, remainingUses: null };

/** How a charged key stands to its rate limit, under the name that clients know the limit by. */
export function rateOf(charge: Charge | null | undefined): NamedRate[] {
  return charge?.rate ? [{ name: 'key', ...charge.rate }] : [];
}

/** Charges keys for what they do: first their rate, then their uses. */
@Injectable()
export class Metering {
  constructor(
    private readonly rateLimiter: RateLimiter,
    private readonly usageMeter: UsageMeter,
  ) {}

  /**
   * Charges all of the cost or none. At once for a key whose limits are kept in this process.
   *
   * @throws UnavailableError, or what the database throws, where rates or uses cannot be counted now
   */
  charge(key: Metered, cost: number): Charge | Promise<Charge> {
    if (!key.rateLimit) return this.chargeUses(key, cost, null);
    const decision = this.take(key, key.rateLimit, cost);
    if (decision instanceof Promise) return decision.then((one) => this.chargeUses(key, cost, one));
    return this.chargeUses(key, cost, decision);
  }

  /** Gives back what a key was charged whose verdict has become a refusal before it was given. */
  async refund({ id }: Metered, cost: number, { rate, remainingUses }: Charge): Promise<void> {
    await rate?.giveBack();
    if (remainingUses !== null && cost > 0) this.usageMeter.count(id, -cost);
  }

  /** Whoever asks for several goes on with the others: what is thrown at once is thrown by a promise. */
  private take({ id, ownerId }: Metered, rateLimit: RateLimit, cost: number): RateDecision | Promise<RateDecision> {
    try {
      return this.rateLimiter.take(`key:${id}`, rateLimit, cost, ownerId);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  private chargeUses(key: Metered, cost: number, rate: RateDecision | null): Charge | Promise<Charge> {
    if (rate && !rate.granted) return { ...FREE_OF_CHARGE, refusal: 'RATE_LIMITED', rate };
    if (key.maxUses !== null) return this.spend(key.id, cost, rate);
    if (cost === 0) return rate ? { ...FREE_OF_CHARGE, rate } : FREE_OF_CHARGE;
    if (this.usageMeter.isExact(key.id)) return this.spend(key.id, cost, rate);
    this.usageMeter.count(key.id, cost);
    return rate ? { ...FREE_OF_CHARGE, rate } : FREE_OF_CHARGE;
  }

  private async spend(keyId: string, cost: number, rate: RateDecision | null): Promise<Charge> {
    try {
      const { granted, remaining, isRevoked } = await this.usageMeter.spend(keyId, cost);
      if (granted) return { refusal: null, rate, remainingUses: remaining };
      // What it said of the rate is no longer so
      await rate?.giveBack();
      return { refusal: isRevoked ? 'REVOKED' : 'USAGE_EXCEEDED', rate: null, remainingUses: remaining };
    } catch (error) {
      await rate?.giveBack();
      throw error;
    }
  }
}
