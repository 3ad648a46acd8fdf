import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * An owner's row: the number of its unrevoked keys, and the head of its audit trail. Every change of the owner's keys
 * locks it until the end of the transaction.
 */
@Entity('owners')
export class Owner {
  @PrimaryColumn({ name: 'owner_id', type: 'varchar', length: 255, primaryKeyConstraintName: 'owners_pkey' })
  ownerId: string;

  @Column({ name: 'live_keys', type: 'int', default: 0 })
  liveKeys: number;

  /** The number of events in the trail. */
  @Column({ name: 'audit_seq', type: 'bigint', default: 0 })
  auditSeq: string;

  /** The hash of the last event; 32 bytes. */
  @Column({ name: 'audit_hash', type: 'bytea', nullable: true })
  auditHash: Buffer | null;
}
