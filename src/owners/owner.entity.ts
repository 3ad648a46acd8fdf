import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * What is kept for an owner as a whole: how many of its keys are not revoked, and the head of its audit trail.
 * Whoever changes keys of the owner holds this row to the end of the transaction.
 */
@Entity('owners')
export class Owner {
  @PrimaryColumn({ name: 'owner_id', type: 'varchar', length: 255, primaryKeyConstraintName: 'owners_pkey' })
  ownerId: string;

  @Column({ name: 'live_keys', type: 'int', default: 0 })
  liveKeys: number;

  /** How many events the trail has. */
  @Column({ name: 'audit_seq', type: 'bigint', default: 0 })
  auditSeq: string;

  /** The hash of the last of them; 32 bytes. */
  @Column({ name: 'audit_hash', type: 'bytea', nullable: true })
  auditHash: Buffer | null;
}
