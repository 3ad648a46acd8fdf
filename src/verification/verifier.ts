import { Injectable } from '@nestjs/common';
import type { KeyPair } from '../api-keys/credentials.js';
import { KnownKeys } from './known-keys.js';
import { decide, type Need, refused, type Verdict } from './verdict.js';

/** Decides what a presented key pair may do: the one place that does. */
@Injectable()
export class Verifier {
  constructor(private readonly knownKeys: KnownKeys) {}

  /**
   * The verdict on a pair, for what is needed of it; the state of a key is told only to who
   * holds its secret. It is at hand at once for a key that is known.
   *
   * @throws UnavailableError if it cannot be told now
   */
  verify(pair: KeyPair, need: Need): Verdict | Promise<Verdict> {
    const known = this.knownKeys.find(pair);
    if (known instanceof Promise) return known.then((found) => verdictOn(found, need));
    return verdictOn(known, need);
  }
}

function verdictOn(known: Awaited<ReturnType<KnownKeys['find']>>, need: Need): Verdict {
  return known ? decide(known.apiKey, need) : refused('INVALID_CREDENTIALS');
}
