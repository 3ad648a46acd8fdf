import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { GivenScopes } from './scopes.js';

export type Metadata = Record<string, string>;

/**
 * One API key. Deleting it sets `revokedAt`; the row stays until it is purged.
 *
 * The application makes the ids (UUIDv7, RFC 9562), so that the order of ids is the order of creation.
 */
@Entity('api_keys')
@Index('api_keys_listed', ['ownerId', 'id'], { where: 'revoked_at IS NULL' })
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
  apiKey: string;

  /** argon2id of the whole secret, as a PHC string. */
  @Column({ name: 'secret_hash', type: 'text' })
  secretHash: string;

  /** As they were given; `effectiveScopes` tells what they amount to. */
  @Column({ type: 'jsonb' })
  scopes: GivenScopes;

  @Column({ type: 'jsonb' })
  metadata: Metadata;

  /** The API key that issued this one; `null` where a session or an operator did. */
  @Column({ name: 'issued_by', type: 'uuid', nullable: true })
  issuedBy: string | null;

  @Column({ name: 'created_at', type: 'timestamptz', precision: 3 })
  createdAt: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', precision: 3 })
  updatedAt: Date;

  @Column({ name: 'revoked_at', type: 'timestamptz', precision: 3, nullable: true })
  revokedAt: Date | null;

  get status(): KeyStatus {
    return this.revokedAt ? 'revoked' : 'active';
  }
}

export const KEY_STATUSES = ['active', 'revoked'] as const;
export type KeyStatus = (typeof KEY_STATUSES)[number];
