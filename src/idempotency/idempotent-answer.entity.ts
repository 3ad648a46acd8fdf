import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** The answer to a request with an `Idempotency-Key`, or the claim of a request in progress. */
@Entity('idempotent_answers')
export class IdempotentAnswer {
  /** An HMAC of the caller, the call and the `Idempotency-Key` under a server key: it reveals none of them. */
  @PrimaryColumn({ type: 'bytea', primaryKeyConstraintName: 'idempotent_answers_pkey' })
  id: Buffer;

  /** Identifies the request, so that a different one with the same `Idempotency-Key` is refused. */
  @Column({ type: 'bytea' })
  fingerprint: Buffer;

  /** Encrypted under a key derived from the `Idempotency-Key`; `null` while the request is in progress. */
  @Column({ type: 'bytea', nullable: true })
  answer: Buffer | null;

  @Index('idempotent_answers_expires_at')
  @Column({ name: 'expires_at', type: 'timestamptz', precision: 3 })
  expiresAt: Date;
}
