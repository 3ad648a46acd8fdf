import { Inject, Injectable } from '@nestjs/common';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import type { NamedRate } from '../http/rate-limit-headers.js';
import { type RateDecision, RateLimiter } from '../limits/rate-limiter.js';
import type { Principal } from '../principals/principal.js';

const WINDOW_SECONDS = 60;
/** An owner may have any number of admin keys, each a principal of its own: all of them together get this many times the rate of one. */
const OWNER_FACTOR = 5;
/** Of calls that are free of charge, a principal has this many times as many: ten a second, by default. */
const FREE_FACTOR = 10;

/** What came of asking for a call; refused, nothing was charged. */
interface TakenRates {
  granted: boolean;
  /** How the limits stand, under the names that clients know them by. */
  rates: NamedRate[];
  refund(): Promise<void>;
}

/** Counts the calls of the management endpoints: of each principal, and of each owner over all of its principals. */
@Injectable()
export class ManagementRates {
  constructor(
    private readonly rateLimiter: RateLimiter,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  /**
   * @param isRevocation what a stolen key, and keys that it has issued, use up of their owner's rate keeps no session from
   *   revoking them: then the owner's is only asked how it stands
   */
  async take({ actorId: reference, ownerId, apiKey }: Principal, isRevocation: boolean): Promise<TakenRates> {
    const ofOne = { requests: this.environment.managementRateLimit, windowSeconds: WINDOW_SECONDS };
    const ofAll = { ...ofOne, requests: ofOne.requests * OWNER_FACTOR };
    const own = await this.rateLimiter.take(`management:${reference}`, ofOne, 1, ownerId);
    const isCounted = own.granted && !(isRevocation && !apiKey);
    const owner = await this.rateLimiter.take(`management:owner:${ownerId}`, ofAll, isCounted ? 1 : 0, ownerId);
    const rates = [named('management', own), named('owner', owner)];
    if (own.granted && !owner.granted) {
      await own.refund();
      rates[0] = { ...named('management', own), remaining: own.remaining + 1 };
    }
    return { granted: own.granted && owner.granted, rates, refund: () => refundAll(own, owner) };
  }

  /** For routes that are free of charge, which have a rate of their own. */
  async takeFree({ actorId: reference, ownerId }: Principal): Promise<TakenRates> {
    const limit = { requests: this.environment.managementRateLimit * FREE_FACTOR, windowSeconds: WINDOW_SECONDS };
    const decision = await this.rateLimiter.take(`management:test:${reference}`, limit, 1, ownerId);
    return { granted: decision.granted, rates: [named('test', decision)], refund: () => refundAll(decision) };
  }
}

function named(name: string, decision: RateDecision): NamedRate {
  return { name, ...decision };
}

async function refundAll(...decisions: RateDecision[]): Promise<void> {
  for (const decision of decisions) await decision.refund();
}
