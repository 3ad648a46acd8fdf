import { hash } from 'node:crypto';
import type { KeyPair } from '@w3ipfs/api-keys-guard/decision';
import type { Found } from './cached-key.js';

/** A lookup or a revalidation in flight. It is outdated once its key may have changed since its read began. */
export interface Flight {
  readonly pair: KeyPair;
  isOutdated: boolean;
  /** The epoch of the cache in which its read began. */
  epoch: number;
}

/** A short text that identifies a pair without revealing its secret. */
export function pairIdOf({ apiKey, secretKey }: KeyPair): string {
  return hash('sha256', apiKey + secretKey, 'base64');
}

/** The lookups in flight, and the results that concurrent callers with the same pair share. */
export class SingleFlight {
  /** Each flight with the id of its pair if its result is shared. */
  private readonly flights = new Map<Flight, string | undefined>();
  private readonly results = new Map<string, Promise<Found>>();

  begin(pair: KeyPair, epoch: number): Flight {
    const flight = { pair, isOutdated: false, epoch };
    this.flights.set(flight, undefined);
    return flight;
  }

  end(flight: Flight): void {
    this.unshare(flight);
    this.flights.delete(flight);
  }

  share(flight: Flight, pairId: string, result: Promise<Found>): void {
    this.flights.set(flight, pairId);
    this.results.set(pairId, result);
  }

  resultOf(pairId: string): Promise<Found> | undefined {
    return this.results.get(pairId);
  }

  /**
   * Marks the flights of these keys, or all, as outdated. Later callers do not share their results: a read that began
   * before a revocation must not answer a call that came after it.
   */
  invalidate(apiKeys?: ReadonlySet<string>): void {
    for (const flight of this.flights.keys()) {
      if (apiKeys && !apiKeys.has(flight.pair.apiKey)) continue;
      flight.isOutdated = true;
      this.unshare(flight);
    }
  }

  private unshare(flight: Flight): void {
    const pairId = this.flights.get(flight);
    if (pairId !== undefined) this.results.delete(pairId);
    this.flights.set(flight, undefined);
  }
}
