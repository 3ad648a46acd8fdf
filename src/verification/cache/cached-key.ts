import { hash } from 'node:crypto';
import type { ApiKey } from '../../api-keys/api-key.entity.js';
import type { CallingKey } from '../../principals/caller.js';
import { ScopeSet } from '../../principals/scope-set.js';
import type { Scopes } from '../../principals/scopes.js';
import { Networks, parseNetwork } from '@w3ipfs/api-keys-guard/decision';
import type { KeyLimits, RateLimit } from '../../principals/key-limits.js';
import { hashDigest } from '../../api-keys/credentials/hash-digest.js';
import { bytesPerCharacter, heapBytesOf } from '../../limits/heap-bytes.js';
import { InternPool } from './intern-pool.js';

/** Which of a key's secrets was presented: the current one, or the one before the last rotation. */
export type SecretKind = 'current' | 'previous';

/** Bounded, since owners choose these values: over the cap, equal ones are no longer shared. */
const MAX_SHARED = 1_000;
const networkLists = new InternPool<Networks>(MAX_SHARED);
const rateLimits = new InternPool<RateLimit>(MAX_SHARED);

/** The record without its strings and networks: a header, 23 fields, and the boxed numbers. */
const RECORD_BYTES = 24 + 23 * 8 + 3 * 16;
/** What is memoized for answers, without texts: lists, and the objects for gateways. */
const MEMO_BYTES = 360;
/** The constant part of a verdict's prefix, without the owner and the name. */
const PREFIX_LENGTH = 120;

/**
 * A key whose secret has been verified: what the next verdict on it needs, and no more. Times are milliseconds since
 * 1970. Keys with equal scopes, rate limits or networks share those objects.
 */
export class CachedKey implements CallingKey {
  readonly id: string;
  readonly ownerId: string;
  readonly name: string;
  readonly identifier: string;
  /** The key that issued it; `null` if a session or an operator did. */
  readonly issuedBy: string | null;
  /** The number of rotations before the verified secret. */
  readonly secretGeneration: number;
  readonly granted: ScopeSet;
  readonly isRevoked: boolean;
  readonly enabled: boolean;
  readonly notBefore: number | null;
  readonly expiresAt: number | null;
  readonly maxUses: number | null;
  /** As of the read: only for describing a key while the database is unavailable, never for a decision. */
  readonly uses: number;
  readonly rateLimit: RateLimit | null;
  /** Where the key may be used from; `null` for anywhere. */
  readonly networks: Networks | null;
  /** When the previous secret expires, if that is the verified one. */
  readonly previousSecretExpiresAt: number | null;
  /** The digest of the verified secret's stored hash; see `hashDigest()`. */
  readonly storedHash: string | null;
  /** By the steady clock: when the key has to be revalidated even if no change was seen. Set by `KeyCache`. */
  dueAt = 0;
  /** The epoch in which it was last read. Set by `KeyCache`. */
  epoch = 0;
  private memo: unknown[] | undefined;

  /** @param secretDigest of the verified secret; see `digestOf()` */
  constructor(
    key: ApiKey,
    readonly secretDigest: string,
    readonly secretKind: SecretKind = 'current',
  ) {
    this.id = key.id;
    this.ownerId = key.ownerId;
    this.name = key.name;
    this.identifier = key.identifier;
    this.issuedBy = key.issuedBy;
    this.secretGeneration = key.secretGeneration - (secretKind === 'current' ? 0 : 1);
    this.granted = ScopeSet.of(key.scopes);
    this.isRevoked = key.revokedAt !== null;
    this.enabled = key.enabled;
    this.notBefore = key.notBefore?.getTime() ?? null;
    this.expiresAt = key.expiresAt?.getTime() ?? null;
    this.maxUses = key.maxUses;
    this.uses = key.uses;
    this.rateLimit = key.rateLimit && internedRateLimit(key.rateLimit);
    this.networks = key.allowedCidrs && internedNetworks(key.allowedCidrs);
    this.previousSecretExpiresAt = secretKind === 'previous' ? (key.previousSecretExpiresAt?.getTime() ?? null) : null;
    this.storedHash = storedHashOf(key, secretKind);
  }

