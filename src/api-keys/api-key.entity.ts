import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { KeyLimits, RateLimit } from '../principals/key-limits.js';
import { type GivenScopes, normalizeScopes } from '../principals/scopes.js';
import { type KeyStatus, statusOf } from './key-status.js';

export type Metadata = Record<string, string>;

/** Why a key was revoked: by its owner, with the key that issued it, by a leak report, by an operator. */
export const REVOKED_REASONS = ['deleted', 'cascade', 'leaked', 'operator'] as const;
export type RevokedReason = (typeof REVOKED_REASONS)[number];

/** The driver returns `bigint` columns as text; these stay below 2^53. */
const wholeNumber = {
  to: (value: number | null) => value,
  from: (value: string | null) => (value === null ? null : Number(value)),
};

/**
 * One API key. Deleting it sets `revokedAt`; the row stays until it is purged.
 *
 * The application generates the ids (UUIDv7, RFC 9562): their order is the order of creation.
 */
@Entity('api_keys')
@Index('api_keys_listed', ['ownerId', 'id'], { where: 'revoked_at IS NULL' })
@Index('api_keys_revoked', ['ownerId', 'id'], { where: 'revoked_at IS NOT NULL' })
@Index('api_keys_issued_by', ['issuedBy', 'id'], { where: 'issued_by IS NOT NULL' })
export class ApiKey {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'api_keys_pkey' })
  id: string;

  /** The account that the key belongs to: the `sub` of its session tokens. */
  @Column({ name: 'owner_id', type: 'varchar', length: 255 })
  ownerId: string;

  @Column({ type: 'varchar', length: 100 })
  name: string;

  /** The public identifier, `w3k_...`. */
  @Index('api_keys_api_key', { unique: true })
  @Column({ name: 'api_key', type: 'varchar', length: 24 })
  identifier: string;

  /** argon2id of the whole secret, as a PHC string. */
  @Column({ name: 'secret_hash', type: 'text' })
  secretHash: string;

  /**
   * The fingerprint of the server key that signed the secret's tag; `null` for a secret issued before this was recorded,
   * until it is next verified.
   */
  @Column({ name: 'secret_signed_by', type: 'varchar', length: 8, nullable: true })
  secretSignedBy: string | null;

  /** Counts the rotations, from 1. Rehashing the same secret is not a rotation. */
  @Column({ name: 'secret_generation', type: 'int', default: 1 })
  secretGeneration: number;

  /** As given, but complete unless for an admin key, also in a row that is older than one of the scopes. */
  @Column({ type: 'jsonb', transformer: { from: normalizeScopes, to: (scopes: GivenScopes) => scopes } })
  scopes: GivenScopes;

  @Column({ type: 'jsonb' })
  metadata: Metadata;

  /** The API key that issued this one; `null` if a session or an operator did. */
  @Column({ name: 'issued_by', type: 'uuid', nullable: true })
  issuedBy: string | null;

  @Column({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', precision: 3 })
  updatedAt: Date;

  /** Counts the changes of the record, from 1, for optimistic locking (`If-Match`). */
  @Column({ type: 'int', default: 1 })
  version: number;

  @Column({ type: 'boolean', default: true })
  enabled: boolean;

  @Index('api_keys_revoked_at', { where: 'revoked_at IS NOT NULL' })
  @Column({ name: 'revoked_at', type: 'timestamptz', precision: 3, nullable: true })
  revokedAt: Date | null;

  @Column({ name: 'revoked_reason', type: 'varchar', length: 20, nullable: true })
  revokedReason: RevokedReason | null;

  /** argon2id of the secret before the last rotation, during its overlap. */
  @Column({ name: 'previous_secret_hash', type: 'text', nullable: true })
  previousSecretHash: string | null;

  @Column({ name: 'previous_secret_signed_by', type: 'varchar', length: 8, nullable: true })
  previousSecretSignedBy: string | null;

  @Column({ name: 'previous_secret_expires_at', type: 'timestamptz', precision: 3, nullable: true })
  previousSecretExpiresAt: Date | null;

  @Column({ name: 'previous_secret_last_used_at', type: 'timestamptz', precision: 3, nullable: true })
  previousSecretLastUsedAt: Date | null;

  @Column({ name: 'not_before', type: 'timestamptz', precision: 3, nullable: true })
  notBefore: Date | null;

  @Index('api_keys_expires_at', { where: 'expires_at IS NOT NULL' })
  @Column({ name: 'expires_at', type: 'timestamptz', precision: 3, nullable: true })
  expiresAt: Date | null;

  @Column({ name: 'max_uses', type: 'bigint', nullable: true, transformer: wholeNumber })
  maxUses: number | null;

  @Column({ name: 'rate_limit_requests', type: 'int', nullable: true })
  rateLimitRequests: number | null;

  @Column({ name: 'rate_limit_window_seconds', type: 'int', nullable: true })
  rateLimitWindowSeconds: number | null;

  @Column({ name: 'allowed_cidrs', type: 'text', array: true, nullable: true })
  allowedCidrs: string[] | null;

  /** How often it was used; without `maxUses`, the last second may be missing. */
  @Column({ type: 'bigint', default: 0, transformer: wholeNumber })
  uses: number;

  @Column({ name: 'last_used_at', type: 'timestamptz', precision: 3, nullable: true })
  lastUsedAt: Date | null;

  get rateLimit(): RateLimit | null {
    if (this.rateLimitRequests === null || this.rateLimitWindowSeconds === null) return null;
    return { requests: this.rateLimitRequests, windowSeconds: this.rateLimitWindowSeconds };
  }

  get limits(): KeyLimits {
    const { notBefore, expiresAt, maxUses, rateLimit, allowedCidrs } = this;
    return { notBefore, expiresAt, maxUses, rateLimit, allowedCidrs };
  }

  /** @param now milliseconds since 1970 */
  statusAt(now: number): KeyStatus {
    return statusOf(this, now);
  }
}

/** The columns that limits are stored in. */
export function limitColumns({ rateLimit, ...limits }: KeyLimits) {
  return {
    ...limits,
    rateLimitRequests: rateLimit?.requests ?? null,
    rateLimitWindowSeconds: rateLimit?.windowSeconds ?? null,
  };
}

/** The initial values of every key. */
export const NEW_KEY: Partial<ApiKey> = {
  version: 1,
  secretGeneration: 1,
  enabled: true,
  uses: 0,
  lastUsedAt: null,
  revokedAt: null,
  revokedReason: null,
  previousSecretHash: null,
  previousSecretSignedBy: null,
  previousSecretExpiresAt: null,
  previousSecretLastUsedAt: null,
};
