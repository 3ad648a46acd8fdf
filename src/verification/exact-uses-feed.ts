import { Injectable } from '@nestjs/common';
import { keyOfExactUses } from '../api-keys/invalidation/announcements.js';
import { inBackground } from '../background/background.js';
import { UsageLimiter } from '../usage/usage-limiter.js';
import { InvalidationFeed } from './invalidation-feed.js';

/** Flushes this process's count of a key's uses when another process is about to set the key's `max_uses`. */
@Injectable()
export class ExactUsesFeed {
  constructor(feed: InvalidationFeed, usageLimiter: UsageLimiter) {
    feed.subscribe({
      changed: (invalidations) => {
        for (const { identifier } of invalidations) {
          const keyId = keyOfExactUses(identifier);
          if (keyId !== undefined) inBackground('Writing what was counted', usageLimiter.countExactly(keyId));
        }
      },
      // Missed announcements need no action: counts are flushed every second anyway
      anyMayHaveChanged: () => undefined,
    });
  }
}
