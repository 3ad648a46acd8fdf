import { Inject, Injectable } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import type { NamedRate } from '@w3ipfs/api-keys-guard/http';
import { type RateDecision, RateLimiter } from '../limits/rate-limiter.js';
import type { Principal } from '../principals/principal.js';

const WINDOW_SECONDS = 60;
/** The rate of an owner, as a multiple of a principal's: its admin keys are principals, without a limit on their number. */
const OWNER_FACTOR = 5;
/** Calls without a charge: as many as others, in a tenth of the time. In a minute, that would allow a burst of hundreds. */
const UNCHARGED_WINDOW_SECONDS = 6;

/** The decision on a call; if refused, nothing was charged. */
interface TakenRates {
  granted: boolean;
  /** The state of the limits, by their names in headers. */
  rates: NamedRate[];
  refund(): Promise<void>;
}

/** Limits the calls of the management endpoints per principal, and per owner over all of its principals. */
@Injectable()
export class ManagementRates {
  constructor(
    private readonly rateLimiter: RateLimiter,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  /**
   * @param isRevocation by a session, it is not charged against the owner's rate, so that a stolen key, and keys that it
   *   issued, cannot block their revocation by using that rate up
   */
  async take({ actorId, ownerId, apiKey }: Principal, isRevocation: boolean): Promise<TakenRates> {
    const ofOne = { requests: this.environment.managementRateLimit, windowSeconds: WINDOW_SECONDS };
    const ofAll = { ...ofOne, requests: ofOne.requests * OWNER_FACTOR };
    const own = await this.rateLimiter.take(`management:${actorId}`, ofOne, 1, ownerId);
    const isCounted = own.granted && !(isRevocation && !apiKey);
    const owner = await this.rateLimiter.take(`management:owner:${ownerId}`, ofAll, isCounted ? 1 : 0, ownerId);
    const rates = [named('management', own), named('owner', owner)];
    if (own.granted && !owner.granted) {
      await own.refund();
      rates[0] = { ...named('management', own), remaining: own.remaining + 1 };
    }
    return { granted: own.granted && owner.granted, rates, refund: () => refundAll(own, owner) };
  }

  /** For calls without a charge, which have a separate rate. */
  async takeUncharged({ actorId, ownerId }: Principal): Promise<TakenRates> {
    const limit = { requests: this.environment.managementRateLimit, windowSeconds: UNCHARGED_WINDOW_SECONDS };
    const decision = await this.rateLimiter.take(`management:test:${actorId}`, limit, 1, ownerId);
    return { granted: decision.granted, rates: [named('test', decision)], refund: () => refundAll(decision) };
  }
}

function named(name: string, decision: RateDecision): NamedRate {
  return { name, ...decision };
}

async function refundAll(...decisions: RateDecision[]): Promise<void> {
  for (const decision of decisions) await decision.refund();
}
