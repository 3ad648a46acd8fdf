import { Injectable } from '@nestjs/common';
import { KeyLookup } from '../../verification/cache/key-lookup.js';
import { InvalidationFeed } from '../../verification/invalidation-feed.js';
import { SecretVerifier } from '../../verification/secret-verifier.js';
import { Verifier } from '../../verification/verifier.js';
import { Metrics } from './metrics.js';

/** Metrics of verification: verdicts, the key cache, argon2 and the age of the invalidation feed. */
@Injectable()
export class VerificationMetrics {
  constructor(
    metrics: Metrics,
    verifier: Verifier,
    keyLookup: KeyLookup,
    secretVerifier: SecretVerifier,
    feed: InvalidationFeed,
  ) {
    metrics.counter('verdicts_total', 'Verdicts on keys', 'code', () => verifier.verdicts);
    metrics.counter('key_lookups_total', 'Lookups of key pairs, by result', 'result', () => keyLookup.results);
    metrics.gauge(
      'key_lookups_under_way',
      'Cache misses in progress: keys being read and verified',
      () => keyLookup.active,
    );
    metrics.gauge('known_keys', 'Keys in the cache', () => keyLookup.cache.size);
    metrics.gauge('known_keys_bytes', 'Heap size of the key cache', () => keyLookup.cache.bytes);
    metrics.gauge('argon2_waiting', 'Secret verifications waiting for a core', () => secretVerifier.waiting);
    metrics.gauge(
      'change_feed_age_seconds',
      'Time since when invalidations may have been missed',
      () => feed.age / 1_000,
    );
  }
}
