import { Injectable } from '@nestjs/common';
import { keyOfExactUses } from '../api-keys/invalidation/announcements.js';
import { inBackground } from '../background/background.js';
import { UsageLimiter } from '../usage/usage-limiter.js';
import { InvalidationFeed } from './invalidation-feed.js';

/** Writes what this process has counted of a key, when another one is about to set the key's `max_uses`. */
@Injectable()
export class ExactUsesFeed {
  constructor(feed: InvalidationFeed, usageMeter: UsageLimiter) {
    feed.subscribe({
      changed: (texts) => {
        for (const text of texts) {
          const keyId = keyOfExactUses(text);
          if (keyId !== undefined) inBackground('Writing what was counted', usageMeter.countExactly(keyId));
        }
      },
      // What was announced meanwhile is over, or is about to be: whatever was counted is written each second
      anyMayHaveChanged: () => undefined,
    });
  }
}
