import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type { ErrorCode } from '../http/errors/error-codes.js';
import type { AuditAction } from './audit-actions.js';

/** A change of a key, or a refused call. Append-only; chained to the owner's previous event by `hash`. */
@Entity('audit_events')
@Index('audit_events_api_key_id', ['ownerId', 'apiKeyId', 'seq'])
export class AuditEvent {
  @PrimaryColumn({ name: 'owner_id', type: 'varchar', length: 255, primaryKeyConstraintName: 'audit_events_pkey' })
  ownerId: string;

  /** 1 for the owner's first. */
  @PrimaryColumn({ type: 'bigint', primaryKeyConstraintName: 'audit_events_pkey' })
  seq: string;

  @Column({ type: 'timestamptz', precision: 3 })
  at: Date;

  /** `session`, `operator`, `anonymous`, or `key:` and the id of an API key. */
  @Column({ type: 'varchar', length: 40 })
  actor: string;

  @Column({ type: 'varchar', length: 40 })
  action: AuditAction;

  @Column({ name: 'api_key_id', type: 'uuid', nullable: true })
  apiKeyId: string | null;

  /** The error code of a refused call. */
  @Column({ type: 'varchar', length: 40, nullable: true })
  refusal: ErrorCode | null;

  @Column({ type: 'varchar', length: 45, nullable: true })
  ip: string | null;

  @Column({ name: 'request_id', type: 'varchar', length: 128, nullable: true })
  requestId: string | null;

  /** Old and new values; never a secret. */
  @Column({ type: 'jsonb' })
  changes: Record<string, unknown>;

  /** SHA-256 over the event and the previous hash; 32 bytes. */
  @Column({ type: 'bytea' })
  hash: Buffer;
}
