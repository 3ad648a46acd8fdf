import { hash } from 'node:crypto';
import type { ApiKey } from '../../api-keys/api-key.entity.js';
import type { CallingKey } from '../../principals/caller.js';
import { ScopeSet } from '../../principals/scope-set.js';
import type { Scopes } from '../../principals/scopes.js';
import { Networks, parseNetwork } from '../../addresses/networks.js';
import type { KeyLimits, RateLimit } from '../../principals/key-limits.js';
import { hashDigest } from '../../api-keys/credentials/hash-digest.js';
import { bytesPerCharacter, heapBytesOf } from '../../limits/heap-bytes.js';
import { InternPool } from './intern-pool.js';

/** Which of a key's secrets was presented: its own, or the one before the last rotation. */
export type SecretKind = 'current' | 'previous';

/** Bounded, since owners choose these values: beyond, equal ones are no longer shared. */
const MAX_SHARED = 1_000;
const networkLists = new InternPool<Networks>(MAX_SHARED);
const rateLimits = new InternPool<RateLimit>(MAX_SHARED);

/** The record without its strings and networks: a header and 23 fields, and the numbers that are boxed. */
const RECORD_BYTES = 24 + 23 * 8 + 3 * 16;
/** What is derived from it for answers, without its texts: lists, and the objects for gateways. */
const DERIVED_BYTES = 360;
/** The beginning of a verdict without the owner and the name. */
const BEGINNING_LENGTH = 120;

/**
 * A key whose secret has passed: what the next verdict on it needs, and no more. Times are milliseconds since 1970.
 * What keys have in common (scopes, rate limits, networks) they share.
 */
export class CachedKey implements CallingKey {
  readonly id: string;
  readonly ownerId: string;
  readonly name: string;
  readonly identifier: string;
  /** The key that issued it; `null` where a session or an operator did. */
  readonly issuedBy: string | null;
  /** Of the secret that has passed, counted by the key's rotations. */
  readonly secretGeneration: number;
  readonly granted: ScopeSet;
  readonly isRevoked: boolean;
  readonly enabled: boolean;
  readonly notBefore: number | null;
  readonly expiresAt: number | null;
  readonly maxUses: number | null;
  /** As it was read: for those alone who ask what a key is while the database is unavailable. */
  readonly uses: number;
  readonly rateLimit: RateLimit | null;
  /** Where it may be used from; `null` for anywhere. */
  readonly networks: Networks | null;
  /** When the secret before the last rotation ends, if that is the one that passed. */
  readonly previousSecretExpiresAt: number | null;
  /** Of the stored hash of the secret that passed; see `hashDigest()`. */
  readonly storedHash: string | null;
  /** By the steady clock: when it is to be read again although no change was seen. Set by the cache. */
  dueAt = 0;
  /** When it was last confirmed, as `KnownKeys` counts. */
  epoch = 0;
  private derived: unknown[] | undefined;

  /** @param secretDigest see `digestOf()`, of the secret that passed */
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
    this.rateLimit = key.rateLimit && shared(key.rateLimit);
    this.networks = key.allowedCidrs && compact(key.allowedCidrs);
    this.previousSecretExpiresAt = secretKind === 'previous' ? (key.previousSecretExpiresAt?.getTime() ?? null) : null;
    this.storedHash = storedHashOf(key, secretKind);
  }

  /** The full tree of what it effectively may do. */
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

  /** What it takes of the heap, alone and with all that will be derived from it. */
  get bytes(): number {
    const { id, ownerId, name, identifier, issuedBy, secretDigest, storedHash, networks, expiresAt } = this;
    const texts = [id, ownerId, name, identifier, issuedBy ?? '', secretDigest, storedHash ?? ''];
    const strings = texts.reduce((sum, text) => sum + heapBytesOf(text), 0);
    const beginning = (BEGINNING_LENGTH + JSON.stringify(ownerId + name).length) * bytesPerCharacter(ownerId + name);
    // Percent-encoded for a header, where it needs that
    const encodedOwner = /^[!-$&-~]*$/.test(ownerId) ? 0 : 9 * ownerId.length;
    const derived = DERIVED_BYTES + beginning + encodedOwner + (expiresAt === null ? 0 : 64);
    // In full for each key, although equal lists are shared: who would pay for a list when the first of them is dropped?
    return RECORD_BYTES + strings + derived + (networks ? heapBytesOf(networks.packed) + 32 : 0);
  }

  /** Whether it is this secret that has passed; the comparison takes constant time. */
  hasSecret(secretKey: string): boolean {
    const digest = digestOf(secretKey);
    // All of it, whatever differs first. `timingSafeEqual` wants buffers, which take twice the time and six times the memory
    let difference = digest.length ^ this.secretDigest.length;
    for (let i = 0; i < digest.length; i++) difference |= digest.charCodeAt(i) ^ this.secretDigest.charCodeAt(i);
    return difference === 0;
  }

  /** The same key as it has been read again; `undefined` if the secret that passed is no longer the same one of its secrets. */
  renewed(key: ApiKey): CachedKey | undefined {
    if (this.storedHash === null || storedHashOf(key, this.secretKind) !== this.storedHash) return undefined;
    return new CachedKey(key, this.secretDigest, this.secretKind);
  }

  /** The same key as it is once the cascade that ends it has come to its row. */
  revoked(): CachedKey {
    const copy = Object.create(CachedKey.prototype) as CachedKey;
    return Object.assign(copy, this, { isRevoked: true, derived: undefined });
  }

  /** What does not change from one answer about the key to the next, worked out at the first. */
  memoize<T>(from: (key: CachedKey) => T): T {
    this.derived ??= [];
    const at = this.derived.indexOf(from);
    if (at >= 0) return this.derived[at + 1] as T;
    const value = from(this);
    this.derived = [...this.derived, from, value];
    return value;
  }
}

/** SHA-256 of a secret, as a string of 32 bytes. */
export function digestOf(secretKey: string): string {
  return hash('sha256', secretKey, 'binary');
}

function storedHashOf({ secretHash, previousSecretHash }: ApiKey, which: SecretKind): string | null {
  const stored = which === 'current' ? secretHash : previousSecretHash;
  return stored === null ? null : hashDigest(stored);
}

function shared({ requests, windowSeconds }: RateLimit): RateLimit {
  return rateLimits.get(`${requests}/${windowSeconds}`, () => ({ requests, windowSeconds }));
}

function compact(cidrs: readonly string[]): Networks {
  const networks = new Networks(cidrs.map(parseNetwork));
  return networkLists.get(networks.packed, () => networks);
}
