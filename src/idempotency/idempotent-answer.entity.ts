import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** The answer to a request that carried an `Idempotency-Key`, or the claim of whoever is working on it. */
@Entity('idempotent_answers')
export class IdempotentAnswer {
  /** Made of who asks, for what, and the `Idempotency-Key`, under a server key: it tells none of them. */
  @PrimaryColumn({ type: 'bytea', primaryKeyConstraintName: 'idempotent_answers_pkey' })
  id: Buffer;

  /** Of the request, so that another one under the same `Idempotency-Key` is noticed. */
  @Column({ type: 'bytea' })
  fingerprint: Buffer;

  /** Encrypted under a key made of the `Idempotency-Key`; `null` while the request is being worked on. */
  @Column({ type: 'bytea', nullable: true })
  answer: Buffer | null;

  @Index('idempotent_answers_expires_at')
  @Column({ name: 'expires_at', type: 'timestamptz', precision: 3 })
  expiresAt: Date;
}
