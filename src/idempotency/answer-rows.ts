import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';

const STORED_SECONDS = 600;
/** When a claim without an answer expires: the process that made it has been killed. */
const CLAIM_SECONDS = 30;

/**
 * Claims an id that is free, or whose claim or answer has expired. All times are the database's: a process with a fast
 * clock would take over claims that are still in use, and requests would take effect twice.
 */
const CLAIM = `
  INSERT INTO idempotent_answers (id, fingerprint, expires_at)
  VALUES ($1, $2, now() + make_interval(secs => ${CLAIM_SECONDS}))
  ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint, answer = NULL, expires_at = excluded.expires_at
  WHERE idempotent_answers.expires_at <= now()
  RETURNING expires_at`;

/** Replaces an earlier answer to the same pair, call and `Idempotency-Key`, which has expired. */
const STORE = `
  INSERT INTO idempotent_answers (id, fingerprint, answer, expires_at)
  VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => ${STORED_SECONDS}))
  ON CONFLICT (id) DO UPDATE
  SET fingerprint = excluded.fingerprint, answer = excluded.answer, expires_at = excluded.expires_at`;

const FIND = 'SELECT id, fingerprint, answer FROM idempotent_answers WHERE id = ANY($1) AND expires_at > now()';

/** Expires counted from now: the transaction may have begun long before. */
const FILL = `
  UPDATE idempotent_answers
  SET answer = $3, expires_at = clock_timestamp() + make_interval(secs => ${STORED_SECONDS})
  WHERE id = $1 AND answer IS NULL AND expires_at = $2`;

const RELEASE = 'DELETE FROM idempotent_answers WHERE id = $1 AND answer IS NULL AND expires_at = $2';

export interface AnswerRow {
  id: Buffer;
  fingerprint: Buffer;
  answer: Buffer | null;
}

/** A row without an answer, reserved for one request. */
export interface Claim {
  id: Buffer;
  /** By the database's clock; together with the id it identifies the claim. */
  expiresAt: Date;
}

/** The rows of stored answers, encrypted. */
@Injectable()
export class AnswerRows {
  constructor(private readonly dataSource: DataSource) {}

  /** @returns `undefined` if another request has the claim, or an answer is stored */
  async claim(id: Buffer, fingerprint: Buffer): Promise<Claim | undefined> {
    const [row] = (await this.dataSource.query(CLAIM, [id, fingerprint])) as { expires_at: Date }[];
    return row && { id, expiresAt: row.expires_at };
  }

  async find(ids: readonly Buffer[]): Promise<AnswerRow | undefined> {
    const [row] = (await this.dataSource.query(FIND, [ids])) as AnswerRow[];
    return row;
  }

  /** Stores the answer to a claim. @returns `false` if the claim has expired and was taken over */
  async fill(tx: EntityManager, { id, expiresAt }: Claim, answer: Buffer): Promise<boolean> {
    const [, filled] = (await tx.query(FILL, [id, expiresAt, answer])) as [unknown, number];
    return filled > 0;
  }

  /** Stores an answer without a claim, replacing an earlier one. */
  async store(tx: EntityManager, id: Buffer, fingerprint: Buffer, answer: Buffer): Promise<void> {
    await tx.query(STORE, [id, fingerprint, answer]);
  }

  /** Gives up a claim after a failure, so that the client can retry at once. */
  async release({ id, expiresAt }: Claim): Promise<void> {
    await this.dataSource.query(RELEASE, [id, expiresAt]);
  }
}
