import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * A running cascade: its root is revoked, and all descendants are refused, though some of their rows are still to be
 * written. Deleted when all of them are.
 */
@Entity('cascades')
export class Cascade {
  @PrimaryColumn({ name: 'root_id', type: 'uuid', primaryKeyConstraintName: 'cascades_pkey' })
  rootId: string;

  @Index('cascades_owner_id')
  @Column({ name: 'owner_id', type: 'varchar', length: 255 })
  ownerId: string;

  /** Who deleted the root, for the audit events of its descendants. */
  @Column({ type: 'varchar', length: 40 })
  actor: string;

  @Column({ type: 'varchar', length: 45, nullable: true })
  ip: string | null;

  @Column({ name: 'request_id', type: 'varchar', length: 128, nullable: true })
  requestId: string | null;

  /** By the database's clock. */
  @Column({ name: 'started_at', type: 'timestamptz', precision: 3 })
  startedAt: Date;

  /** When a process last worked on it, by the database's clock: another one resumes an abandoned cascade. */
  @Column({ name: 'worked_at', type: 'timestamptz', precision: 3 })
  workedAt: Date;

  /** How many keys it has revoked so far, the root included. */
  @Column({ type: 'int', default: 1 })
  revoked: number;
}
