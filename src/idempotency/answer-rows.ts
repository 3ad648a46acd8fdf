import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';

const KEPT_SECONDS = 600;
/** So long a claim without an answer counts: whoever made it has been killed since. */
const CLAIMED_SECONDS = 30;

/**
 * Takes the place if it is free, or was left by somebody who is gone. All times here are the database's: a process whose
 * clock is ahead would take the place of another that is at work, and what is asked for once would be done twice.
 */
const CLAIM = `
  INSERT INTO idempotent_answers (id, fingerprint, expires_at)
  VALUES ($1, $2, now() + make_interval(secs => ${CLAIMED_SECONDS}))
  ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint, answer = NULL, expires_at = excluded.expires_at
  WHERE idempotent_answers.expires_at <= now()
  RETURNING expires_at`;

/** Of an answer that was kept for the same pair, call and `Idempotency-Key` before, the time is over. */
const STORE = `
  INSERT INTO idempotent_answers (id, fingerprint, answer, expires_at)
  VALUES ($1, $2, $3, clock_timestamp() + make_interval(secs => ${KEPT_SECONDS}))
  ON CONFLICT (id) DO UPDATE
  SET fingerprint = excluded.fingerprint, answer = excluded.answer, expires_at = excluded.expires_at`;

const FIND = 'SELECT id, fingerprint, answer FROM idempotent_answers WHERE id = ANY($1) AND expires_at > now()';

/** From when it is done: the transaction may have begun long before. */
const KEEP = `
  UPDATE idempotent_answers
  SET answer = $3, expires_at = clock_timestamp() + make_interval(secs => ${KEPT_SECONDS})
  WHERE id = $1 AND answer IS NULL AND expires_at = $2`;

const RELEASE = 'DELETE FROM idempotent_answers WHERE id = $1 AND answer IS NULL AND expires_at = $2';

export interface AnswerRow {
  id: Buffer;
  fingerprint: Buffer;
  answer: Buffer | null;
}

/** The place of an answer, held until it is there. */
export interface Claim {
  id: Buffer;
  /** By the database's clock; it names the claim, too. */
  expiresAt: Date;
}

/** The rows of kept answers, encrypted. */
@Injectable()
export class AnswerRows {
  constructor(private readonly dataSource: DataSource) {}

  /** @returns `undefined` if somebody else has the place */
  async claim(id: Buffer, fingerprint: Buffer): Promise<Claim | undefined> {
    const [row] = (await this.dataSource.query(CLAIM, [id, fingerprint])) as { expires_at: Date }[];
    return row && { id, expiresAt: row.expires_at };
  }

  async find(ids: readonly Buffer[]): Promise<AnswerRow | undefined> {
    const [row] = (await this.dataSource.query(FIND, [ids])) as AnswerRow[];
    return row;
  }

  /** @returns whether the place was still held */
  async keep(tx: EntityManager, { id, expiresAt }: Claim, answer: Buffer): Promise<boolean> {
    const [, kept] = (await tx.query(KEEP, [id, expiresAt, answer])) as [unknown, number];
    return kept > 0;
  }

  /** Without a claim, in the place of an earlier answer. */
  async store(tx: EntityManager, id: Buffer, fingerprint: Buffer, answer: Buffer): Promise<void> {
    await tx.query(STORE, [id, fingerprint, answer]);
  }

  /** Nothing was done, and the client may try again at once. */
  async release({ id, expiresAt }: Claim): Promise<void> {
    await this.dataSource.query(RELEASE, [id, expiresAt]);
  }
}
