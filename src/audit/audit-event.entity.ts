import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** What was done to a key, or refused. Never changed; chained to the owner's event before it by `hash`. */
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
  action: string;

  @Column({ name: 'api_key_id', type: 'uuid', nullable: true })
  apiKeyId: string | null;

  /** The error's code, where the call was refused. */
  @Column({ type: 'varchar', length: 40, nullable: true })
  refusal: string | null;

  @Column({ type: 'varchar', length: 45, nullable: true })
  ip: string | null;

  @Column({ name: 'request_id', type: 'varchar', length: 128, nullable: true })
  requestId: string | null;

  /** What was changed, and into what; never a secret. */
  @Column({ type: 'jsonb' })
  changes: Record<string, unknown>;

  /** SHA-256 over the event and the hash before it. */
  @Column({ type: 'bytea' })
  hash: Buffer;
}
