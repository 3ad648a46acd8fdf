import { Inject, Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { Caller } from '../api-keys/caller.js';
import { Clock } from '../config/clock.js';
import { ENVIRONMENT, type Environment } from '../config/environment.js';
import { AnswerCipher } from './answer-cipher.js';
import { IdempotencyKeyInUseError, IdempotencyKeyReusedError } from './errors.js';

const KEPT_MS = 600_000;
/** So long a claim without an answer counts: whoever made it has been killed since. */
const CLAIMED_MS = 30_000;

/** What a client wants to be done once, however often it has to ask. */
export interface IdempotentRequest {
  caller: Caller;
  /** Which call it is, and of what. */
  call: readonly string[];
  body: object;
  /** `undefined` where the client leaves it to chance. */
  idempotencyKey: string | undefined;
  /**
   * That the caller may still be given an earlier answer, which holds a secret: it may have been revoked since it was
   * let in. @throws ApiError if not
   */
  assertStillAllowed: () => Promise<void>;
}

/** Keeps the answer in the transaction of what it tells of: both are there, or neither. */
export type Keep<T> = (tx: EntityManager, answer: T) => Promise<void>;

/** Takes the place if it is free, or was left by somebody who is gone. */
const CLAIM = `
  INSERT INTO idempotent_answers (id, fingerprint, expires_at) VALUES ($1, $2, $3)
  ON CONFLICT (id) DO UPDATE SET fingerprint = excluded.fingerprint, answer = NULL, expires_at = excluded.expires_at
  WHERE idempotent_answers.expires_at <= $4
  RETURNING id`;

interface Kept {
  id: Buffer;
  fingerprint: Buffer;
  answer: Buffer | null;
}

/**
 * Gives the same request the same answer for ten minutes (the `Idempotency-Key` header;
 * draft-ietf-httpapi-idempotency-key-header), secrets included.
 */
@Injectable()
export class IdempotentAnswers {
  constructor(
    private readonly dataSource: DataSource,
    private readonly clock: Clock,
    @Inject(ENVIRONMENT) private readonly environment: Environment,
  ) {}

  /**
   * Does what is asked, or gives the answer that was given to the same request before.
   *
   * @param act has to hand its answer to `keep` in its transaction
   * @throws IdempotencyKeyInUseError, IdempotencyKeyReusedError
   */
  async once<T extends object>(request: IdempotentRequest, act: (keep: Keep<T>) => Promise<T>): Promise<T> {
    const ciphers = this.ciphersOf(request);
    const [cipher] = ciphers;
    if (!cipher) return act(() => Promise.resolve());
    const fingerprint = cipher.fingerprint(request.body);
    const earlier = await this.find<T>(ciphers, request);
    if (earlier) return earlier;
    const claimedUntil = new Date(this.clock.now() + CLAIMED_MS);
    const claimed = (await this.dataSource.query(CLAIM, [
      cipher.id,
      fingerprint,
      claimedUntil,
      this.now(),
    ])) as unknown[];
    if (claimed.length === 0) return this.findOther(ciphers, request);
    try {
      return await act((tx, answer) => this.keep(tx, cipher, claimedUntil, answer));
    } catch (error) {
      await this.release(cipher, claimedUntil);
      throw error;
    }
  }

  /** One for each server key, since the answer may have been kept before they were rotated. */
  private ciphersOf({ caller, call, idempotencyKey }: IdempotentRequest): AnswerCipher[] {
    if (idempotencyKey === undefined) return [];
    const scope = [caller.ownerId, caller.key?.id ?? '', ...call];
    return this.environment.answerKeys.map((key) => new AnswerCipher(key, scope, idempotencyKey));
  }

  /** Somebody was faster, and has either answered by now or not. */
  private async findOther<T>(ciphers: readonly AnswerCipher[], request: IdempotentRequest): Promise<T> {
    const answer = await this.find<T>(ciphers, request);
    if (!answer) throw new IdempotencyKeyInUseError();
    return answer;
  }

  private async find<T>(
    ciphers: readonly AnswerCipher[],
    { body, assertStillAllowed }: IdempotentRequest,
  ): Promise<T | undefined> {
    const [kept] = (await this.dataSource.query(
      'SELECT id, fingerprint, answer FROM idempotent_answers WHERE id = ANY($1) AND expires_at > $2',
      [ciphers.map(({ id }) => id), this.now()],
    )) as Kept[];
    const cipher = kept && ciphers.find(({ id }) => id.equals(kept.id));
    if (!kept || !cipher) return undefined;
    if (!cipher.fingerprint(body).equals(kept.fingerprint)) throw new IdempotencyKeyReusedError();
    if (!kept.answer) throw new IdempotencyKeyInUseError();
    await assertStillAllowed();
    return JSON.parse(cipher.decrypt(kept.answer)) as T;
  }

  /** @throws IdempotencyKeyInUseError if it took so long that somebody else has taken the place */
  private async keep(tx: EntityManager, cipher: AnswerCipher, claimedUntil: Date, answer: object): Promise<void> {
    const [, kept] = (await tx.query(
      `UPDATE idempotent_answers SET answer = $3, expires_at = $4
       WHERE id = $1 AND answer IS NULL AND expires_at = $2`,
      [cipher.id, claimedUntil, cipher.encrypt(JSON.stringify(answer)), new Date(this.clock.now() + KEPT_MS)],
    )) as [unknown, number];
    if (kept === 0) throw new IdempotencyKeyInUseError();
  }

  /** Nothing was done, and the client may try again at once. */
  private async release(cipher: AnswerCipher, claimedUntil: Date): Promise<void> {
    await this.dataSource
      .query('DELETE FROM idempotent_answers WHERE id = $1 AND answer IS NULL AND expires_at = $2', [
        cipher.id,
        claimedUntil,
      ])
      // It expires by itself, and the client is to learn why its request failed
      .catch(() => undefined);
  }

  private now(): Date {
    return new Date(this.clock.now());
  }
}