  /** The full tree of effective scopes. */
  get scopes(): Scopes {
    return this.granted.effective;
  }

  get limits(): KeyLimits {
    const { notBefore, expiresAt, maxUses, rateLimit, networks } = this;
    return {
      notBefore: notBefore === null ? null : new Date(notBefore),
      expiresAt: expiresAt === null ? null : new Date(expiresAt),
      maxUses,
      rateLimit,
      allowedCidrs: networks && networks.list().map(String),
    };
  }

  /** The heap that the key takes, with everything that may be memoized for it. */
  get bytes(): number {
    const { id, ownerId, name, identifier, issuedBy, secretDigest, storedHash, networks, expiresAt } = this;
    const texts = [id, ownerId, name, identifier, issuedBy ?? '', secretDigest, storedHash ?? ''];
    const strings = texts.reduce((sum, text) => sum + heapBytesOf(text), 0);
    const prefix = (PREFIX_LENGTH + JSON.stringify(ownerId + name).length) * bytesPerCharacter(ownerId + name);
    // Percent-encoded for a header if necessary
    const encodedOwner = /^[!-$&-~]*$/.test(ownerId) ? 0 : 9 * ownerId.length;
    const memo = MEMO_BYTES + prefix + encodedOwner + (expiresAt === null ? 0 : 64);
    // Each key counts its networks in full, though equal lists are shared: otherwise none would, once the first is evicted
    return RECORD_BYTES + strings + memo + (networks ? heapBytesOf(networks.packed) + 32 : 0);
  }

  /** Whether this is the verified secret. Compares in constant time. */
  hasSecret(secretKey: string): boolean {
    const digest = digestOf(secretKey);
    // Never returns early. `timingSafeEqual` requires buffers, which take twice the time and six times the memory
    let difference = digest.length ^ this.secretDigest.length;
    for (let i = 0; i < digest.length; i++) difference |= digest.charCodeAt(i) ^ this.secretDigest.charCodeAt(i);
    return difference === 0;
  }

  /** This key with a newer record; `undefined` if the verified secret is no longer the record's secret of the same kind. */
  refreshedFrom(key: ApiKey): CachedKey | undefined {
    if (this.storedHash === null || storedHashOf(key, this.secretKind) !== this.storedHash) return undefined;
    return new CachedKey(key, this.secretDigest, this.secretKind);
  }

  /** This key as it will be when the cascade that revokes it has reached its row. */
  revoked(): CachedKey {
    const copy = Object.create(CachedKey.prototype) as CachedKey;
    return Object.assign(copy, this, { isRevoked: true, memo: undefined });
  }

  /** A value that is the same in every answer about the key; computed once per function. */
  memoize<T>(compute: (key: CachedKey) => T): T {
    this.memo ??= [];
    const at = this.memo.indexOf(compute);
    if (at >= 0) return this.memo[at + 1] as T;
    const value = compute(this);
    this.memo = [...this.memo, compute, value];
    return value;
  }
}

/** What a pair is resolved to: its key, or `undefined` if the pair is wrong. */
export type Found = CachedKey | undefined;

/** The SHA-256 of a secret, as a binary string of 32 bytes. */
export function digestOf(secretKey: string): string {
  return hash('sha256', secretKey, 'binary');
}

function storedHashOf({ secretHash, previousSecretHash }: ApiKey, kind: SecretKind): string | null {
  const stored = kind === 'current' ? secretHash : previousSecretHash;
  return stored === null ? null : hashDigest(stored);
}

function internedRateLimit({ requests, windowSeconds }: RateLimit): RateLimit {
  return rateLimits.get(`${requests}/${windowSeconds}`, () => ({ requests, windowSeconds }));
}

function internedNetworks(cidrs: readonly string[]): Networks {
  const networks = new Networks(cidrs.map(parseNetwork));
  return networkLists.get(networks.packed, () => networks);
}
