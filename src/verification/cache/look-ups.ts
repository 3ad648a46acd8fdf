import { hash } from 'node:crypto';
import type { KeyPair } from '../../principals/key-pair.js';
import type { CachedKey } from './cached-key.js';

/** A look-up under way, which is outdated once its key may have changed since it began to read. */
export interface LookUp {
  readonly pair: KeyPair;
  isOutdated: boolean;
  epoch: number;
}

/** What comes of one: a key, or that the pair is not right. */
export type Found = CachedKey | undefined;

/** A pair by one short text, which does not give its secret away. */
export function idOfPair({ apiKey, secretKey }: KeyPair): string {
  return hash('sha256', apiKey + secretKey, 'base64');
}

/** The look-ups under way, and the results that all who ask for the same pair meanwhile share. */
export class LookUps {
  /** By look-up, the id of its pair where its result is shared. */
  private readonly underWay = new Map<LookUp, string | undefined>();
  private readonly results = new Map<string, Promise<Found>>();

  begin(pair: KeyPair, epoch: number): LookUp {
    const lookUp = { pair, isOutdated: false, epoch };
    this.underWay.set(lookUp, undefined);
    return lookUp;
  }

  end(lookUp: LookUp): void {
    this.unshare(lookUp);
    this.underWay.delete(lookUp);
  }

  /** @param id of the look-up's pair */
  share(lookUp: LookUp, id: string, result: Promise<Found>): void {
    this.underWay.set(lookUp, id);
    this.results.set(id, result);
  }

  resultOf(id: string): Promise<Found> | undefined {
    return this.results.get(id);
  }

  /** Outdates the look-ups of some keys, or all: whoever asks from now on does not wait for what was read before. */
  outdate(apiKeys?: ReadonlySet<string>): void {
    for (const lookUp of this.underWay.keys()) {
      if (apiKeys && !apiKeys.has(lookUp.pair.apiKey)) continue;
      lookUp.isOutdated = true;
      this.unshare(lookUp);
    }
  }

  private unshare(lookUp: LookUp): void {
    const id = this.underWay.get(lookUp);
    if (id !== undefined) this.results.delete(id);
    this.underWay.set(lookUp, undefined);
  }
}
