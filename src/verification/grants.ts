import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { cascadeAnnouncement } from '../api-keys/invalidation/announcements.js';
import { UsageLimiter } from '../usage/usage-limiter.js';
import { ActiveCascades } from './active-cascades.js';
import type { CachedKey } from './cache/cached-key.js';
import { KeyLookup } from './cache/key-lookup.js';
import { changeHandle } from '@w3ipfs/api-keys-guard/decision';
import { type CacheableGrantDto, type Grant, NOT_GRANTED, type NotGranted } from './dto/grant.dto.js';
import type { Position } from './feed-position.js';
import { InvalidationFeed } from './invalidation-feed.js';
import type { BatchVerdict } from './batch-run.js';
import type { Verdict } from './verdict.js';
import type { VerifyRequest } from './verifier.js';

/** The verdicts that say that the key itself is good. */
const CODES = new Set<Verdict['code']>(['VALID', 'IP_NOT_ALLOWED', 'INSUFFICIENT_SCOPE']);

/** Grants guards what they need to decide on a key themselves. */
@Injectable()
export class Grants {
  /** The number of answers by result; the names are metric labels. */
  readonly results = Object.fromEntries(['granted', ...NOT_GRANTED].map((result) => [result, 0])) as Record<
    'granted' | NotGranted,
    number
  >;

  constructor(
    private readonly feed: InvalidationFeed,
    private readonly lookup: KeyLookup,
    private readonly cascades: ActiveCascades,
    private readonly usageLimiter: UsageLimiter,
    private readonly clock: Clock,
  ) {}

  /** To be noted before the key is looked up: a grant includes the changes up to there. */
  get position(): Position | undefined {
    return this.feed.position;
  }

  /** The grant that goes with a verdict; `undefined` unless the key is good. @param position noted before the verdict */
  with({ code, key }: Verdict, position: Position | undefined): Grant | undefined {
    if (!key || !position || !CODES.has(code)) return undefined;
    const because = this.refusalOf(key, position);
    this.results[because ?? 'granted']++;
    return because ? { cacheable: false, because } : this.grant(key, position);
  }

  /** The same for one of a batch, if its request asks for it. */
  forBatch(
    verdict: BatchVerdict,
    request: VerifyRequest | undefined,
    position: Position | undefined,
  ): Grant | undefined {
    return request?.wantsGrant && verdict.code !== 'UNAVAILABLE' ? this.with(verdict, position) : undefined;
  }

  private refusalOf(key: CachedKey, position: Position): NotGranted | undefined {
    if (key.maxUses !== null) return 'max_uses';
    if (key.rateLimit) return 'rate_limit';
    // About to be revoked, or to get `max_uses`
    if (!this.cascades.areKnown || this.cascades.mayRevoke(key) || this.usageLimiter.isExact(key.id)) return 'pending';
    return this.lookup.isCurrent(key) && this.isReached(position) ? undefined : 'unconfirmed';
  }

  /** Whether the database is still the one of the position. */
  private isReached({ epoch, oldest }: Position): boolean {
    const reached = this.feed.position;
    return reached?.epoch === epoch && BigInt(reached.oldest) >= BigInt(oldest);
  }

  private grant(key: CachedKey, { epoch, oldest }: Position): CacheableGrantDto {
    const now = this.clock.now();
    return {
      cacheable: true,
      position: oldest,
      epoch,
      key_id: key.id,
      owner_id: key.ownerId,
      name: key.name,
      scopes: key.granted.names.split(' ').filter(Boolean),
      allowed_cidrs: key.networks && key.networks.list().map(String),
      expires_at: key.expiresAt === null ? null : new Date(key.expiresAt).toISOString(),
      expires_in_ms: key.expiresAt === null ? null : key.expiresAt - now,
      which: key.secretKind,
      overlap_ends_in_ms: key.previousSecretExpiresAt === null ? null : key.previousSecretExpiresAt - now,
      forget_on: key.issuedBy === null ? [] : [changeHandle(cascadeAnnouncement(key.ownerId))],
    };
  }
}
