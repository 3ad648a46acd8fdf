import { Injectable } from '@nestjs/common';
import type { KeyPair } from '../api-keys/credentials.js';
import type { Scope } from '../api-keys/scopes.js';
import { KnownKeys } from './known-keys.js';
import { decide, refused, type Verdict } from './verdict.js';

/** Decides what a presented key pair may do: the one place that does. */
@Injectable()
export class Verifier {
  constructor(private readonly knownKeys: KnownKeys) {}

  /**
   * The verdict on a pair, about the scopes that are needed; the state of a key is told only to who
   * holds its secret. It is at hand at once for a key that is known.
   *
   * @throws UnavailableError if it cannot be told now
   */
  verify(pair: KeyPair, needed: readonly Scope[] = []): Verdict | Promise<Verdict> {
    const known = this.knownKeys.find(pair);
    if (known instanceof Promise) return known.then((found) => verdictOn(found, needed));
    return verdictOn(known, needed);
  }
}

function verdictOn(known: Awaited<ReturnType<KnownKeys['find']>>, needed: readonly Scope[]): Verdict {
  return known ? decide(known.apiKey, needed) : refused('INVALID_CREDENTIALS');
}
