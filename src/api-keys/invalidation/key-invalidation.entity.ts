import { Column, Entity, Index, PrimaryGeneratedColumn } from 'typeorm';

/** A key that every process has to drop from its cache. Written in the transaction of the change. */
@Entity('key_changes')
export class KeyInvalidation {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'key_changes_pkey' })
  seq: string;

  /** The transaction that wrote it (`pg_current_xact_id()`), so that readers do not miss late commits. */
  @Index('key_changes_transaction_id')
  @Column({ name: 'transaction_id', type: 'bigint' })
  transactionId: string;

  @Column({ name: 'api_key', type: 'varchar', length: 24 })
  identifier: string;

  @Column({ name: 'changed_at', type: 'timestamptz', precision: 3 })
  changedAt: Date;
}
